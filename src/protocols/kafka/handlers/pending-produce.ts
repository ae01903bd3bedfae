import type { PartitionView, TopicView } from '../../../core/types.ts';
import type { CommitListener, Position } from '../../../storage/types.ts';
import type { Writer } from '../codec/writer.ts';
import { KAFKA_ERROR } from '../errors.ts';
import type { RequestContext } from './handler.ts';

/** Finished objects kept for the next requests. */
const POOLED_MAX = 1024;
/** Objects that grew beyond this many partitions are not kept. */
const POOLED_PARTITIONS_MAX = 256;
const NO_RECORDS: readonly number[] = [];

/**
 * A produce request between its appends and its response. Results lie in parallel arrays that are used again by
 * later requests; topic i owns results [topicFirst[i], topicFirst[i + 1]).
 *
 * Partitions of different durability commit at different times: for each durability only the highest position is
 * waited for, because everything before it is committed then as well.
 */
export class PendingProduce implements CommitListener {
  private context: RequestContext | null = null;
  private version = 0;
  private topicCount = 0;
  private partitionCount = 0;
  private commitsLeft = 0;
  private failed = false;
  private throttleMs = 0;
  private readonly topicNames: string[] = [];
  private readonly topicIds: (Buffer | null)[] = [];
  private readonly topicFirst: number[] = [];
  private readonly indexes: number[] = [];
  private readonly errors: number[] = [];
  private readonly messages: (string | null)[] = [];
  private readonly badRecords: (readonly number[])[] = [];
  private readonly baseOffsets: number[] = [];
  private readonly appendTimes: number[] = [];
  private readonly logStarts: number[] = [];
  /** Highest position per durability, with a partition of it. */
  private readonly waits = [new CommitWait(), new CommitWait(), new CommitWait()];
  private readonly pool: PendingProduce[];

  private constructor(pool: PendingProduce[]) {
    this.pool = pool;
  }

  static take(context: RequestContext, version: number): PendingProduce {
    const pool = context.services.producePool;
    const pending = pool.pop() ?? new PendingProduce(pool);
    pending.context = context;
    pending.version = version;
    return pending;
  }

  get currentTopicName(): string {
    return this.topicNames[this.topicCount - 1] ?? '';
  }

  get currentTopicId(): Buffer | null {
    return this.topicIds[this.topicCount - 1] ?? null;
  }

  beginTopic(topic: TopicView | null, name: string, id: Buffer | null): void {
    this.topicNames[this.topicCount] = name;
    this.topicIds[this.topicCount] = id;
    this.topicFirst[this.topicCount] = this.partitionCount;
    this.topicCount++;
    if (topic === null || this.context === null) return;
    this.context.services.metrics.of(topic).produceRequests++;
  }

  addFailure(
    index: number,
    error: number,
    message: string | null,
    badRecords: readonly number[] = NO_RECORDS,
  ): void {
    const at = this.add(index, error, message);
    this.badRecords[at] = badRecords;
  }

  addAppend(
    partition: PartitionView,
    baseOffset: number,
    appendTimeMs: number,
    position: Position,
  ): void {
    const at = this.add(partition.index, KAFKA_ERROR.NONE, null);
    this.baseOffsets[at] = baseOffset;
    this.appendTimes[at] = appendTimeMs;
    this.logStarts[at] = partition.logStart;
    const durability = partition.topic.config.durability;
    const wait = this.waits[durability === 'fsync' ? 0 : durability === 'os' ? 1 : 2];
    if (wait !== undefined && position > wait.position) {
      wait.position = position;
      wait.partition = partition;
    }
  }

  firstError(): number {
    for (let at = 0; at < this.partitionCount; at++) {
      const error = this.errors[at] ?? KAFKA_ERROR.NONE;
      if (error !== KAFKA_ERROR.NONE) return error;
    }
    return KAFKA_ERROR.NONE;
  }

  /** Told to the client: how long it is held back. */
  set throttle(ms: number) {
    this.throttleMs = ms;
  }

