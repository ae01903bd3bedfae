import type { GroupView } from '../core/group-types.ts';
import type { Broker } from '../core/broker.ts';
import type { PartitionView } from '../core/types.ts';
import type { GroupDetail, GroupOffsetInfo, GroupSummary } from './api.ts';

export function groupSummary(broker: Broker, namespace: string, group: GroupView): GroupSummary {
  return summaryOf(namespace, group, groupOffsets(broker, namespace, group.groupId));
}

export function groupDetail(broker: Broker, namespace: string, group: GroupView): GroupDetail {
  const offsets = groupOffsets(broker, namespace, group.groupId);
  return {
    ...summaryOf(namespace, group, offsets),
    generation: group.generation,
    protocolName: group.protocolName,
    memberList: group.members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      clientId: member.clientId,
      host: member.clientHost,
      sessionTimeoutMs: member.sessionTimeoutMs,
    })),
    offsets,
  };
}

/** Committed offsets beside where their partitions begin and end, by topic and partition. */
export function groupOffsets(broker: Broker, namespace: string, group: string): GroupOffsetInfo[] {
  const all = broker.groups.committedOffsets(namespace, group).map((entry): GroupOffsetInfo => {
    const topic = broker.topics.byName(namespace, entry.topic);
    const partition = topic?.partition(entry.partition) ?? null;
    const { offset, metadata, committedAtMs } = entry.committed;
    return {
      topic: entry.topic,
      partition: entry.partition,
      committed: offset,
      logStart: partition?.logStart ?? null,
      highWatermark: partition?.highWatermark ?? null,
      lag: partition === null ? null : lagOf(partition, offset),
      metadata,
      committedAt: new Date(committedAtMs).toISOString(),
    };
  });
  return all.sort((a, b) =>
    a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
  );
}

/** What is gone is not lag; and some clients commit negative numbers that stand for "the beginning". */
function lagOf({ logStart, highWatermark }: PartitionView, committed: number): number {
  return Math.max(0, highWatermark - Math.max(committed, logStart));
}

function summaryOf(
  namespace: string,
  group: GroupView,
  offsets: readonly GroupOffsetInfo[],
): GroupSummary {
  return {
    group: group.groupId,
    namespace,
    state: group.state,
    protocolType: group.protocolType,
    members: group.members.length,
    totalLag: offsets.reduce((sum, { lag }) => sum + (lag ?? 0), 0),
  };
}
