/** Who is connected. */
export interface Principal {
  /** 'User' for people and services; 'Anonymous' until a connection authenticated. */
  readonly type: string;
  readonly name: string;
}

/** Whoever did not authenticate. Compared by identity: no login can become it, whatever its name. */
export const ANONYMOUS: Principal = { type: 'User', name: 'ANONYMOUS' };

/** The principal of a user that authenticated. */
export function userPrincipal(name: string): Principal {
  return { type: 'User', name };
}
