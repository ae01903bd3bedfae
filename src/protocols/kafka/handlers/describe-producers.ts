import {
  DESCRIBE_PRODUCERS,
  readDescribeProducersRequest,
  writeDescribeProducersResponse,
} from '../codec/generated/describe-producers.ts';
import type { DescribeProducersResponsePartition } from '../codec/generated/describe-producers.ts';
import { KAFKA_ERROR } from '../errors.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

/** Lists the idempotent producers that a partition remembers. */
export const describeProducersHandler: ApiHandler = {
  api: DESCRIBE_PRODUCERS,
  minVersion: 0,
  maxVersion: 0,
  handle(context, reader, version): void {
    const request = readDescribeProducersRequest(reader, version);
    context.respond(writeDescribeProducersResponse, {
      throttleTimeMs: 0,
      topics: request.topics.map((topic) => ({
        name: topic.name,
        partitions: topic.partitionIndexes.map((index) => describe(context, topic.name, index)),
      })),
    });
  },
};

function describe(
  context: RequestContext,
  topicName: string,
  partitionIndex: number,
): DescribeProducersResponsePartition {
  const failed = (errorCode: number) => ({
    partitionIndex,
    errorCode,
    errorMessage: null,
    activeProducers: [],
  });
  if (!context.allows('read', 'topic', topicName)) {
    return failed(KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED);
  }
  const topic = context.broker.topics.byName(context.namespace, topicName);
  const partition = topic?.partition(partitionIndex) ?? null;
  if (partition === null) return failed(KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
  return {
    partitionIndex,
    errorCode: KAFKA_ERROR.NONE,
    errorMessage: null,
    activeProducers: partition.producers().map((producer) => ({
      producerId: producer.producerId,
      producerEpoch: producer.epoch,
      lastSequence: producer.lastSequence,
      lastTimestamp: producer.lastTimestamp,
      coordinatorEpoch: -1,
      currentTxnStartOffset: -1,
    })),
  };
}
