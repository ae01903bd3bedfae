import type { TopicView } from '../../../core/types.ts';
import {
  DESCRIBE_TOPIC_PARTITIONS,
  readDescribeTopicPartitionsRequest,
  writeDescribeTopicPartitionsResponse,
} from '../codec/generated/describe-topic-partitions.ts';
import type {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
  DescribeTopicPartitionsResponsePartition,
  DescribeTopicPartitionsResponseTopic,
} from '../codec/generated/describe-topic-partitions.ts';
import { ZERO_UUID } from '../codec/records.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { authorizedTopicOperations, OPERATIONS_NOT_ASKED } from './authorized-operations.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

/** Describes topics page by page, in name order; the cursor says where the next page begins. */
export const describeTopicPartitionsHandler: ApiHandler = {
  api: DESCRIBE_TOPIC_PARTITIONS,
  minVersion: 0,
  maxVersion: 0,
  handle(context, reader, version): void {
    const request = readDescribeTopicPartitionsRequest(reader, version);
    context.respond(writeDescribeTopicPartitionsResponse, describePage(context, request));
  },
};

function describePage(
  context: RequestContext,
  request: DescribeTopicPartitionsRequest,
): DescribeTopicPartitionsResponse {
  const limit = Math.max(
    1,
    Math.min(request.responsePartitionLimit, context.config.maxDescribedPartitions),
  );
  const all = request.topics.length === 0;
  const names = all
    ? context.broker.topics.list(context.namespace).map((topic) => topic.name)
    : [...new Set(request.topics.map((topic) => topic.name))].sort();
  const cursor = request.cursor;
  const page: DescribeTopicPartitionsResponse = { throttleTimeMs: 0, topics: [], nextCursor: null };
  let left = limit;
  for (const name of names) {
    if (cursor !== null && name < cursor.topicName) continue;
    const first = cursor !== null && name === cursor.topicName ? cursor.partitionIndex : 0;
    const allowed = context.allows('describe', 'topic', name);
    if (all && !allowed) continue;
    if (left === 0) {
      page.nextCursor = { topicName: name, partitionIndex: first };
      break;
    }
    const topic = allowed ? context.broker.topics.byName(context.namespace, name) : null;
    if (topic === null) {
      page.topics.push(
        missingTopic(
          name,
          allowed ? KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION : KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED,
        ),
      );
      continue;
    }
    const end = Math.min(topic.partitionCount, first + left);
    page.topics.push(describeTopic(context, topic, first, end));
    left -= Math.max(0, end - first);
    if (end < topic.partitionCount) {
      page.nextCursor = { topicName: name, partitionIndex: end };
      break;
    }
  }
  return page;
}

function describeTopic(
  context: RequestContext,
  topic: TopicView,
  first: number,
  end: number,
): DescribeTopicPartitionsResponseTopic {
  const nodes = [context.broker.nodeId];
  const partitions: DescribeTopicPartitionsResponsePartition[] = [];
  for (let index = first; index < end; index++) {
    partitions.push({
      errorCode: KAFKA_ERROR.NONE,
      partitionIndex: index,
      leaderId: context.broker.nodeId,
      leaderEpoch: topic.partition(index)?.leaderEpoch ?? 0,
      replicaNodes: nodes,
      isrNodes: nodes,
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: [],
    });
  }
  return {
    errorCode: KAFKA_ERROR.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.internal,
    partitions,
    topicAuthorizedOperations: authorizedTopicOperations(context, topic.name),
  };
}

function missingTopic(name: string, errorCode: number): DescribeTopicPartitionsResponseTopic {
  return {
    errorCode,
    name,
    topicId: ZERO_UUID,
    isInternal: false,
    partitions: [],
    topicAuthorizedOperations: OPERATIONS_NOT_ASKED,
  };
}
