import {
  DELETE_RECORDS,
  readDeleteRecordsRequest,
  writeDeleteRecordsResponse,
} from '../codec/generated/delete-records.ts';
import type {
  DeleteRecordsRequest,
  DeleteRecordsRequestPartition,
  DeleteRecordsResponse,
  DeleteRecordsResponsePartition,
} from '../codec/generated/delete-records.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { answerLater } from './answer-later.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

/** Drops the records before an offset; -1 means all there are. */
export const deleteRecordsHandler: ApiHandler = {
  api: DELETE_RECORDS,
  minVersion: 0,
  maxVersion: 2,
  handle(context, reader, version): void {
    const request = readDeleteRecordsRequest(reader, version);
    answerLater(context, writeDeleteRecordsResponse, deleteRecords(context, request));
  },
};

async function deleteRecords(
  context: RequestContext,
  request: DeleteRecordsRequest,
): Promise<DeleteRecordsResponse> {
  const topics = request.topics.map(async (topic) => ({
    name: topic.name,
    partitions: await Promise.all(
      topic.partitions.map((asked) => deleteBefore(context, topic.name, asked)),
    ),
  }));
  return { throttleTimeMs: 0, topics: await Promise.all(topics) };
}

async function deleteBefore(
  context: RequestContext,
  topicName: string,
  asked: DeleteRecordsRequestPartition,
): Promise<DeleteRecordsResponsePartition> {
  const answer = (errorCode: number, lowWatermark = -1) => ({
    partitionIndex: asked.partitionIndex,
    lowWatermark,
    errorCode,
  });
  if (!context.allows('delete', 'topic', topicName)) {
    return answer(KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED);
  }
  const topic = context.broker.topics.byName(context.namespace, topicName);
  const partition = topic?.partition(asked.partitionIndex) ?? null;
  if (partition === null) return answer(KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
  if (asked.offset < -1) return answer(KAFKA_ERROR.OFFSET_OUT_OF_RANGE);
  const start = await partition.deleteRecordsBefore(asked.offset);
  return start === 'out-of-range'
    ? answer(KAFKA_ERROR.OFFSET_OUT_OF_RANGE)
    : answer(KAFKA_ERROR.NONE, start);
}
