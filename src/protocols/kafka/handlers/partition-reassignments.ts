import {
  ALTER_PARTITION_REASSIGNMENTS,
  readAlterPartitionReassignmentsRequest,
  writeAlterPartitionReassignmentsResponse,
} from '../codec/generated/alter-partition-reassignments.ts';
import type {
  AlterPartitionReassignmentsRequestPartition,
  AlterPartitionReassignmentsResponsePartition,
} from '../codec/generated/alter-partition-reassignments.ts';
import {
  LIST_PARTITION_REASSIGNMENTS,
  readListPartitionReassignmentsRequest,
  writeListPartitionReassignmentsResponse,
} from '../codec/generated/list-partition-reassignments.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { CLUSTER_NAME } from './authorized-operations.ts';
import type { ApiHandler, RequestContext } from './handler.ts';
import { findReplicasDefect } from './replica-assignment.ts';

/** Moving a partition to where it is succeeds; everywhere else there is no broker to move it to. */
export const alterPartitionReassignmentsHandler: ApiHandler = {
  api: ALTER_PARTITION_REASSIGNMENTS,
  minVersion: 0,
  maxVersion: 1,
  handle(context, reader, version): void {
    const request = readAlterPartitionReassignmentsRequest(reader, version);
    const allowed = context.allows('alter', 'cluster', CLUSTER_NAME);
    context.respond(writeAlterPartitionReassignmentsResponse, {
      throttleTimeMs: 0,
      allowReplicationFactorChange: request.allowReplicationFactorChange,
      errorCode: allowed ? KAFKA_ERROR.NONE : KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED,
      errorMessage: null,
      responses: (allowed ? request.topics : []).map((topic) => ({
        name: topic.name,
        partitions: topic.partitions.map((asked) => reassign(context, topic.name, asked)),
      })),
    });
  },
};

function reassign(
  context: RequestContext,
  topicName: string,
  asked: AlterPartitionReassignmentsRequestPartition,
): AlterPartitionReassignmentsResponsePartition {
  const answer = (errorCode: number, errorMessage: string | null = null) => ({
    partitionIndex: asked.partitionIndex,
    errorCode,
    errorMessage,
  });
  const topic = context.broker.topics.byName(context.namespace, topicName);
  if (topic === null || topic.partition(asked.partitionIndex) === null) {
    return answer(
      KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION,
      'This server does not host this topic-partition.',
    );
  }
  if (asked.replicas === null) {
    return answer(
      KAFKA_ERROR.NO_REASSIGNMENT_IN_PROGRESS,
      'No partition reassignment is in progress.',
    );
  }
  const defect = findReplicasDefect(asked.replicas, context.broker.nodeId);
  return defect === null
    ? answer(KAFKA_ERROR.NONE)
    : answer(KAFKA_ERROR.INVALID_REPLICA_ASSIGNMENT, defect);
}

/** Nothing is ever under way. */
export const listPartitionReassignmentsHandler: ApiHandler = {
  api: LIST_PARTITION_REASSIGNMENTS,
  minVersion: 0,
  maxVersion: 0,
  handle(context, reader, version): void {
    readListPartitionReassignmentsRequest(reader, version);
    const allowed = context.allows('describe', 'cluster', CLUSTER_NAME);
    context.respond(writeListPartitionReassignmentsResponse, {
      throttleTimeMs: 0,
      errorCode: allowed ? KAFKA_ERROR.NONE : KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED,
      errorMessage: null,
      topics: [],
    });
  },
};
