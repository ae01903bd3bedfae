import { malformed, stepOf, utf8Text, type SaslMechanism } from './mechanism.ts';

/** RFC 4616: [authorization identity] NUL user NUL password. The identity to act as is the user's own, or absent. */
export const PLAIN: SaslMechanism = {
  name: 'PLAIN',
  isUsable: () => true,
  start: ({ logins, peer }) => ({
    respond(response) {
      const first = response.indexOf(0);
      const second = first < 0 ? -1 : response.indexOf(0, first + 1);
      if (second < 0 || response.includes(0, second + 1)) {
        return malformed('two NUL separators expected');
      }
      const identity = utf8Text(response.subarray(0, first));
      const user = utf8Text(response.subarray(first + 1, second));
      if (identity === null || user === null) return malformed('names are not UTF-8');
      if (identity !== '' && identity !== user) {
        return malformed('acting as another user is not supported');
      }
      return stepOf(logins.checkPassword(user, Buffer.from(response.subarray(second + 1)), peer));
    },
  }),
};

/** AMQP 0-8's own: the protocol reads user and password out of a table. */
export const AMQPLAIN: SaslMechanism = {
  name: 'AMQPLAIN',
  isUsable: ({ decodeCredentials }) => decodeCredentials !== null,
  start: ({ logins, peer, decodeCredentials }) => ({
    respond(response) {
      const credentials = decodeCredentials?.(response) ?? null;
      if (credentials === null) return malformed('a table with LOGIN and PASSWORD expected');
      return stepOf(logins.checkPassword(credentials.user, credentials.password, peer));
    },
  }),
};
