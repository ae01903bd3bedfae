import type { LoginOutcome, Logins, Peer } from '../logins.ts';
import type { Principal } from '../principal.ts';

/** What the server does after a client's response. */
export type SaslStep =
  | { readonly kind: 'challenge'; readonly bytes: Buffer }
  | { readonly kind: 'success'; readonly principal: Principal }
  | {
      readonly kind: 'refused';
      /** For the log. */
      readonly reason: string;
      readonly user: string;
      readonly delayMs: number;
    }
  /** The response is not what the mechanism says. */
  | { readonly kind: 'malformed'; readonly message: string };

/** One authentication under way. Not used any more after it succeeded, was refused or was malformed. */
export interface SaslExchange {
  /** Takes the client's response, first the initial one. The bytes are not kept. */
  respond(response: Buffer): SaslStep;
}

/** What a mechanism works with. */
export interface SaslContext {
  readonly logins: Logins;
  readonly peer: Peer;
  /** User that those who do not say who they are become; null: nobody. */
  readonly anonymousUser: string | null;
  /** What of a client certificate is the user's name. */
  readonly certificateName: 'distinguished-name' | 'common-name';
  /** Reads credentials that a protocol writes in a format of its own. */
  readonly decodeCredentials: CredentialsDecoder | null;
}

export type CredentialsDecoder = (
  bytes: Buffer,
) => { readonly user: string; readonly password: string | Buffer } | null;

export interface SaslMechanism {
  readonly name: string;
  /** Whether it makes sense to offer it here. */
  isUsable(context: SaslContext): boolean;
  start(context: SaslContext): SaslExchange;
}

export function malformed(message: string): SaslStep {
  return { kind: 'malformed', message };
}

export function stepOf(outcome: LoginOutcome): SaslStep {
  if (outcome.status === 'ok') return { kind: 'success', principal: outcome.principal };
  const { reason, user, delayMs } = outcome;
  return { kind: 'refused', reason, user, delayMs };
}

/** Text of bytes that must be UTF-8, or null. */
export function utf8Text(bytes: Buffer): string | null {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : null;
}
