import type { CommittedOffset, GroupError } from '../../../../core/group-types.ts';
import type { TopicView } from '../../../../core/types.ts';
import {
  OFFSET_FETCH,
  readOffsetFetchRequest,
  writeOffsetFetchResponse,
} from '../../codec/generated/offset-fetch.ts';
import type {
  OffsetFetchRequestGroup,
  OffsetFetchRequestGroupTopic,
  OffsetFetchResponseGroup,
  OffsetFetchResponseGroupPartition,
  OffsetFetchResponseGroupTopic,
} from '../../codec/generated/offset-fetch.ts';
import { ZERO_UUID } from '../../codec/records.ts';
import { groupErrorCode, KAFKA_ERROR } from '../../errors.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';

/** From here on the response has a place for the group's error. */
const GROUP_ERROR_VERSION = 2;
/** From here on several groups are asked for at once. */
const BATCH_VERSION = 8;
/** From here on topics are named by id. */
const TOPIC_ID_VERSION = 10;

/**
 * Reads committed offsets. What is still on its way to the disk is waited for, so require_stable (offsets of open
 * transactions) asks for nothing more as long as there are no transactions.
 */
export const offsetFetchHandler: ApiHandler = {
  api: OFFSET_FETCH,
  minVersion: 1,
  maxVersion: 10,
  handle(context, reader, version): void {
    const request = readOffsetFetchRequest(reader, version);
    const wanted = version >= BATCH_VERSION ? request.groups : [singleGroup(request)];
    const answers: (OffsetFetchResponseGroup | null)[] = wanted.map(() => null);
    let missing = wanted.length;
    if (missing === 0) respond(context, []);
    wanted.forEach((group, index) => {
      answerGroup(context, group, (answer) => {
        answers[index] = answer;
        missing--;
        if (missing > 0) return;
        respond(
          context,
          answers.filter((found) => found !== null),
        );
      });
    });
  },
};

/** The one group of older versions, as newer ones say it. */
function singleGroup(request: {
  readonly groupId: string;
  readonly topics: readonly { readonly name: string; readonly partitionIndexes: number[] }[] | null;
}): OffsetFetchRequestGroup {
  const topics = request.topics?.map(({ name, partitionIndexes }) => ({
    name,
    topicId: ZERO_UUID,
    partitionIndexes,
  }));
  return { groupId: request.groupId, memberId: null, memberEpoch: -1, topics: topics ?? null };
}

function answerGroup(
  context: RequestContext,
  group: OffsetFetchRequestGroup,
  done: (answer: OffsetFetchResponseGroup) => void,
): void {
  const { groups } = context.broker;
  const { groupId } = group;
  if (!context.allows('describe', 'group', groupId)) {
    done(failedGroup(context, group, KAFKA_ERROR.GROUP_AUTHORIZATION_FAILED));
    return;
  }
  const fenced = groups.checkMember(context.namespace, {
    groupId,
    memberId: group.memberId ?? '',
    instanceId: null,
    generation: group.memberEpoch,
  });
  if (fenced !== 'none') {
    done(failedGroup(context, group, groupErrorCode(fenced)));
    return;
  }
  groups.whenOffsetsDurable(context.namespace, groupId, (error: GroupError) => {
    if (error !== 'none') {
      done(failedGroup(context, group, groupErrorCode(error)));
      return;
    }
    const topics =
      group.topics === null
        ? allTopics(context, groupId)
        : group.topics.map((topic) => answerTopic(context, groupId, topic));
    done({ groupId, topics, errorCode: KAFKA_ERROR.NONE });
  });
}

/** Every offset of the group, without those of topics that the client may not see. */
function allTopics(context: RequestContext, groupId: string): OffsetFetchResponseGroupTopic[] {
  const topics = new Map<string, OffsetFetchResponseGroupTopic>();
  for (const committed of context.broker.groups.committedOffsets(context.namespace, groupId)) {
    const { topic: name, topicId } = committed;
    let topic = topics.get(name);
    if (topic === undefined) {
      if (!context.allows('describe', 'topic', name)) continue;
      topic = { name, topicId, partitions: [] };
      topics.set(name, topic);
    }
    topic.partitions.push(answerPartition(committed.partition, committed.committed));
  }
  return [...topics.values()];
}

function answerTopic(
  context: RequestContext,
  groupId: string,
  topic: OffsetFetchRequestGroupTopic,
): OffsetFetchResponseGroupTopic {
  const found = findTopic(context, topic);
  if (typeof found === 'number') return failedTopic(topic, found);
  return {
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitionIndexes.map((index) => {
      const { groups } = context.broker;
      const committed =
        found === null
          ? null
          : groups.committedOffset(context.namespace, groupId, found.name, index);
      return answerPartition(index, committed);
    }),
  };
}

/** The topic; null when there is none of that name, which is no error here; or why it cannot be told. */
function findTopic(
  context: RequestContext,
  { name, topicId }: OffsetFetchRequestGroupTopic,
): TopicView | null | number {
  const { topics } = context.broker;
  if (context.version >= TOPIC_ID_VERSION) {
    const topic = topics.byId(topicId);
    if (topic?.namespace !== context.namespace) return KAFKA_ERROR.UNKNOWN_TOPIC_ID;
    return context.allows('describe', 'topic', topic.name)
      ? topic
      : KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED;
  }
  if (!context.allows('describe', 'topic', name)) return KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED;
  return topics.byName(context.namespace, name);
}

function answerPartition(
  partitionIndex: number,
  committed: CommittedOffset | null,
): OffsetFetchResponseGroupPartition {
  return {
    partitionIndex,
    committedOffset: committed?.offset ?? -1,
    committedLeaderEpoch: committed?.leaderEpoch ?? -1,
    metadata: committed?.metadata ?? '',
    errorCode: KAFKA_ERROR.NONE,
  };
}

function failedTopic(
  { name, topicId, partitionIndexes }: OffsetFetchRequestGroupTopic,
  errorCode: number,
): OffsetFetchResponseGroupTopic {
  return {
    name,
    topicId,
    partitions: partitionIndexes.map((index) => ({ ...answerPartition(index, null), errorCode })),
  };
}

function failedGroup(
  context: RequestContext,
  { groupId, topics }: OffsetFetchRequestGroup,
  errorCode: number,
): OffsetFetchResponseGroup {
  if (context.version >= GROUP_ERROR_VERSION) return { groupId, topics: [], errorCode };
  // Version 1 can only say it partition by partition.
  return {
    groupId,
    topics: (topics ?? []).map((topic) => failedTopic(topic, errorCode)),
    errorCode,
  };
}

function respond(context: RequestContext, groups: OffsetFetchResponseGroup[]): void {
  const only = context.version >= BATCH_VERSION ? undefined : groups[0];
  context.respond(writeOffsetFetchResponse, {
    throttleTimeMs: 0,
    topics: only?.topics ?? [],
    errorCode: only?.errorCode ?? KAFKA_ERROR.NONE,
    groups,
  });
}
