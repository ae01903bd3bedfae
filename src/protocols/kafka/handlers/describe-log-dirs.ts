import type { TopicView } from '../../../core/types.ts';
import {
  DESCRIBE_LOG_DIRS,
  readDescribeLogDirsRequest,
  writeDescribeLogDirsResponse,
} from '../codec/generated/describe-log-dirs.ts';
import type {
  DescribeLogDirsRequestTopic,
  DescribeLogDirsResponsePartition,
  DescribeLogDirsResponseTopic,
} from '../codec/generated/describe-log-dirs.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { CLUSTER_NAME } from './authorized-operations.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

/** Tells how much room partitions take. All of them lie in one data folder. */
export const describeLogDirsHandler: ApiHandler = {
  api: DESCRIBE_LOG_DIRS,
  minVersion: 0,
  maxVersion: 5,
  handle(context, reader, version): void {
    const request = readDescribeLogDirsRequest(reader, version);
    if (!context.allows('describe', 'cluster', CLUSTER_NAME)) {
      context.respond(writeDescribeLogDirsResponse, {
        throttleTimeMs: 0,
        errorCode: KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED,
        results: [],
      });
      return;
    }
    const stats = context.broker.engine.stats();
    context.respond(writeDescribeLogDirsResponse, {
      throttleTimeMs: 0,
      errorCode: KAFKA_ERROR.NONE,
      results: [
        {
          errorCode: KAFKA_ERROR.NONE,
          logDir: context.config.dataFolder,
          topics: describeTopics(context, request.topics),
          totalBytes: stats.diskTotalBytes,
          usableBytes: stats.diskFreeBytes,
          isCordoned: false,
        },
      ],
    });
  },
};

/** null means all; topics and partitions that do not exist are left out. */
function describeTopics(
  context: RequestContext,
  wanted: readonly DescribeLogDirsRequestTopic[] | null,
): DescribeLogDirsResponseTopic[] {
  const registry = context.broker.topics;
  if (wanted === null) {
    return registry.list(context.namespace).map((topic) => ({
      name: topic.name,
      partitions: describePartitions(topic, [...Array(topic.partitionCount).keys()]),
    }));
  }
  const topics: DescribeLogDirsResponseTopic[] = [];
  for (const asked of wanted) {
    const topic = registry.byName(context.namespace, asked.topic);
    if (topic === null) continue;
    topics.push({ name: topic.name, partitions: describePartitions(topic, asked.partitions) });
  }
  return topics;
}

function describePartitions(
  topic: TopicView,
  indexes: readonly number[],
): DescribeLogDirsResponsePartition[] {
  const partitions: DescribeLogDirsResponsePartition[] = [];
  for (const index of indexes) {
    const partition = topic.partition(index);
    if (partition === null) continue;
    partitions.push({
      partitionIndex: index,
      partitionSize: partition.bytes,
      offsetLag: 0,
      isFutureKey: false,
    });
  }
  return partitions;
}
