import {
  ELECT_LEADERS,
  readElectLeadersRequest,
  writeElectLeadersResponse,
} from '../codec/generated/elect-leaders.ts';
import type { ElectLeadersResponsePartition } from '../codec/generated/elect-leaders.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { CLUSTER_NAME } from './authorized-operations.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

/** Every partition is led by its only replica: there is never anything to elect. */
export const electLeadersHandler: ApiHandler = {
  api: ELECT_LEADERS,
  minVersion: 0,
  maxVersion: 2,
  handle(context, reader, version): void {
    const request = readElectLeadersRequest(reader, version);
    const allowed = context.allows('alter', 'cluster', CLUSTER_NAME);
    // Asked about all partitions, only those that changed are told: none.
    const topics = allowed ? (request.topicPartitions ?? []) : [];
    context.respond(writeElectLeadersResponse, {
      throttleTimeMs: 0,
      errorCode: allowed ? KAFKA_ERROR.NONE : KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED,
      replicaElectionResults: topics.map((topic) => ({
        topic: topic.topic,
        partitionResult: topic.partitions.map((index) => elect(context, topic.topic, index)),
      })),
    });
  },
};

function elect(
  context: RequestContext,
  topicName: string,
  partitionId: number,
): ElectLeadersResponsePartition {
  const topic = context.broker.topics.byName(context.namespace, topicName);
  if (topic === null || partitionId < 0 || partitionId >= topic.partitionCount) {
    return {
      partitionId,
      errorCode: KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION,
      errorMessage: `No such partition as ${topicName}-${partitionId}`,
    };
  }
  return {
    partitionId,
    errorCode: KAFKA_ERROR.ELECTION_NOT_NEEDED,
    errorMessage: 'Leader election not needed for topic partition.',
  };
}
