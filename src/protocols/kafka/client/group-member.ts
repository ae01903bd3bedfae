import { API_CODECS } from '../codec/generated/apis.ts';
import {
  readConsumerProtocolAssignment,
  readConsumerProtocolSubscription,
  writeConsumerProtocolAssignment,
  writeConsumerProtocolSubscription,
} from '../codec/generated/consumer-protocol.ts';
import type { JoinGroupResponse } from '../codec/generated/join-group.ts';
import { Reader } from '../codec/reader.ts';
import { ZERO_UUID } from '../codec/records.ts';
import { Writer } from '../codec/writer.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { refusalCode, refused } from './client-error.ts';
import type { KafkaCluster } from './cluster.ts';
import type { KafkaConnection } from './connection.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface PartitionOffset extends TopicPartition {
  readonly offset: number;
}

export interface MemberSettings {
  readonly group: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
}

const PROTOCOL_TYPE = 'consumer';
const STRATEGY = 'range';
/** Layout of subscription and assignment that every client understands. */
const SUBSCRIPTION_VERSION = 1;
const REJOIN = new Set<number>([
  KAFKA_ERROR.REBALANCE_IN_PROGRESS,
  KAFKA_ERROR.ILLEGAL_GENERATION,
  KAFKA_ERROR.UNKNOWN_MEMBER_ID,
  KAFKA_ERROR.MEMBER_ID_REQUIRED,
  KAFKA_ERROR.NOT_COORDINATOR,
  KAFKA_ERROR.COORDINATOR_NOT_AVAILABLE,
  KAFKA_ERROR.COORDINATOR_LOAD_IN_PROGRESS,
]);

/** A dynamic member of a consumer group with the range strategy: joins, keeps its place, commits, leaves. */
export class GroupMember {
  private readonly cluster: KafkaCluster;
  private readonly settings: MemberSettings;
  private memberId = '';
  private generation = -1;

  constructor(cluster: KafkaCluster, settings: MemberSettings) {
    this.cluster = cluster;
    this.settings = settings;
  }

  /** Takes part in rebalances until one succeeds; resolves with what this member is to read, and from where. */
  async join(): Promise<PartitionOffset[]> {
    for (;;) {
      try {
        const assignment = await this.tryJoin();
        return await this.committedOffsets(assignment);
      } catch (error) {
        const code = refusalCode(error);
        if (code === null || !REJOIN.has(code)) throw error;
        if (code === KAFKA_ERROR.UNKNOWN_MEMBER_ID) this.memberId = '';
      }
    }
  }

  /** True: the group rebalances, join again. */
  async heartbeat(): Promise<boolean> {
    const { group } = this.settings;
    const coordinator = await this.cluster.coordinator(group);
    const { errorCode } = await coordinator.request(API_CODECS.Heartbeat, {
      groupId: group,
      generationId: this.generation,
      memberId: this.memberId,
      groupInstanceId: null,
    });
    if (REJOIN.has(errorCode)) return true;
    if (errorCode !== 0) throw refused(`heartbeat of group ${group}`, errorCode);
    return false;
  }

  async commit(offsets: readonly PartitionOffset[]): Promise<void> {
    if (offsets.length === 0) return;
    const coordinator = await this.cluster.coordinator(this.settings.group);
    const response = await coordinator.request(API_CODECS.OffsetCommit, {
      groupId: this.settings.group,
      generationIdOrMemberEpoch: this.generation,
      memberId: this.memberId,
      groupInstanceId: null,
      retentionTimeMs: -1,
      topics: byTopic(offsets).map(([name, partitions]) => ({
        name,
        topicId: ZERO_UUID,
        partitions: partitions.map(({ partition, offset }) => ({
          partitionIndex: partition,
          committedOffset: offset,
          committedLeaderEpoch: -1,
          committedMetadata: '',
        })),
      })),
    });
    for (const topic of response.topics) {
      for (const { partitionIndex, errorCode } of topic.partitions) {
        if (errorCode !== 0) throw refused(`commit of ${topic.name}-${partitionIndex}`, errorCode);
      }
    }
  }

  async leave(): Promise<void> {
    if (this.memberId === '') return;
    const coordinator = await this.cluster.coordinator(this.settings.group);
    await coordinator.request(API_CODECS.LeaveGroup, {
      groupId: this.settings.group,
      memberId: this.memberId,
      members: [{ memberId: this.memberId, groupInstanceId: null, reason: 'the consumer closed' }],
    });
    this.memberId = '';
  }

  private async tryJoin(): Promise<TopicPartition[]> {
    const { group, topics, sessionTimeoutMs, rebalanceTimeoutMs } = this.settings;
    const coordinator = await this.cluster.coordinator(group);
    const metadata = encode((writer) =>
      writeConsumerProtocolSubscription(
        writer,
        {
          topics: [...topics],
          userData: null,
          ownedPartitions: [],
          generationId: -1,
          rackId: null,
        },
        SUBSCRIPTION_VERSION,
      ),
    );
    const joined = await coordinator.request(
      API_CODECS.JoinGroup,
      {
        groupId: group,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: this.memberId,
        groupInstanceId: null,
        protocolType: PROTOCOL_TYPE,
        protocols: [{ name: STRATEGY, metadata }],
        reason: null,
      },
      rebalanceTimeoutMs,
    );
    if (joined.memberId !== '') this.memberId = joined.memberId;
    if (joined.errorCode !== 0) throw refused(`joining group ${group}`, joined.errorCode);
    this.generation = joined.generationId;
    return this.sync(coordinator, joined);
  }

