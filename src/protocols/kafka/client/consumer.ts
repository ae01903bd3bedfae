import { batchRecordCount } from '../../../base/record-batch.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { refusalCode } from './client-error.ts';
import type { KafkaCluster } from './cluster.ts';
import {
  EARLIEST,
  KafkaFetcher,
  LATEST,
  listOffsets,
  type FetchedData,
  type FetcherSettings,
  type PartitionPosition,
} from './fetcher.ts';
import { GroupMember } from './group-member.ts';
import { forEachBatch, forEachRecord, type StoredRecord } from './record-reader.ts';

/** Where reading begins in partitions without a committed offset. */
export type StartPoint =
  | 'start'
  | 'end'
  | { readonly offset: number }
  /** So many records before the end of each partition. */
  | { readonly last: number }
  /** First record at or after, ms since the epoch. */
  | { readonly time: number };

export interface ConsumerSettings {
  readonly topics: readonly string[];
  /** Null: the end. */
  readonly from: StartPoint | null;
  /** Null: all. */
  readonly partitions: readonly number[] | null;
  /** Null: reads alone and commits nothing. */
  readonly group: string | null;
  readonly fetch?: Partial<FetcherSettings>;
}

const SESSION_TIMEOUT_MS = 30_000;
const HEARTBEAT_INTERVAL_MS = 3_000;

/** What one partition brought. */
export interface ConsumedData {
  readonly topic: string;
  readonly partition: number;
  /** Records in the batches; a few at the beginning may lie before the wanted offset. */
  readonly recordCount: number;
  readonly bytes: number;
  /** Until visit returns false: then that record and those behind it do not count as consumed. */
  forEachRecord(visit: (record: StoredRecord) => boolean): void;
}

/** Reads topics, alone or as a member of a group. Call poll in a loop; close commits and leaves. */
export class KafkaConsumer {
  private readonly cluster: KafkaCluster;
  private readonly settings: ConsumerSettings;
  private readonly fetcher: KafkaFetcher;
  private readonly member: GroupMember | null;
  private positions: PartitionPosition[] = [];
  /** Next offset of what was handed out, by topic and partition. */
  private readonly consumed = new Map<string, PartitionPosition>();
  private readonly ends = new Map<string, number>();
  private heartbeatTimer: NodeJS.Timeout | null = null;
  private rejoin = false;
  private failure: Error | null = null;

  constructor(cluster: KafkaCluster, settings: ConsumerSettings) {
    this.cluster = cluster;
    this.settings = settings;
    this.fetcher = new KafkaFetcher(cluster, settings.fetch);
    this.member =
      settings.group === null
        ? null
        : new GroupMember(cluster, {
            group: settings.group,
            topics: settings.topics,
            sessionTimeoutMs: SESSION_TIMEOUT_MS,
            rebalanceTimeoutMs: SESSION_TIMEOUT_MS,
          });
  }

  /** Finds out where to begin; also joins the group. */
  async start(): Promise<void> {
    if (this.member === null) this.assign(await this.startPositions());
    else await this.joinGroup(this.member);
  }

  /** What came, or nothing after the wait time of a fetch. Handing it out makes it consumed. */
  async poll(): Promise<ConsumedData[]> {
    if (this.failure !== null) throw this.failure;
    if (this.rejoin && this.member !== null) await this.joinGroup(this.member);
    let fetched: FetchedData[];
    try {
      fetched = await this.fetcher.poll();
    } catch (error) {
      if (refusalCode(error) !== KAFKA_ERROR.OFFSET_OUT_OF_RANGE) throw error;
      await this.returnIntoRange();
      return [];
    }
    return fetched.map((data) => this.handOut(data));
  }

  /** True when everything that existed at the start, or at the last look, was handed out. */
  async atEnd(): Promise<boolean> {
    if (this.ends.size === 0) {
      for (const topic of this.settings.topics) {
        for (const end of await listOffsets(this.cluster, topic, LATEST))
          this.ends.set(keyOf(end), end.offset);
      }
    }
    return this.positions.every((position) => {
      const next = this.consumed.get(keyOf(position))?.offset ?? position.offset;
      return next >= (this.ends.get(keyOf(position)) ?? 0);
    });
  }

  /**
   * After a connection broke: asks again who leads, joins again, and goes on behind what was handed out. When it
   * rejects nothing has changed, and it may be called again.
   */
  async resume(): Promise<void> {
    this.stopHeartbeat();
    const reached = new Map(this.consumed);
    if (this.member === null) this.assign(await this.positionsReached());
    else await this.joinGroup(this.member, reached);
    for (const position of this.positions) {
      const before = reached.get(keyOf(position));
      // Kept, so that the next commit has it: the connection broke before this one could be made.
      if (before?.offset === position.offset) this.consumed.set(keyOf(position), before);
    }
  }

  async close(): Promise<void> {
    this.stopHeartbeat();
    if (this.member === null) return;
    await this.commit();
    await this.member.leave();
  }

  /** Stores how far this member got, for whoever reads on. */
  async commit(): Promise<void> {
    await this.member?.commit([...this.consumed.values()]);
  }

