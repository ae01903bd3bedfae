import type { Arguments } from '../queue-types.ts';

/** What a policy is about. */
export type ApplyTo =
  'queues' | 'classic_queues' | 'quorum_queues' | 'streams' | 'exchanges' | 'all';

/** What a policy is applied to. */
export type PolicySubject = 'classic_queue' | 'quorum_queue' | 'stream' | 'exchange';

/** A policy gives settings to what matches; an operator policy bounds what policies and clients may set. */
export type PolicyKind = 'policy' | 'operator-policy';

export interface Policy {
  readonly namespace: string;
  readonly name: string;
  readonly pattern: string;
  readonly applyTo: ApplyTo;
  /** The matching one with the highest is in force. */
  readonly priority: number;
  readonly definition: Arguments;
}

/** The policies in force for one queue or exchange. */
export interface MatchedPolicies {
  readonly policy: Policy | null;
  readonly operatorPolicy: Policy | null;
}

/** What they come to. */
export interface EffectivePolicy {
  readonly policy: string | null;
  readonly operatorPolicy: string | null;
  /** Of both; where both set a number the smaller one, else the operator's. */
  readonly definition: Arguments;
}
