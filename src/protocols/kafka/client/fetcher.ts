import { batchNextOffset } from '../../../base/record-batch.ts';
import { API_CODECS } from '../codec/generated/apis.ts';
import type { FetchRequest, FetchResponsePartition } from '../codec/generated/fetch.ts';
import { ZERO_UUID, type Slice } from '../codec/records.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { refused } from './client-error.ts';
import type { KafkaCluster } from './cluster.ts';
import { forEachBatch } from './record-reader.ts';

export interface FetcherSettings {
  readonly waitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly partitionBytes: number;
  /** Only what is decided: no open or aborted transactions. */
  readonly committedOnly: boolean;
}

export const FETCHER_DEFAULTS: FetcherSettings = {
  waitMs: 500,
  minBytes: 1,
  maxBytes: 52_428_800,
  partitionBytes: 1_048_576,
  committedOnly: false,
};

/** Whole batches of one partition, beginning with the one that holds fromOffset. */
export interface FetchedData {
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly slices: readonly Slice[];
  /** First offset behind the batches. */
  readonly nextOffset: number;
  readonly highWatermark: number;
}

/** Where to read a partition, and whom to ask. */
export interface PartitionPosition {
  readonly topic: string;
  readonly partition: number;
  readonly leader: number;
  readonly offset: number;
}

type Position = { -readonly [K in keyof PartitionPosition]: PartitionPosition[K] };

/** Named offsets for ListOffsets. */
export const LATEST = -1;
export const EARLIEST = -2;

const NO_LEADER_EPOCH = -1;

/** Reads partitions from given offsets on; the next fetch is under way while the caller works on the last one. */
export class KafkaFetcher {
  private readonly cluster: KafkaCluster;
  private readonly settings: FetcherSettings;
  private positions: Position[] = [];
  private readonly underWay = new Map<number, Promise<FetchedData[]>>();
  private generation = 0;

  constructor(cluster: KafkaCluster, settings: Partial<FetcherSettings> = {}) {
    this.cluster = cluster;
    this.settings = { ...FETCHER_DEFAULTS, ...settings };
  }

  /** Reads these and nothing else from now on. */
  assign(positions: readonly PartitionPosition[]): void {
    this.positions = positions.map((position) => ({ ...position }));
    this.generation++;
    this.underWay.clear();
  }

  /** What the broker that answers first has; empty when nothing came within the wait time. */
  async poll(): Promise<FetchedData[]> {
    const leaders = new Set(this.positions.map((position) => position.leader));
    for (const leader of leaders) this.start(leader);
    if (this.underWay.size === 0) return [];
    const generation = this.generation;
    const { leader, data } = await Promise.race(
      [...this.underWay].map(async ([key, fetch]) => ({ leader: key, data: await fetch })),
    );
    if (generation !== this.generation) return [];
    this.underWay.delete(leader);
    for (const fetched of data) this.advance(fetched);
    this.start(leader);
    return data;
  }

  private start(leader: number): void {
    if (this.underWay.has(leader)) return;
    const fetch = this.fetch(leader);
    // The failure is reported by the poll that waits for it, which may come later.
    fetch.catch(() => {});
    this.underWay.set(leader, fetch);
  }

  private async fetch(leader: number): Promise<FetchedData[]> {
    const positions = this.positions.filter((position) => position.leader === leader);
    const connection = await this.cluster.node(leader);
    const request = this.request(positions);
    const response = await connection.request(API_CODECS.Fetch, request, this.settings.waitMs);
    if (response.errorCode !== 0) throw refused('fetch', response.errorCode);
    const data: FetchedData[] = [];
    for (const { topic, partitions } of response.responses) {
      for (const partition of partitions) {
        const position = positions.find(
          (candidate) =>
            candidate.topic === topic && candidate.partition === partition.partitionIndex,
        );
        if (position === undefined) continue;
        const fetched = readPartition(position, partition);
        if (fetched !== null) data.push(fetched);
      }
    }
    return data;
  }