  /** Answers when everything appended is committed; at once when nothing was. */
  waitForCommits(): void {
    // Counted before anybody is asked: a listener might be called early.
    for (const wait of this.waits) if (wait.partition !== null) this.commitsLeft++;
    if (this.commitsLeft === 0) {
      this.answer();
      return;
    }
    for (const wait of this.waits) wait.partition?.whenCommitted(wait.position, this);
  }

  onCommitted(): void {
    this.commitsLeft--;
    if (this.commitsLeft === 0) this.answer();
  }

  onCommitFailed(): void {
    this.failed = true;
    this.commitsLeft--;
    if (this.commitsLeft === 0) this.answer();
  }

  /** Gives the object back; nobody may use it afterwards. */
  release(): void {
    this.context = null;
    const reusable = this.partitionCount <= POOLED_PARTITIONS_MAX;
    this.topicCount = 0;
    this.partitionCount = 0;
    this.commitsLeft = 0;
    this.failed = false;
    this.throttleMs = 0;
    for (const wait of this.waits) wait.clear();
    if (reusable && this.pool.length < POOLED_MAX) this.pool.push(this);
  }

  write(writer: Writer): void {
    const version = this.version;
    const flexible = version >= 9;
    writer.arrayCount(flexible, this.topicCount);
    for (let topic = 0; topic < this.topicCount; topic++) {
      const first = this.topicFirst[topic] ?? 0;
      const end =
        topic + 1 < this.topicCount ? (this.topicFirst[topic + 1] ?? first) : this.partitionCount;
      const id = this.topicIds[topic] ?? null;
      if (id !== null) writer.uuid(id);
      else writer.string(flexible, this.topicNames[topic] ?? '');
      writer.arrayCount(flexible, end - first);
      for (let at = first; at < end; at++) this.writePartition(writer, at);
      if (flexible) writer.uvarint(0);
    }
    writer.int32(this.throttleMs);
    if (flexible) writer.uvarint(0);
  }

  private writePartition(writer: Writer, at: number): void {
    const version = this.version;
    const flexible = version >= 9;
    const appended = this.errors[at] === KAFKA_ERROR.NONE;
    // After a failed write nobody knows what is on the disk: the producer has to ask again.
    const lost = appended && this.failed;
    const error = lost ? KAFKA_ERROR.KAFKA_STORAGE_ERROR : (this.errors[at] ?? 0);
    writer.int32(this.indexes[at] ?? 0);
    writer.int16(error);
    writer.int64(lost ? -1 : (this.baseOffsets[at] ?? -1));
    writer.int64(lost ? -1 : (this.appendTimes[at] ?? -1));
    if (version >= 5) writer.int64(this.logStarts[at] ?? -1);
    if (version >= 8) {
      this.writeBadRecords(writer, at, flexible);
      writer.nullableString(flexible, this.messages[at] ?? null);
    }
    if (flexible) writer.uvarint(0);
  }

  /** Their messages are null: clients take that of the partition then. */
  private writeBadRecords(writer: Writer, at: number, flexible: boolean): void {
    const records = this.badRecords[at] ?? NO_RECORDS;
    writer.arrayCount(flexible, records.length);
    for (let i = 0; i < records.length; i++) {
      writer.int32(records[i] ?? 0);
      writer.nullableString(flexible, null);
      if (flexible) writer.uvarint(0);
    }
  }

  private add(index: number, error: number, message: string | null): number {
    const at = this.partitionCount++;
    this.indexes[at] = index;
    this.errors[at] = error;
    this.messages[at] = message;
    this.badRecords[at] = NO_RECORDS;
    this.baseOffsets[at] = -1;
    this.appendTimes[at] = -1;
    this.logStarts[at] = -1;
    return at;
  }

  private answer(): void {
    const context = this.context;
    if (context !== null && context.open) context.respond(writeProduceAnswer, this);
    this.release();
  }
}

class CommitWait {
  position: Position = -1;
  partition: PartitionView | null = null;

  clear(): void {
    this.position = -1;
    this.partition = null;
  }
}

/** The response's body; see codec/generated/produce.ts for its layout. */
export function writeProduceAnswer(writer: Writer, pending: PendingProduce): void {
  pending.write(writer);
}
