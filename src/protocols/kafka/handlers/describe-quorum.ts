import {
  DESCRIBE_QUORUM,
  readDescribeQuorumRequest,
  writeDescribeQuorumResponse,
} from '../codec/generated/describe-quorum.ts';
import type { DescribeQuorumResponsePartition } from '../codec/generated/describe-quorum.ts';
import { ZERO_UUID } from '../codec/records.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { CLUSTER_NAME } from './authorized-operations.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

/** The one partition that Kafka's tools ask about: its metadata log. */
const METADATA_TOPIC = '__cluster_metadata';

/** Describes who decides: this broker alone, whose metadata revision stands for the log's end. */
export const describeQuorumHandler: ApiHandler = {
  api: DESCRIBE_QUORUM,
  minVersion: 0,
  maxVersion: 2,
  handle(context, reader, version): void {
    const request = readDescribeQuorumRequest(reader, version);
    const allowed = context.allows('describe', 'cluster', CLUSTER_NAME);
    const address = context.advertisedAddress();
    context.respond(writeDescribeQuorumResponse, {
      errorCode: allowed ? KAFKA_ERROR.NONE : KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED,
      errorMessage: null,
      topics: (allowed ? request.topics : []).map((topic) => ({
        topicName: topic.topicName,
        partitions: topic.partitions.map((partition) =>
          describe(context, topic.topicName, partition.partitionIndex),
        ),
      })),
      nodes: [
        {
          nodeId: context.broker.nodeId,
          listeners: [{ name: 'CONTROLLER', host: address.host, port: address.port }],
        },
      ],
    });
  },
};

function describe(
  context: RequestContext,
  topicName: string,
  partitionIndex: number,
): DescribeQuorumResponsePartition {
  const known = topicName === METADATA_TOPIC && partitionIndex === 0;
  const revision = context.broker.engine.meta.revision;
  const now = context.broker.clock.wallMs();
  return {
    partitionIndex,
    errorCode: known ? KAFKA_ERROR.NONE : KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION,
    errorMessage: null,
    leaderId: known ? context.broker.nodeId : -1,
    leaderEpoch: known ? 1 : -1,
    highWatermark: known ? revision : -1,
    currentVoters: known
      ? [
          {
            replicaId: context.broker.nodeId,
            replicaDirectoryId: ZERO_UUID,
            logEndOffset: revision,
            lastFetchTimestamp: now,
            lastCaughtUpTimestamp: now,
          },
        ]
      : [],
    observers: [],
  };
}
