import { BatchBuilder } from '../../../base/batch-builder.ts';
import type { RecordHeader } from '../../../base/records.ts';
import { API_CODECS } from '../codec/generated/apis.ts';
import type {
  ProduceRequestTopicData,
  ProduceResponse,
  ProduceResponsePartition,
} from '../codec/generated/produce.ts';
import { ZERO_UUID } from '../codec/records.ts';

import { connectionLost, refused } from './client-error.ts';
import type { KafkaCluster, PartitionLeader } from './cluster.ts';
import type { KafkaConnection } from './connection.ts';
import { partitionOfKey } from './murmur2.ts';

export interface ProducerSettings {
  readonly topic: string;
  /** -1: when durable; 0: no answer at all; 1 means the same as -1 to a single broker's leader. */
  readonly acks: -1 | 0 | 1;
  /** How long a batch waits for more records. */
  readonly lingerMs: number;
  /** A batch is closed at this size. */
  readonly batchBytes: number;
  /** Requests without an answer, per broker. */
  readonly inFlightMax: number;
  /** Bytes appended and not answered above which append asks to wait. */
  readonly bufferBytes: number;
  readonly compression: 'none' | 'gzip';
}

export const PRODUCER_DEFAULTS = {
  acks: -1,
  lingerMs: 0,
  batchBytes: 16 * 1024,
  inFlightMax: 5,
  bufferBytes: 32 * 1024 * 1024,
  compression: 'none',
} as const;

/** A batch whose outcome is known. */
export interface Delivery {
  readonly partition: number;
  /** Offset of the first record; -1 without an answer. */
  readonly baseOffset: number;
  /** What was given to append with each record, in order. */
  readonly tokens: readonly number[];
  /** Why it was not stored, or null. */
  readonly error: Error | null;
}

interface OutgoingBatch {
  readonly partition: PartitionLeader;
  readonly builder: BatchBuilder;
  readonly tokens: number[];
  /** Waited long enough: goes out as soon as its broker takes another request, and grows until then. */
  isDue: boolean;
}

interface SealedBatch {
  readonly partition: number;
  readonly bytes: Buffer;
  readonly tokens: number[];
}

/** What waits for one broker. */
interface Lane {
  readonly connection: KafkaConnection;
  readonly ready: OutgoingBatch[];
  inFlight: number;
}

const REQUEST_BYTES_MAX = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
/** What a record costs beyond key and value, about; for the buffer limit only. */
const RECORD_OVERHEAD_BYTES = 16;

/**
 * Sends records to one topic in batches. append is synchronous; outcomes come by batch, so that a benchmark pays
 * no promise per record. A batch that failed is not sent again: the caller decides.
 */
export class KafkaProducer {
  readonly partitions: readonly PartitionLeader[];
  private readonly settings: ProducerSettings;
  private readonly lanes: ReadonlyMap<number, Lane>;
  private readonly onDelivery: (delivery: Delivery) => void;
  private readonly open: (OutgoingBatch | null)[];
  private stickyPartition = 0;
  private unanswered = 0;
  private bufferedBytes = 0;
  private lingerTimer: NodeJS.Timeout | null = null;
  private flushQueued = false;
  private waiters: (() => void)[] = [];

  /** Looks the topic up, creating it where the broker allows that, and connects to its leaders. */
  static async create(
    cluster: KafkaCluster,
    settings: Partial<ProducerSettings> & { readonly topic: string },
    onDelivery: (delivery: Delivery) => void,
  ): Promise<KafkaProducer> {
    const partitions = await cluster.partitions(settings.topic, { create: true });
    const lanes = new Map<number, Lane>();
    for (const { leader } of partitions) {
      if (lanes.has(leader)) continue;
      lanes.set(leader, { connection: await cluster.node(leader), ready: [], inFlight: 0 });
    }
    return new KafkaProducer({ ...PRODUCER_DEFAULTS, ...settings }, partitions, lanes, onDelivery);
  }

  private constructor(
    settings: ProducerSettings,
    partitions: readonly PartitionLeader[],
    lanes: ReadonlyMap<number, Lane>,
    onDelivery: (delivery: Delivery) => void,
  ) {
    this.settings = settings;
    this.partitions = partitions;
    this.lanes = lanes;
    this.onDelivery = onDelivery;
    this.open = partitions.map(() => null);
  }

  /** False: wait for room() before appending more. */
  get hasRoom(): boolean {
    return this.bufferedBytes < this.settings.bufferBytes;
  }

  /** Records appended whose outcome is not known yet. */
  get pendingRecords(): number {
    return this.unanswered;
  }

  /**
   * Adds a record. Without a partition: the one of the key, or for all records of a batch the same.
   * token comes back with the delivery.
   */
  append(
    record: {
      readonly key: Buffer | null;
      readonly value: Buffer | null;
      readonly headers?: readonly RecordHeader[];
      readonly partition?: number;
    },
    timestampMs: number,
    token: number,
  ): void {
    const index = record.partition ?? this.choosePartition(record.key);
    const partition = this.partitions[index];
    if (partition === undefined) throw new RangeError(`partition ${index} does not exist`);
    const size = (record.key?.length ?? 0) + (record.value?.length ?? 0) + RECORD_OVERHEAD_BYTES;
    let batch = this.open[index] ?? null;
    if (batch !== null && batch.builder.bytes + size > this.settings.batchBytes) {
      this.closeFull(index);
      batch = null;
    }
    if (batch === null) {
      const builder = new BatchBuilder(Math.max(this.settings.batchBytes, size));
      batch = { partition, builder, tokens: [], isDue: false };
      this.open[index] = batch;
    }
    batch.builder.append(record.key, record.value, timestampMs, record.headers);
    batch.tokens.push(token);
    this.unanswered++;
    this.bufferedBytes += size;
    if (batch.builder.bytes >= this.settings.batchBytes) this.closeFull(index);
    else this.scheduleFlush();
  }

