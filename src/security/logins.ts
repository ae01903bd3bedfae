import type { Clock } from '../base/clock.ts';
import { LoginAttempts } from './login-attempts.ts';
import { LoginGuard } from './login-guard.ts';
import { isLoopbackAddress } from './loopback.ts';
import { hashPassword, verifyPassword } from './password.ts';
import { userPrincipal, type Principal } from './principal.ts';
import type { UserStore } from './user-store.ts';

/** Where a login comes from. */
export interface Peer {
  /** Counted by it: amqp, http, ... */
  readonly protocol: string;
  /** Address, without port. */
  readonly address: string;
  /** From a client certificate that the listener trusted. */
  readonly certificate?: PeerCertificate | null;
}

export interface PeerCertificate {
  readonly commonName: string;
  /** As RFC 4514 writes it: CN=client,O=Example. */
  readonly distinguishedName: string;
}

export type LoginOutcome =
  | { readonly status: 'ok'; readonly principal: Principal }
  | {
      readonly status: 'refused';
      /** For the log, not for the client: it tells whether the user exists. */
      readonly reason: string;
      readonly user: string;
      /** Hold the answer back for so long. */
      readonly delayMs: number;
    };

/** Checked in place of a user that is not there, so that the answer takes as long. */
const NOBODY = hashPassword('nobody', Buffer.alloc(4));

/** Lets users in, or not. */
export class Logins {
  readonly attempts = new LoginAttempts();
  /** Users who may come from this machine only. */
  loopbackUsers: ReadonlySet<string>;
  private readonly users: UserStore;
  private readonly guard: LoginGuard;

  constructor(options: {
    readonly users: UserStore;
    readonly clock: Clock;
    /** Users who may come from this machine only. */
    readonly loopbackUsers: readonly string[];
  }) {
    this.users = options.users;
    this.guard = new LoginGuard(options.clock);
    this.loopbackUsers = new Set(options.loopbackUsers);
  }

  /** A user and a password. */
  checkPassword(name: string, password: string | Buffer, peer: Peer): LoginOutcome {
    const isLocal = isLoopbackAddress(peer.address);
    if (!isLocal && this.guard.isBarred(peer.address)) {
      return this.refuse(name, peer, 'too many failed logins from this address');
    }
    const stored = this.users.get(name)?.password ?? null;
    const matches = verifyPassword(stored ?? NOBODY, password);
    if (stored === null || !matches || password.length === 0) {
      return this.refuse(name, peer, 'invalid credentials');
    }
    return this.admit(name, peer);
  }

  /** A user whose identity something else has proved: a certificate, or a setting. */
  checkIdentity(name: string, peer: Peer): LoginOutcome {
    if (this.users.get(name) === null) return this.refuse(name, peer, 'there is no such user');
    return this.admit(name, peer);
  }

  /** Until the next start. */
  setLoopbackUsers(names: readonly string[]): void {
    this.loopbackUsers = new Set(names);
  }

  isLoopbackOnly(name: string): boolean {
    return this.loopbackUsers.has(name);
  }

  private admit(name: string, peer: Peer): LoginOutcome {
    if (this.loopbackUsers.has(name) && !isLoopbackAddress(peer.address)) {
      return this.refuse(name, peer, `user '${name}' can only connect via localhost`);
    }
    this.attempts.count({ ...peer, user: name, succeeded: true });
    return { status: 'ok', principal: userPrincipal(name) };
  }

  private refuse(name: string, peer: Peer, reason: string): LoginOutcome {
    this.attempts.count({ ...peer, user: name, succeeded: false });
    return { status: 'refused', reason, user: name, delayMs: this.guard.failed(peer.address) };
  }
}
