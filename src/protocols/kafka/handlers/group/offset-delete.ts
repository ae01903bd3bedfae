import {
  OFFSET_DELETE,
  readOffsetDeleteRequest,
  writeOffsetDeleteResponse,
} from '../../codec/generated/offset-delete.ts';
import type {
  OffsetDeleteRequestTopic,
  OffsetDeleteResponse,
  OffsetDeleteResponsePartition,
  OffsetDeleteResponseTopic,
} from '../../codec/generated/offset-delete.ts';
import { groupErrorCode, KAFKA_ERROR } from '../../errors.ts';
import { answerLater } from '../answer-later.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';

/** Where the answers of accepted partitions go: index i belongs to partition i. */
interface Accepted {
  readonly partitions: { readonly topic: string; readonly partition: number }[];
  readonly answers: OffsetDeleteResponsePartition[];
}

/** Deletes offsets of topics that no member of the group subscribes to, answered when that is durable. */
export const offsetDeleteHandler: ApiHandler = {
  api: OFFSET_DELETE,
  minVersion: 0,
  maxVersion: 0,
  handle(context, reader, version): void {
    const request = readOffsetDeleteRequest(reader, version);
    if (!context.allows('delete', 'group', request.groupId)) {
      context.respond(writeOffsetDeleteResponse, {
        errorCode: KAFKA_ERROR.GROUP_AUTHORIZATION_FAILED,
        throttleTimeMs: 0,
        topics: [],
      });
      return;
    }
    const accepted: Accepted = { partitions: [], answers: [] };
    const topics = request.topics.map((topic) => answerTopic(context, topic, accepted));
    answerLater(
      context,
      writeOffsetDeleteResponse,
      deleteAccepted(context, request.groupId, accepted, topics),
    );
  },
};

async function deleteAccepted(
  context: RequestContext,
  groupId: string,
  accepted: Accepted,
  topics: OffsetDeleteResponseTopic[],
): Promise<OffsetDeleteResponse> {
  const { error, perPartition } = await context.broker.groups.deleteOffsets(
    context.namespace,
    groupId,
    accepted.partitions,
  );
  if (error !== 'none') return { errorCode: groupErrorCode(error), throttleTimeMs: 0, topics: [] };
  accepted.answers.forEach((answer, index) => {
    answer.errorCode = groupErrorCode(perPartition[index] ?? 'none');
  });
  return { errorCode: KAFKA_ERROR.NONE, throttleTimeMs: 0, topics };
}

function answerTopic(
  context: RequestContext,
  { name, partitions }: OffsetDeleteRequestTopic,
  accepted: Accepted,
): OffsetDeleteResponseTopic {
  const allowed = context.allows('read', 'topic', name);
  const topic = allowed ? context.broker.topics.byName(context.namespace, name) : null;
  const refusal = allowed
    ? KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION
    : KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED;
  return {
    name,
    partitions: partitions.map(({ partitionIndex }) => {
      const answer: OffsetDeleteResponsePartition = { partitionIndex, errorCode: refusal };
      const exists = topic !== null && partitionIndex >= 0 && partitionIndex < topic.partitionCount;
      if (!exists) return answer;
      answer.errorCode = KAFKA_ERROR.NONE;
      accepted.partitions.push({ topic: name, partition: partitionIndex });
      accepted.answers.push(answer);
      return answer;
    }),
  };
}