  private async sync(
    coordinator: KafkaConnection,
    joined: JoinGroupResponse,
  ): Promise<TopicPartition[]> {
    const leads = joined.leader === this.memberId && !joined.skipAssignment;
    const response = await coordinator.request(
      API_CODECS.SyncGroup,
      {
        groupId: this.settings.group,
        generationId: this.generation,
        memberId: this.memberId,
        groupInstanceId: null,
        protocolType: PROTOCOL_TYPE,
        protocolName: STRATEGY,
        assignments: leads ? await this.assignments(joined) : [],
      },
      this.settings.rebalanceTimeoutMs,
    );
    if (response.errorCode !== 0) {
      throw refused(`syncing group ${this.settings.group}`, response.errorCode);
    }
    if (response.assignment.length === 0) return [];
    const reader = new Reader(response.assignment);
    const assigned = readConsumerProtocolAssignment(reader, reader.int16('version'));
    return assigned.assignedPartitions.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    );
  }

  /** What the leader decides: every topic's partitions in ranges over the members that want it. */
  private async assignments(
    joined: JoinGroupResponse,
  ): Promise<{ memberId: string; assignment: Buffer }[]> {
    const wanted = joined.members.map(({ memberId, metadata }) => {
      const reader = new Reader(metadata);
      const { topics } = readConsumerProtocolSubscription(reader, reader.int16('version'));
      return { memberId, topics };
    });
    const counts = new Map<string, number>();
    for (const topic of new Set(wanted.flatMap(({ topics }) => topics))) {
      const partitions = await this.cluster.partitions(topic, { create: true });
      counts.set(topic, partitions.length);
    }
    const assigned = assignRanges(wanted, counts);
    return wanted.map(({ memberId }) => ({
      memberId,
      assignment: encode((writer) =>
        writeConsumerProtocolAssignment(
          writer,
          {
            assignedPartitions: byTopic(assigned.get(memberId) ?? []).map(
              ([topic, partitions]) => ({
                topic,
                partitions: partitions.map(({ partition }) => partition),
              }),
            ),
            userData: null,
          },
          SUBSCRIPTION_VERSION,
        ),
      ),
    }));
  }

  /** Offset -1 where nothing is committed. */
  private async committedOffsets(
    partitions: readonly TopicPartition[],
  ): Promise<PartitionOffset[]> {
    if (partitions.length === 0) return [];
    const { group } = this.settings;
    const topics = byTopic(partitions).map(([name, list]) => ({
      name,
      topicId: ZERO_UUID,
      partitionIndexes: list.map(({ partition }) => partition),
    }));
    const coordinator = await this.cluster.coordinator(group);
    const response = await coordinator.request(API_CODECS.OffsetFetch, {
      groupId: group,
      topics,
      groups: [{ groupId: group, memberId: null, memberEpoch: -1, topics }],
      requireStable: true,
    });
    const answer = response.groups[0] ?? response;
    if (answer.errorCode !== 0) throw refused(`offsets of group ${group}`, answer.errorCode);
    return answer.topics.flatMap((topic) =>
      topic.partitions.map(({ partitionIndex, committedOffset, errorCode }) => {
        if (errorCode !== 0) throw refused(`offset of ${topic.name}-${partitionIndex}`, errorCode);
        return { topic: topic.name, partition: partitionIndex, offset: committedOffset };
      }),
    );
  }
}

/** Consecutive partitions for each member in the order of ids; the first ones get one more when it does not divide. */
export function assignRanges(
  members: readonly { readonly memberId: string; readonly topics: readonly string[] }[],
  partitionCounts: ReadonlyMap<string, number>,
): Map<string, TopicPartition[]> {
  const result = new Map<string, TopicPartition[]>(members.map(({ memberId }) => [memberId, []]));
  for (const [topic, count] of partitionCounts) {
    const takers = members
      .filter(({ topics }) => topics.includes(topic))
      .map(({ memberId }) => memberId)
      .sort();
    let partition = 0;
    takers.forEach((memberId, index) => {
      const extra = index < count % takers.length ? 1 : 0;
      const share = Math.floor(count / takers.length) + extra;
      for (const end = partition + share; partition < end; partition++) {
        result.get(memberId)?.push({ topic, partition });
      }
    });
  }
  return result;
}

/** Subscriptions and assignments begin with the version of their layout. */
function encode(write: (writer: Writer) => void): Buffer {
  const writer = new Writer();
  writer.int16(SUBSCRIPTION_VERSION);
  write(writer);
  return writer.toBuffer();
}

function byTopic<T extends TopicPartition>(items: readonly T[]): [string, T[]][] {
  const topics = new Map<string, T[]>();
  for (const item of items) {
    const list = topics.get(item.topic);
    if (list === undefined) topics.set(item.topic, [item]);
    else list.push(item);
  }
  return [...topics];
}
