import type { Principal } from './principal.ts';

export type ResourceType = 'topic' | 'group' | 'cluster' | 'transactional-id' | 'queue';

export type Operation =
  | 'read'
  | 'write'
  | 'create'
  | 'delete'
  | 'alter'
  | 'describe'
  | 'alter-configs'
  | 'describe-configs'
  | 'cluster-action'
  | 'idempotent-write';

export interface AccessRequest {
  readonly principal: Principal;
  /** Address of the peer, as text. */
  readonly host: string;
  readonly operation: Operation;
  readonly resource: ResourceType;
  readonly namespace: string;
  readonly name: string;
}

/** The one place every operation asks. Synchronous: rules are in memory. */
export interface Authorizer {
  allows(request: AccessRequest): boolean;
}

/** Everybody may do everything: what a broker without configured security uses on loopback. */
export const allowAll: Authorizer = { allows: () => true };
