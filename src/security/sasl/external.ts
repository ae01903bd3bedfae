import { stepOf, type SaslMechanism } from './mechanism.ts';

/** RFC 4422: the connection has proved who the client is, by a certificate that the listener trusts. */
export const EXTERNAL: SaslMechanism = {
  name: 'EXTERNAL',
  isUsable: ({ peer }) => (peer.certificate ?? null) !== null,
  start: ({ logins, peer, certificateName }) => ({
    respond() {
      const certificate = peer.certificate ?? null;
      if (certificate === null) {
        return { kind: 'refused', reason: 'there is no client certificate', user: '', delayMs: 0 };
      }
      const { commonName, distinguishedName } = certificate;
      const name = certificateName === 'common-name' ? commonName : distinguishedName;
      return stepOf(logins.checkIdentity(name, peer));
    },
  }),
};

/** RFC 4505: everybody becomes one user. What the client says of itself is not used. */
export const SASL_ANONYMOUS: SaslMechanism = {
  name: 'ANONYMOUS',
  isUsable: ({ anonymousUser }) => anonymousUser !== null,
  start: ({ logins, peer, anonymousUser }) => ({
    respond() {
      if (anonymousUser === null) {
        return { kind: 'refused', reason: 'anonymous logins are off', user: '', delayMs: 0 };
      }
      return stepOf(logins.checkIdentity(anonymousUser, peer));
    },
  }),
};
