import type { Logins, Peer } from '../logins.ts';
import { RABBIT_CR_DEMO } from './demo.ts';
import { EXTERNAL, SASL_ANONYMOUS } from './external.ts';
import type { CredentialsDecoder, SaslContext, SaslExchange, SaslMechanism } from './mechanism.ts';
import { AMQPLAIN, PLAIN } from './plain.ts';

/** All there are, in the order in which they are offered by default. */
const MECHANISMS: readonly SaslMechanism[] = [
  PLAIN,
  AMQPLAIN,
  EXTERNAL,
  RABBIT_CR_DEMO,
  SASL_ANONYMOUS,
];

export const MECHANISM_NAMES: readonly string[] = MECHANISMS.map(({ name }) => name);

export interface MechanismOptions {
  /** Names, in the order to offer them. */
  readonly enabled: readonly string[];
  readonly anonymousUser: string | null;
  readonly certificateName: 'distinguished-name' | 'common-name';
}

/** The ways to log in that a broker takes. */
export class SaslMechanisms {
  private readonly logins: Logins;
  private readonly options: MechanismOptions;
  private readonly enabled: readonly SaslMechanism[];

  constructor(logins: Logins, options: MechanismOptions) {
    this.logins = logins;
    this.options = options;
    this.enabled = options.enabled.flatMap((name) => MECHANISMS.filter((one) => one.name === name));
  }

  /** Names to offer to a peer. decode: given by protocols that can read AMQPLAIN's table. */
  offered(peer: Peer, decode: CredentialsDecoder | null = null): readonly string[] {
    const context = this.context(peer, decode);
    return this.enabled.filter((one) => one.isUsable(context)).map(({ name }) => name);
  }

  /** Begins an authentication; null when the mechanism is not offered to this peer. */
  start(name: string, peer: Peer, decode: CredentialsDecoder | null = null): SaslExchange | null {
    const context = this.context(peer, decode);
    const mechanism = this.enabled.find((one) => one.name === name && one.isUsable(context));
    return mechanism?.start(context) ?? null;
  }

  private context(peer: Peer, decodeCredentials: CredentialsDecoder | null): SaslContext {
    const { anonymousUser, certificateName } = this.options;
    return { logins: this.logins, peer, anonymousUser, certificateName, decodeCredentials };
  }
}
