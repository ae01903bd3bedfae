import { setTimeout as sleep } from 'node:timers/promises';
import { BatchBuilder, type BatchOptions } from '../../../base/batch-builder.ts';
import type { RecordHeader } from '../../../base/records.ts';
import { connectionLost } from '../../../net/dial.ts';
import { API_CODECS } from '../codec/generated/apis.ts';
import type {
  ProduceRequestTopicData,
  ProduceResponse,
  ProduceResponsePartition,
} from '../codec/generated/produce.ts';
import { ZERO_UUID } from '../codec/records.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { refused } from './client-error.ts';
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
  /** Batches are numbered (acks -1 only), and sent again after an outage of up to this time; 0: never. */
  readonly retryMs: number;
  /** Called when a connection broke and batches wait to be sent again. */
  readonly onOutage: (outage: Error) => void;
}

export const PRODUCER_DEFAULTS = {
  acks: -1,
  lingerMs: 0,
  batchBytes: 16 * 1024,
  inFlightMax: 5,
  bufferBytes: 32 * 1024 * 1024,
  compression: 'none',
  retryMs: 0,
  onOutage: () => {},
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
  readonly baseSequence: number;
  readonly bytes: Buffer;
  readonly tokens: number[];
}

/** What waits for one broker. */
interface Lane {
  readonly leader: number;
  connection: KafkaConnection;
  readonly ready: OutgoingBatch[];
  /** Sent over a connection that broke, in the order of their sequence numbers. */
  readonly unsettled: SealedBatch[];
  inFlight: number;
  isRecovering: boolean;
}

/** The name under which a broker knows which batches it has seen. */
interface ProducerIdentity {
  readonly id: number;
  readonly epoch: number;
}

const FIRST_DELAY_MS = 100;
const DELAY_MS_MAX = 3000;
const SEQUENCE_MASK = 0x7fff_ffff;
/** Answers after which a batch is certainly not stored: the next one takes its sequence number. */
const NOT_STORED = new Set<number>([
  KAFKA_ERROR.CORRUPT_MESSAGE,
  KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION,
  KAFKA_ERROR.MESSAGE_TOO_LARGE,
  KAFKA_ERROR.RECORD_LIST_TOO_LARGE,
  KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED,
  KAFKA_ERROR.INVALID_TIMESTAMP,
  KAFKA_ERROR.POLICY_VIOLATION,
  KAFKA_ERROR.INVALID_RECORD,
]);

const REQUEST_BYTES_MAX = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
/** What a record costs beyond key and value, about; for the buffer limit only. */
const RECORD_OVERHEAD_BYTES = 16;

/**
 * Sends records to one topic in batches. append is synchronous; outcomes come by batch, so that a benchmark pays
 * no promise per record. With retryMs, a broker tells a batch that it has from one that was lost on the way, so that
 * sending again after a broken connection neither loses nor repeats records. Otherwise a batch that failed is not sent
 * again: the caller decides.
 */
