import type { Operation } from '../../../security/authorizer.ts';
import type { RequestContext } from './handler.ts';

/** Told when the client did not ask for its rights. */
export const OPERATIONS_NOT_ASKED = -2_147_483_648;

/** Operations with their bit (source: org.apache.kafka.common.acl.AclOperation codes). */
const TOPIC_OPERATIONS: readonly (readonly [Operation, number])[] = [
  ['read', 3],
  ['write', 4],
  ['create', 5],
  ['delete', 6],
  ['alter', 7],
  ['describe', 8],
  ['describe-configs', 10],
  ['alter-configs', 11],
];
const CLUSTER_OPERATIONS: readonly (readonly [Operation, number])[] = [
  ['create', 5],
  ['alter', 7],
  ['describe', 8],
  ['cluster-action', 9],
  ['describe-configs', 10],
  ['alter-configs', 11],
  ['idempotent-write', 12],
];

/** The name of the one cluster resource. */
export const CLUSTER_NAME = 'kafka-cluster';

export function authorizedTopicOperations(context: RequestContext, topic: string): number {
  let bits = 0;
  for (const [operation, bit] of TOPIC_OPERATIONS) {
    if (context.allows(operation, 'topic', topic)) bits |= 1 << bit;
  }
  return bits;
}

export function authorizedClusterOperations(context: RequestContext): number {
  let bits = 0;
  for (const [operation, bit] of CLUSTER_OPERATIONS) {
    if (context.allows(operation, 'cluster', CLUSTER_NAME)) bits |= 1 << bit;
  }
  return bits;
}
