import type { TopicView } from '../../../core/types.ts';
import {
  DELETE_TOPICS,
  readDeleteTopicsRequest,
  writeDeleteTopicsResponse,
} from '../codec/generated/delete-topics.ts';
import type {
  DeleteTopicsRequest,
  DeleteTopicsRequestTopic,
  DeleteTopicsResponse,
  DeleteTopicsResponseTopic,
} from '../codec/generated/delete-topics.ts';
import { isZeroUuid, ZERO_UUID } from '../codec/records.ts';
import { KAFKA_ERROR, topicErrorCode } from '../errors.ts';
import { answerLater } from './answer-later.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

/** Deletes topics, named or (since version 6) by id. */
export const deleteTopicsHandler: ApiHandler = {
  api: DELETE_TOPICS,
  minVersion: 0,
  maxVersion: 6,
  handle(context, reader, version): void {
    const request = readDeleteTopicsRequest(reader, version);
    answerLater(context, writeDeleteTopicsResponse, deleteTopics(context, request));
  },
};

async function deleteTopics(
  context: RequestContext,
  request: DeleteTopicsRequest,
): Promise<DeleteTopicsResponse> {
  const wanted: DeleteTopicsRequestTopic[] =
    request.topics.length > 0
      ? request.topics
      : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
  const responses = await Promise.all(wanted.map((topic) => deleteTopic(context, topic)));
  return { throttleTimeMs: 0, responses };
}

async function deleteTopic(
  context: RequestContext,
  wanted: DeleteTopicsRequestTopic,
): Promise<DeleteTopicsResponseTopic> {
  const answer = (
    errorCode: number,
    errorMessage: string | null,
    topic: TopicView | null,
  ): DeleteTopicsResponseTopic => ({
    name: topic?.name ?? wanted.name,
    topicId: topic?.id ?? wanted.topicId,
    errorCode,
    errorMessage,
  });
  const byId = !isZeroUuid(wanted.topicId);
  if (byId && wanted.name !== null) {
    return answer(KAFKA_ERROR.INVALID_REQUEST, 'Name the topic or give its id, not both.', null);
  }
  const registry = context.broker.topics;
  const found = byId
    ? registry.byId(wanted.topicId)
    : registry.byName(context.namespace, wanted.name ?? '');
  const topic = found !== null && found.namespace === context.namespace ? found : null;
  if (topic === null) {
    return byId
      ? answer(KAFKA_ERROR.UNKNOWN_TOPIC_ID, 'This server does not host this topic ID.', null)
      : answer(
          KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION,
          'This server does not host this topic-partition.',
          null,
        );
  }
  if (!context.allows('delete', 'topic', topic.name)) {
    return answer(KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED, 'Topic authorization failed.', topic);
  }
  const outcome = await registry.delete(context.namespace, topic.name);
  if (outcome.status === 'ok') return answer(KAFKA_ERROR.NONE, null, topic);
  const message = 'message' in outcome ? outcome.message : null;
  return answer(topicErrorCode(outcome.status), message, topic);
}
