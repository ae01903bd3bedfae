/** Who is connected. */
export interface Principal {
  /** 'User' for people and services; 'Anonymous' until a connection authenticated. */
  readonly type: string;
  readonly name: string;
}

export const ANONYMOUS: Principal = { type: 'User', name: 'ANONYMOUS' };
