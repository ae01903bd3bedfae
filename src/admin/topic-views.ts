import type { PartitionView, TopicView } from '../core/types.ts';
import type { PartitionInfo, TopicDetail, TopicSummary } from './api.ts';

export function topicSummary(topic: TopicView): TopicSummary {
  let records = 0;
  let bytes = 0;
  for (let i = 0; i < topic.partitionCount; i++) {
    const partition = topic.partition(i);
    if (partition === null) continue;
    records += partition.highWatermark - partition.logStart;
    bytes += partition.bytes;
  }
  return {
    name: topic.name,
    id: topic.id.toString('base64url'),
    namespace: topic.namespace,
    partitions: topic.partitionCount,
    internal: topic.internal,
    records,
    bytes,
  };
}

export function topicDetail(topic: TopicView): TopicDetail {
  const partitionList: PartitionInfo[] = [];
  for (let i = 0; i < topic.partitionCount; i++) {
    const partition = topic.partition(i);
    if (partition !== null) partitionList.push(partitionInfo(partition));
  }
  return { ...topicSummary(topic), partitionList, overrides: topic.overrides };
}

function partitionInfo(partition: PartitionView): PartitionInfo {
  return {
    partition: partition.index,
    leaderEpoch: partition.leaderEpoch,
    logStart: partition.logStart,
    highWatermark: partition.highWatermark,
    lastStableOffset: partition.lastStableOffset,
    bytes: partition.bytes,
  };
}
