import type { GroupMemberView, GroupView } from '../../../core/group-types.ts';
import type { PartitionView } from '../../../core/types.ts';
import { readConsumerProtocolAssignment } from '../codec/generated/consumer-protocol.ts';
import { CodecError } from '../codec/codec-error.ts';
import { Reader } from '../codec/reader.ts';
import type { KafkaServices } from '../services.ts';
import { OffsetHistory } from './offset-history.ts';

/** Committed offsets beyond this many have no series of their own: a scrape must not stall the broker. */
const OFFSETS_MAX = 5_000;

export interface GroupLag {
  readonly group: GroupView;
  readonly partitions: readonly PartitionLag[];
}

/** How far a group is behind in one partition. */
export interface PartitionLag {
  readonly topic: string;
  readonly partition: string;
  readonly offset: number;
  readonly lag: number;
  readonly lagMs: number;
  /** Whom the partition is assigned to, where members say so in Kafka's own form. */
  readonly member: GroupMemberView | null;
}

/** Asks all groups how far behind they are. Remembers from scrape to scrape when records came, for lags in time. */
export class GroupLags {
  /** Of partitions that some group has an offset in. */
  private histories = new Map<PartitionView, OffsetHistory>();

  collect({ broker, namespace }: KafkaServices): GroupLag[] {
    const nowMs = broker.clock.monotonicMs();
    const known = this.histories;
    this.histories = new Map();
    const lags: GroupLag[] = [];
    let count = 0;
    for (const group of broker.groups.list(namespace)) {
      const partitions: PartitionLag[] = [];
      lags.push({ group, partitions });
      if (count >= OFFSETS_MAX) continue;
      const members = membersByPartition(group);
      for (const committed of broker.groups.committedOffsets(namespace, group.groupId)) {
        const { topic, topicId } = committed;
        const partition = broker.topics.byId(topicId)?.partition(committed.partition) ?? null;
        if (partition === null || count >= OFFSETS_MAX) continue;
        count++;
        const history = this.historyOf(partition, known, nowMs);
        const { offset } = committed.committed;
        // Records may have been dropped, and an offset may lie past the end: lag is what can still be read.
        const next = Math.max(offset, partition.logStart);
        partitions.push({
          topic,
          partition: String(committed.partition),
          offset,
          lag: Math.max(0, partition.highWatermark - next),
          lagMs: history.ageMs(next, nowMs),
          member: members.get(`${committed.partition}/${topic}`) ?? null,
        });
      }
    }
    return lags;
  }

  private historyOf(
    partition: PartitionView,
    known: ReadonlyMap<PartitionView, OffsetHistory>,
    nowMs: number,
  ): OffsetHistory {
    let history = this.histories.get(partition);
    if (history === undefined) {
      history = known.get(partition) ?? new OffsetHistory();
      history.observe(partition.highWatermark, nowMs);
      this.histories.set(partition, history);
    }
    return history;
  }
}

function membersByPartition(group: GroupView): ReadonlyMap<string, GroupMemberView> {
  const members = new Map<string, GroupMemberView>();
  if (group.protocolType !== 'consumer') return members;
  for (const member of group.members) {
    for (const { topic, partitions } of assignedTo(member)) {
      for (const partition of partitions) members.set(`${partition}/${topic}`, member);
    }
  }
  return members;
}

/** Members may put anything into an assignment: what cannot be read assigns nothing. */
function assignedTo({
  assignment,
}: GroupMemberView): ReturnType<typeof readConsumerProtocolAssignment>['assignedPartitions'] {
  if (assignment.length === 0) return [];
  try {
    const reader = new Reader(assignment);
    return readConsumerProtocolAssignment(reader, reader.int16('version')).assignedPartitions;
  } catch (error) {
    if (error instanceof CodecError) return [];
    throw error;
  }
}