  /** Resolves when append may be called again. */
  room(): Promise<void> {
    if (this.hasRoom) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  /** Sends what waits and resolves when every outcome is known. */
  async flush(): Promise<void> {
    this.sendOpen();
    while (this.unanswered > 0) {
      await new Promise<void>((resolve) => this.waiters.push(resolve));
      this.sendOpen();
    }
  }

  private choosePartition(key: Buffer | null): number {
    if (key !== null) return partitionOfKey(key, this.partitions.length);
    return this.stickyPartition;
  }

  /** With linger, batches wait that long; without, until the current turn of the event loop is over. */
  private scheduleFlush(): void {
    if (this.settings.lingerMs > 0) {
      this.lingerTimer ??= setTimeout(() => this.sendOpen(), this.settings.lingerMs);
      return;
    }
    if (this.flushQueued) return;
    this.flushQueued = true;
    setImmediate(() => {
      this.flushQueued = false;
      this.sendOpen();
    });
  }

  /** What is open has waited long enough. */
  private sendOpen(): void {
    if (this.lingerTimer !== null) clearTimeout(this.lingerTimer);
    this.lingerTimer = null;
    for (const batch of this.open) if (batch !== null) batch.isDue = true;
    for (const lane of this.lanes.values()) this.pump(lane);
  }

  /** Takes no more records into the open batch of a partition. */
  private close(index: number): Lane | null {
    const batch = this.open[index] ?? null;
    if (batch === null) return null;
    this.open[index] = null;
    if (index === this.stickyPartition) {
      this.stickyPartition = (this.stickyPartition + 1) % this.partitions.length;
    }
    const lane = this.lanes.get(batch.partition.leader);
    if (lane === undefined) throw new Error('a partition without a leader');
    lane.ready.push(batch);
    return lane;
  }

  private closeFull(index: number): void {
    const lane = this.close(index);
    if (lane !== null) this.pump(lane);
  }

  private pump(lane: Lane): void {
    while (lane.inFlight < this.settings.inFlightMax) {
      if (lane.ready.length === 0) this.closeDue(lane);
      if (lane.ready.length === 0) return;
      this.sendRequest(lane);
    }
  }

  private closeDue(lane: Lane): void {
    for (let index = 0; index < this.open.length; index++) {
      const batch = this.open[index] ?? null;
      if (batch === null || !batch.isDue) continue;
      if (this.lanes.get(batch.partition.leader) === lane) this.close(index);
    }
  }

  /** One request with at most one batch of each partition, as the protocol has it. */
  private sendRequest(lane: Lane): void {
    const batches = this.takeBatches(lane);
    const topicData: ProduceRequestTopicData = {
      name: this.settings.topic,
      topicId: ZERO_UUID,
      partitionData: batches.map(({ partition, bytes }) => ({ index: partition, records: bytes })),
    };
    const request = {
      transactionalId: null,
      acks: this.settings.acks,
      timeoutMs: REQUEST_TIMEOUT_MS,
      topicData: [topicData],
    };
    if (this.settings.acks === 0) {
      lane.inFlight++;
      lane.connection.send(API_CODECS.Produce, request, null);
      lane.connection.afterWrite(() => {
        lane.inFlight--;
        const lost = lane.connection.closed ? connectionLost(lane.connection.address) : null;
        for (const batch of batches) this.finish(batch, -1, lost);
        this.pump(lane);
      });
      return;
    }
    lane.inFlight++;
    lane.connection.send(API_CODECS.Produce, request, {
      onReply: (response) => {
        lane.inFlight--;
        this.onResponse(batches, response);
        this.pump(lane);
      },
      onFailure: (error) => {
        lane.inFlight--;
        for (const batch of batches) this.finish(batch, -1, error);
        this.pump(lane);
      },
    });
  }

  private takeBatches(lane: Lane): SealedBatch[] {
    const taken = new Set<number>();
    const batches: SealedBatch[] = [];
    let bytes = 0;
    while (lane.ready.length > 0 && bytes < REQUEST_BYTES_MAX) {
      const [batch] = lane.ready;
      if (batch === undefined || taken.has(batch.partition.index)) break;
      lane.ready.shift();
      taken.add(batch.partition.index);
      const sealed = batch.builder.finish({ compression: this.settings.compression });
      bytes += sealed.length;
      batches.push({ partition: batch.partition.index, bytes: sealed, tokens: batch.tokens });
    }
    return batches;
  }

  private onResponse(batches: readonly SealedBatch[], response: ProduceResponse): void {
    const answers = response.responses[0]?.partitionResponses ?? [];
    for (const batch of batches) {
      const answer = answers.find((candidate) => candidate.index === batch.partition);
      this.finish(batch, answer?.baseOffset ?? -1, this.outcome(batch, answer));
    }
  }

  private outcome(batch: SealedBatch, answer: ProduceResponsePartition | undefined): Error | null {
    const what = `produce to ${this.settings.topic}-${batch.partition}`;
    if (answer === undefined) return refused(what, -1, 'no answer for the partition');
    return answer.errorCode === 0 ? null : refused(what, answer.errorCode, answer.errorMessage);
  }

  private finish(batch: SealedBatch, baseOffset: number, error: Error | null): void {
    const { partition, tokens, bytes } = batch;
    this.unanswered -= tokens.length;
    this.bufferedBytes = this.unanswered === 0 ? 0 : Math.max(0, this.bufferedBytes - bytes.length);
    this.onDelivery({ partition, baseOffset, tokens, error });
    if (this.waiters.length === 0) return;
    const waiters = this.waiters;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }
}
