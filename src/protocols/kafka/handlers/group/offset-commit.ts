import type { GroupError, OffsetToCommit } from '../../../../core/group-types.ts';
import type { TopicView } from '../../../../core/types.ts';
import {
  OFFSET_COMMIT,
  readOffsetCommitRequest,
  writeOffsetCommitResponse,
} from '../../codec/generated/offset-commit.ts';
import type {
  OffsetCommitRequest,
  OffsetCommitRequestTopic,
  OffsetCommitResponsePartition,
  OffsetCommitResponseTopic,
} from '../../codec/generated/offset-commit.ts';
import { groupErrorCode, KAFKA_ERROR } from '../../errors.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';

/** From here on a group that does not exist has an error of its own; older clients know illegal generation. */
const GROUP_NOT_FOUND_VERSION = 9;
/** From here on topics are named by id. */
const TOPIC_ID_VERSION = 10;

/** Where the answers of accepted offsets go: index i belongs to offset i. */
interface Accepted {
  readonly offsets: OffsetToCommit[];
  readonly answers: OffsetCommitResponsePartition[];
}

/** Stores offsets for a group, answered when they are durable. */
export const offsetCommitHandler: ApiHandler = {
  api: OFFSET_COMMIT,
  minVersion: 2,
  maxVersion: 10,
  handle(context, reader, version): void {
    const request = readOffsetCommitRequest(reader, version);
    if (!context.allows('read', 'group', request.groupId)) {
      respond(
        context,
        request.topics.map((topic) => failed(topic, KAFKA_ERROR.GROUP_AUTHORIZATION_FAILED)),
      );
      return;
    }
    const accepted: Accepted = { offsets: [], answers: [] };
    const topics = request.topics.map((topic) => answerTopic(context, request, topic, accepted));
    if (accepted.offsets.length === 0) {
      respond(context, topics);
      return;
    }
    const member = {
      groupId: request.groupId,
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      generation: request.generationIdOrMemberEpoch,
      connectionId: context.connectionId,
    };
    const { groups } = context.broker;
    groups.commitOffsets(context.namespace, member, accepted.offsets, (error, perOffset) => {
      accepted.answers.forEach((answer, index) => {
        answer.errorCode = commitErrorCode(perOffset[index] ?? error, version);
      });
      respond(context, topics);
    });
  },
};

/** The answer for a topic: complete when it is refused, else to be completed by the commit's outcome. */
function answerTopic(
  context: RequestContext,
  request: OffsetCommitRequest,
  topic: OffsetCommitRequestTopic,
  accepted: Accepted,
): OffsetCommitResponseTopic {
  const found = findTopic(context, topic);
  if (typeof found === 'number') return failed(topic, found);
  const partitions = topic.partitions.map((partition) => {
    const { partitionIndex } = partition;
    const answer: OffsetCommitResponsePartition = { partitionIndex, errorCode: KAFKA_ERROR.NONE };
    if (partitionIndex < 0 || partitionIndex >= found.partitionCount) {
      answer.errorCode = KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION;
      return answer;
    }
    accepted.answers.push(answer);
    accepted.offsets.push({
      topicId: found.id,
      topic: found.name,
      partition: partitionIndex,
      offset: partition.committedOffset,
      leaderEpoch: partition.committedLeaderEpoch,
      metadata: partition.committedMetadata ?? '',
      retentionMs: request.retentionTimeMs < 0 ? null : request.retentionTimeMs,
    });
    return answer;
  });
  return { name: topic.name, topicId: topic.topicId, partitions };
}

/** The topic, or why it cannot be committed for. */
function findTopic(
  context: RequestContext,
  { name, topicId }: OffsetCommitRequestTopic,
): TopicView | number {
  const { topics } = context.broker;
  if (context.version >= TOPIC_ID_VERSION) {
    const topic = topics.byId(topicId);
    if (topic?.namespace !== context.namespace) return KAFKA_ERROR.UNKNOWN_TOPIC_ID;
    return context.allows('read', 'topic', topic.name)
      ? topic
      : KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED;
  }
  if (!context.allows('read', 'topic', name)) return KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED;
  return topics.byName(context.namespace, name) ?? KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION;
}

function commitErrorCode(error: GroupError, version: number): number {
  if (error === 'group-not-found' && version < GROUP_NOT_FOUND_VERSION) {
    return KAFKA_ERROR.ILLEGAL_GENERATION;
  }
  return groupErrorCode(error);
}

function failed(
  { name, topicId, partitions }: OffsetCommitRequestTopic,
  errorCode: number,
): OffsetCommitResponseTopic {
  return {
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  };
}

function respond(context: RequestContext, topics: OffsetCommitResponseTopic[]): void {
  context.respond(writeOffsetCommitResponse, { throttleTimeMs: 0, topics });
}
