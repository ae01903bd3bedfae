import {
  OFFSET_FOR_LEADER_EPOCH,
  readOffsetForLeaderEpochRequest,
  writeOffsetForLeaderEpochResponse,
} from '../codec/generated/offset-for-leader-epoch.ts';
import type {
  OffsetForLeaderEpochRequestPartition,
  OffsetForLeaderEpochResponsePartition,
} from '../codec/generated/offset-for-leader-epoch.ts';
import { KAFKA_ERROR } from '../errors.ts';
import type { ApiHandler, RequestContext } from './handler.ts';
import { epochError } from './leader-epoch.ts';

/** Tells where a leader epoch ended: consumers ask after a change of leader whether their position still exists. */
export const offsetForLeaderEpochHandler: ApiHandler = {
  api: OFFSET_FOR_LEADER_EPOCH,
  minVersion: 0,
  maxVersion: 4,
  handle(context, reader, version): void {
    const request = readOffsetForLeaderEpochRequest(reader, version);
    context.respond(writeOffsetForLeaderEpochResponse, {
      throttleTimeMs: 0,
      topics: request.topics.map((topic) => ({
        topic: topic.topic,
        partitions: topic.partitions.map((asked) => findEnd(context, topic.topic, asked)),
      })),
    });
  },
};

function findEnd(
  context: RequestContext,
  topicName: string,
  asked: OffsetForLeaderEpochRequestPartition,
): OffsetForLeaderEpochResponsePartition {
  const answer = (errorCode: number, leaderEpoch = -1, endOffset = -1) => ({
    errorCode,
    partition: asked.partition,
    leaderEpoch,
    endOffset,
  });
  if (!context.allows('describe', 'topic', topicName)) {
    return answer(KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED);
  }
  const topic = context.broker.topics.byName(context.namespace, topicName);
  const partition = topic?.partition(asked.partition) ?? null;
  if (partition === null) return answer(KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
  const error = epochError(asked.currentLeaderEpoch, partition.leaderEpoch);
  if (error !== KAFKA_ERROR.NONE) return answer(error);
  const end = partition.endOffsetForEpoch(asked.leaderEpoch);
  return end === null
    ? answer(KAFKA_ERROR.NONE)
    : answer(KAFKA_ERROR.NONE, end.epoch, end.endOffset);
}
