import type { Call } from './call.ts';
import type { Reply } from './reply.ts';
import type { Role } from './access.ts';

export type Handler = (call: Call) => Reply | Promise<Reply>;
export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** One resource: its path below /api, what a user must be, and what can be done with it. */
export interface Route {
  /** Parts in colons are parameters; :vhost is checked to be there, and to be the user's. */
  readonly path: string;
  /** For all methods, or for each; default: management. */
  readonly role?: Role | Partial<Readonly<Record<Method, Role>>>;
  /** The virtual host is the subject itself: whoever has the role may. */
  readonly freeVhost?: true;
  readonly GET?: Handler;
  readonly PUT?: Handler;
  readonly POST?: Handler;
  readonly DELETE?: Handler;
}