export class KafkaProducer {
  readonly partitions: readonly PartitionLeader[];
  private readonly settings: ProducerSettings;
  private readonly lanes: ReadonlyMap<number, Lane>;
  private readonly cluster: KafkaCluster;
  private readonly identity: ProducerIdentity | null;
  /** Next sequence number of each partition. */
  private readonly sequences: number[];
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
    const all = { ...PRODUCER_DEFAULTS, ...settings };
    const partitions = await cluster.partitions(all.topic, { create: true });
    const lanes = new Map<number, Lane>();
    for (const { leader } of partitions) {
      if (lanes.has(leader)) continue;
      const connection = await cluster.node(leader);
      const lane = { leader, connection, ready: [], unsettled: [], inFlight: 0 };
      lanes.set(leader, { ...lane, isRecovering: false });
    }
    const [first] = lanes.values();
    const isNumbered = all.retryMs > 0 && all.acks === -1 && first !== undefined;
    const identity = isNumbered ? await newIdentity(first.connection) : null;
    return new KafkaProducer(cluster, all, { partitions, lanes, identity, onDelivery });
  }

  private constructor(
    cluster: KafkaCluster,
    settings: ProducerSettings,
    parts: {
      readonly partitions: readonly PartitionLeader[];
      readonly lanes: ReadonlyMap<number, Lane>;
      readonly identity: ProducerIdentity | null;
      readonly onDelivery: (delivery: Delivery) => void;
    },
  ) {
    this.cluster = cluster;
    this.settings = settings;
    this.partitions = parts.partitions;
    this.lanes = parts.lanes;
    this.identity = parts.identity;
    this.onDelivery = parts.onDelivery;
    this.open = parts.partitions.map(() => null);
    this.sequences = parts.partitions.map(() => 0);
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
    if (lane.isRecovering) return;
    // Numbered batches go one request after the other, so that one that is refused leaves no gap.
    const inFlightMax = this.identity === null ? this.settings.inFlightMax : 1;
    while (lane.inFlight < inFlightMax) {
      if (lane.unsettled.length > 0) {
        this.sendRequest(lane, takeUnsettled(lane.unsettled));
        continue;
      }
      if (lane.ready.length === 0) this.closeDue(lane);
      if (lane.ready.length === 0) return;
      this.sendRequest(lane, this.takeBatches(lane));
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
  private sendRequest(lane: Lane, batches: readonly SealedBatch[]): void {
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
        this.onFailure(lane, batches, error);
      },
    });
  }

  /** Requests under way fail in the order in which they were sent, all in one turn of the event loop. */
  private onFailure(lane: Lane, batches: readonly SealedBatch[], error: Error): void {
    if (this.identity === null || !lane.connection.closed) {
      for (const batch of batches) this.finish(batch, -1, error);
      this.pump(lane);
      return;
    }
    lane.unsettled.push(...batches);
    if (lane.isRecovering) return;
    lane.isRecovering = true;
    void this.recover(lane, error);
  }

  /** Connects again, with growing pauses, and sends what has no answer; never rejects. */
  private async recover(lane: Lane, outage: Error): Promise<void> {
    const giveUpMs = performance.now() + this.settings.retryMs;
    this.settings.onOutage(outage);
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, DELAY_MS_MAX)) {
      await sleep(delayMs);
      try {
        // Asks any broker first: the address of the leader may be another one by now.
        await this.cluster.partitions(this.settings.topic, { create: false });
        lane.connection = await this.cluster.node(lane.leader);
        break;
      } catch (error) {
        if (performance.now() < giveUpMs) continue;
        for (const batch of lane.unsettled.splice(0)) this.finish(batch, -1, error as Error);
        break;
      }
    }
    lane.isRecovering = false;
    this.pump(lane);
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
      const baseSequence = this.sequences[batch.partition.index] ?? 0;
      const sealed = batch.builder.finish(this.batchOptions(baseSequence));
      bytes += sealed.length;
      const { partition, tokens } = batch;
      this.sequences[partition.index] = (baseSequence + tokens.length) & SEQUENCE_MASK;
      batches.push({ partition: partition.index, baseSequence, bytes: sealed, tokens });
    }
    return batches;
  }

  private batchOptions(baseSequence: number): BatchOptions {
    const { compression } = this.settings;
    if (this.identity === null) return { compression };
    return { compression, producer: { ...this.identity, baseSequence } };
  }

  private onResponse(batches: readonly SealedBatch[], response: ProduceResponse): void {
    const answers = response.responses[0]?.partitionResponses ?? [];
    for (const batch of batches) {
      const answer = answers.find((candidate) => candidate.index === batch.partition);
      if (answer !== undefined && NOT_STORED.has(answer.errorCode)) {
        this.sequences[batch.partition] = batch.baseSequence;
      }
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

async function newIdentity(connection: KafkaConnection): Promise<ProducerIdentity> {
  const response = await connection.request(API_CODECS.InitProducerId, {
    transactionalId: null,
    transactionTimeoutMs: REQUEST_TIMEOUT_MS,
    producerId: -1,
    producerEpoch: -1,
  });
  if (response.errorCode !== 0) throw refused('a producer id', response.errorCode);
  return { id: response.producerId, epoch: response.producerEpoch };
}

/** From the front, at most one batch of each partition: the order within a partition stays. */
function takeUnsettled(unsettled: SealedBatch[]): SealedBatch[] {
  const partitions = new Set<number>();
  let count = 0;
  for (const { partition } of unsettled) {
    if (partitions.has(partition)) break;
    partitions.add(partition);
    count++;
  }
  return unsettled.splice(0, count);
}
