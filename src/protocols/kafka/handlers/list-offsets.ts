import type { PartitionView } from '../../../core/types.ts';
import {
  LIST_OFFSETS,
  readListOffsetsRequest,
  writeListOffsetsResponse,
} from '../codec/generated/list-offsets.ts';
import type {
  ListOffsetsRequest,
  ListOffsetsRequestPartition,
  ListOffsetsResponse,
  ListOffsetsResponsePartition,
} from '../codec/generated/list-offsets.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { answerLater } from './answer-later.ts';
import type { ApiHandler, RequestContext } from './handler.ts';
import { epochError } from './leader-epoch.ts';

/** Timestamps that are questions (source: ListOffsetsRequest). */
const ASK = {
  latest: -1,
  earliest: -2,
  maxTimestamp: -3,
  earliestLocal: -4,
  latestTiered: -5,
  earliestPendingUpload: -6,
} as const;

/** Finds offsets by time, exact inside their batch, and the ends of partitions. */
export const listOffsetsHandler: ApiHandler = {
  api: LIST_OFFSETS,
  minVersion: 1,
  maxVersion: 11,
  handle(context, reader, version): void {
    const request = readListOffsetsRequest(reader, version);
    answerLater(context, writeListOffsetsResponse, listOffsets(context, request));
  },
};

async function listOffsets(
  context: RequestContext,
  request: ListOffsetsRequest,
): Promise<ListOffsetsResponse> {
  const committed = request.isolationLevel === 1;
  const topics = request.topics.map(async (topic) => ({
    name: topic.name,
    partitions: await Promise.all(
      topic.partitions.map((asked) => findOffset(context, topic.name, asked, committed)),
    ),
  }));
  return { throttleTimeMs: 0, topics: await Promise.all(topics) };
}

async function findOffset(
  context: RequestContext,
  topicName: string,
  asked: ListOffsetsRequestPartition,
  committed: boolean,
): Promise<ListOffsetsResponsePartition> {
  const index = asked.partitionIndex;
  if (!context.allows('describe', 'topic', topicName)) {
    return failed(index, KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED);
  }
  const topic = context.broker.topics.byName(context.namespace, topicName);
  const partition = topic?.partition(index) ?? null;
  if (partition === null) return failed(index, KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
  const error = epochError(asked.currentLeaderEpoch, partition.leaderEpoch);
  if (error !== KAFKA_ERROR.NONE) return failed(index, error);
  return answerQuestion(partition, asked.timestamp, committed);
}

async function answerQuestion(
  partition: PartitionView,
  timestamp: number,
  committed: boolean,
): Promise<ListOffsetsResponsePartition> {
  switch (timestamp) {
    case ASK.latest: {
      const end = committed ? partition.lastStableOffset : partition.highWatermark;
      return found(partition, { offset: end, timestamp: -1 });
    }
    case ASK.earliest:
    case ASK.earliestLocal:
      return found(partition, { offset: partition.logStart, timestamp: -1 });
    case ASK.maxTimestamp:
      return found(partition, await partition.maxTimestampOffset());
    case ASK.latestTiered:
    case ASK.earliestPendingUpload:
      return found(partition, null); // nothing is ever tiered
    default:
      if (timestamp < 0) return failed(partition.index, KAFKA_ERROR.UNSUPPORTED_VERSION);
      return found(partition, await partition.offsetForTimestamp(timestamp));
  }
}

function found(
  partition: PartitionView,
  place: { readonly offset: number; readonly timestamp: number } | null,
): ListOffsetsResponsePartition {
  return {
    partitionIndex: partition.index,
    errorCode: KAFKA_ERROR.NONE,
    timestamp: place?.timestamp ?? -1,
    offset: place?.offset ?? -1,
    leaderEpoch: place === null ? -1 : partition.leaderEpoch,
  };
}

function failed(partitionIndex: number, errorCode: number): ListOffsetsResponsePartition {
  return { partitionIndex, errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 };
}
