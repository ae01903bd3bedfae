import type { Principal } from './principal.ts';

export type ResourceType =
  'topic' | 'group' | 'cluster' | 'transactional-id' | 'queue' | 'exchange';

export type Operation =
  | 'read'
  | 'write'
  /** Creating, changing and deleting, where a protocol has one word for them. */
  | 'configure'
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
  /** Of the default exchange: ''. */
  readonly name: string;
}

/** A message's way through an exchange: the topic it is published with, or that a binding asks for. */
export interface TopicAccessRequest {
  readonly principal: Principal;
  readonly namespace: string;
  readonly exchange: string;
  readonly operation: 'read' | 'write';
  readonly routingKey: string;
  /** What {name} in a rule stands for besides username and vhost: client_id. */
  readonly variables?: Readonly<Record<string, string>>;
}

/**
 * The one place every operation asks. Synchronous: rules are in memory. Answers may be kept until the revision of
 * Security changes.
 */
export interface Authorizer {
  allows(request: AccessRequest): boolean;
  /** Asked after allows(write exchange) or allows(read exchange), for exchanges that route by topics. */
  allowsTopic?(request: TopicAccessRequest): boolean;
  /** Nothing is ever refused to it: spares asking. */
  isUnrestricted?(principal: Principal): boolean;
}

/** Everybody may do everything: what a broker without configured security uses on loopback. */
export const allowAll: Authorizer = { allows: () => true };