  /** reached: what was handed out but perhaps not committed. */
  private async joinGroup(
    member: GroupMember,
    reached: ReadonlyMap<string, PartitionPosition> = new Map(),
  ): Promise<void> {
    if (this.rejoin) await this.commit().catch(() => {}); // fenced already: another member reads on
    this.rejoin = false;
    const assigned = await member.join();
    const starts = assigned.some(({ offset }) => offset < 0) ? await this.startPositions() : [];
    const positions: PartitionPosition[] = [];
    for (const { topic, partition, offset } of assigned) {
      const start = starts.find((other) => other.topic === topic && other.partition === partition);
      const leaders = await this.cluster.partitions(topic, { create: false });
      const leader = leaders.find(({ index }) => index === partition)?.leader ?? -1;
      const position = { topic, partition, leader, offset: 0 };
      const committed = offset >= 0 ? offset : (start?.offset ?? 0);
      const handedOut = reached.get(keyOf(position))?.offset ?? 0;
      positions.push({ ...position, offset: Math.max(committed, handedOut) });
    }
    this.assign(positions);
    this.heartbeatTimer ??= setInterval(() => void this.beat(member), HEARTBEAT_INTERVAL_MS);
  }

  private async beat(member: GroupMember): Promise<void> {
    const timer = this.heartbeatTimer;
    try {
      if (await member.heartbeat()) this.rejoin = true;
    } catch (error) {
      // One that was sent before the consumer resumed says nothing about now.
      if (timer === this.heartbeatTimer) this.failure = error as Error;
    }
  }

  private stopHeartbeat(): void {
    if (this.heartbeatTimer !== null) clearInterval(this.heartbeatTimer);
    this.heartbeatTimer = null;
    this.failure = null;
    this.rejoin = false;
  }

  /** The partitions being read, each behind what was handed out, with the leaders of now. */
  private async positionsReached(): Promise<PartitionPosition[]> {
    const positions: PartitionPosition[] = [];
    for (const topic of this.settings.topics) {
      const leaders = await this.cluster.partitions(topic, { create: false });
      for (const position of this.positions) {
        if (position.topic !== topic) continue;
        const { leader = -1 } = leaders.find(({ index }) => index === position.partition) ?? {};
        const offset = this.consumed.get(keyOf(position))?.offset ?? position.offset;
        positions.push({ ...position, leader, offset });
      }
    }
    return positions;
  }

  private assign(positions: PartitionPosition[]): void {
    this.positions = positions;
    this.consumed.clear();
    this.fetcher.assign(positions);
  }

  private async startPositions(): Promise<PartitionPosition[]> {
    const positions: PartitionPosition[] = [];
    for (const topic of this.settings.topics) {
      await this.cluster.partitions(topic, { create: this.settings.group !== null });
      positions.push(...(await this.topicStart(topic)));
    }
    const { partitions } = this.settings;
    if (partitions === null) return positions;
    return positions.filter(({ partition }) => partitions.includes(partition));
  }

  private async topicStart(topic: string): Promise<PartitionPosition[]> {
    const { from } = this.settings;
    if (from === 'start') return listOffsets(this.cluster, topic, EARLIEST);
    if (from === 'end' || from === null) return listOffsets(this.cluster, topic, LATEST);
    if ('time' in from) return listOffsets(this.cluster, topic, from.time);
    const starts = await listOffsets(this.cluster, topic, EARLIEST);
    const ends = await listOffsets(this.cluster, topic, LATEST);
    return starts.map((start) => {
      const end =
        ends.find(({ partition }) => partition === start.partition)?.offset ?? start.offset;
      const wanted = 'offset' in from ? from.offset : end - from.last;
      return { ...start, offset: Math.min(Math.max(wanted, start.offset), end) };
    });
  }

  /** Retention took what was to be read next: go on with the first that is left. */
  private async returnIntoRange(): Promise<void> {
    const positions: PartitionPosition[] = [];
    for (const topic of this.settings.topics) {
      const starts = await listOffsets(this.cluster, topic, EARLIEST);
      const ends = await listOffsets(this.cluster, topic, LATEST);
      for (const position of this.positions) {
        if (position.topic !== topic) continue;
        const next = this.consumed.get(keyOf(position))?.offset ?? position.offset;
        const start = starts.find(({ partition }) => partition === position.partition)?.offset ?? 0;
        const end = ends.find(({ partition }) => partition === position.partition)?.offset ?? 0;
        positions.push({ ...position, offset: Math.min(Math.max(next, start), end) });
      }
    }
    this.assign(positions);
  }

  private handOut(data: FetchedData): ConsumedData {
    const { topic, partition, fromOffset, slices } = data;
    let recordCount = 0;
    let bytes = 0;
    for (const { buffer, start, end } of slices) {
      forEachBatch(buffer, start, end, (at, totalBytes) => {
        recordCount += batchRecordCount(buffer, at);
        bytes += totalBytes;
      });
    }
    const position = { topic, partition, leader: -1, offset: data.nextOffset };
    this.consumed.set(keyOf(position), position);
    return {
      topic,
      partition,
      recordCount,
      bytes,
      forEachRecord: (visit) => {
        for (const { buffer, start, end } of slices) {
          const stoppedAt = forEachRecord(buffer, start, end, fromOffset, visit);
          if (stoppedAt === null) continue;
          this.consumed.set(keyOf(position), { ...position, offset: stoppedAt });
          return;
        }
      },
    };
  }
}

function keyOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`;
}