  private request(positions: Position[]): FetchRequest {
    // The first partitions fill the response: every fetch begins with another one.
    const first = this.positions.shift();
    if (first !== undefined) this.positions.push(first);
    const topics = new Map<string, FetchRequest['topics'][number]>();
    for (const { topic, partition, offset } of positions) {
      const entry = topics.get(topic) ?? { topic, topicId: ZERO_UUID, partitions: [] };
      topics.set(topic, entry);
      entry.partitions.push({
        partition,
        currentLeaderEpoch: NO_LEADER_EPOCH,
        fetchOffset: offset,
        lastFetchedEpoch: NO_LEADER_EPOCH,
        logStartOffset: -1,
        partitionMaxBytes: this.settings.partitionBytes,
        replicaDirectoryId: ZERO_UUID,
        highWatermark: 2 ** 63,
      });
    }
    return {
      clusterId: null,
      replicaId: -1,
      replicaState: { replicaId: -1, replicaEpoch: -1 },
      maxWaitMs: this.settings.waitMs,
      minBytes: this.settings.minBytes,
      maxBytes: this.settings.maxBytes,
      isolationLevel: this.settings.committedOnly ? 1 : 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [...topics.values()],
      forgottenTopicsData: [],
      rackId: '',
    };
  }

  private advance({ topic, partition, nextOffset }: FetchedData): void {
    const position = this.positions.find(
      (candidate) => candidate.topic === topic && candidate.partition === partition,
    );
    if (position !== undefined) position.offset = nextOffset;
  }
}

function readPartition(position: Position, partition: FetchResponsePartition): FetchedData | null {
  const { topic, partition: index, offset } = position;
  if (partition.errorCode !== KAFKA_ERROR.NONE) {
    throw refused(`fetch of ${topic}-${index} from ${offset}`, partition.errorCode);
  }
  const slices = partition.records?.slices ?? [];
  let nextOffset = offset;
  for (const { buffer, start, end } of slices) {
    forEachBatch(buffer, start, end, (at) => {
      nextOffset = Math.max(nextOffset, batchNextOffset(buffer, at));
    });
  }
  if (nextOffset === offset) return null;
  return {
    topic,
    partition: index,
    fromOffset: offset,
    slices,
    nextOffset,
    highWatermark: partition.highWatermark,
  };
}

/** Offsets of a topic's partitions at an instant (ms), or EARLIEST or LATEST; an instant after all records is the end. */
export async function listOffsets(
  cluster: KafkaCluster,
  topic: string,
  at: number,
): Promise<PartitionPosition[]> {
  const partitions = await cluster.partitions(topic, { create: false });
  const positions: PartitionPosition[] = [];
  const leaders = new Set(partitions.map(({ leader }) => leader));
  for (const leader of leaders) {
    const led = partitions.filter((partition) => partition.leader === leader);
    const answers = await askOffsets(
      cluster,
      leader,
      topic,
      led.map(({ index }) => index),
      at,
    );
    for (const { index } of led) {
      positions.push({ topic, partition: index, leader, offset: answers.get(index) ?? -1 });
    }
  }
  if (at < 0 || positions.every(({ offset }) => offset >= 0)) return positions;
  const ends = await listOffsets(cluster, topic, LATEST);
  return positions.map((position) =>
    position.offset >= 0
      ? position
      : {
          ...position,
          offset: ends.find((end) => end.partition === position.partition)?.offset ?? 0,
        },
  );
}

async function askOffsets(
  cluster: KafkaCluster,
  leader: number,
  topic: string,
  partitions: readonly number[],
  at: number,
): Promise<Map<number, number>> {
  const connection = await cluster.node(leader);
  const response = await connection.request(API_CODECS.ListOffsets, {
    replicaId: -1,
    isolationLevel: 0,
    timeoutMs: cluster.settings.timeoutMs,
    topics: [
      {
        name: topic,
        partitions: partitions.map((partitionIndex) => ({
          partitionIndex,
          currentLeaderEpoch: NO_LEADER_EPOCH,
          timestamp: at,
        })),
      },
    ],
  });
  const offsets = new Map<number, number>();
  for (const { partitionIndex, errorCode, offset } of response.topics[0]?.partitions ?? []) {
    if (errorCode !== 0) throw refused(`offsets of ${topic}-${partitionIndex}`, errorCode);
    offsets.set(partitionIndex, offset);
  }
  return offsets;
}
