import type { CommitListener, Durability, ReadResult, Position } from '../storage/types.ts';

/** A topic's settings after defaults. Sizes in bytes, times in ms, absent limits Infinity. */
export interface TopicConfig {
  readonly durability: Durability;
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly segmentBytes: number;
  readonly maxMessageBytes: number;
  readonly timestampType: 'create' | 'append';
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
  /** Records without a key are rejected (the topic is meant to be compacted). */
  readonly requireKey: boolean;
}

/** A topic as other parts see it. */
export interface TopicView {
  /** 16 bytes. */
  readonly id: Buffer;
  readonly namespace: string;
  readonly name: string;
  readonly partitionCount: number;
  readonly config: TopicConfig;
  /** Settings as a protocol gave them: opaque to core, kept with the topic. */
  readonly overrides: Readonly<Record<string, string>>;
  readonly internal: boolean;
  /** The partition, made on first use; null when index is outside. */
  partition(index: number): PartitionView | null;
}

export type AppendOutcome =
  | {
      readonly status: 'ok';
      readonly baseOffset: number;
      /** ms when the topic stamps append time, else -1. */
      readonly appendTimeMs: number;
      readonly position: Position;
    }
  /** The same batch was appended before; position is when that append committed or commits. */
  | { readonly status: 'duplicate'; readonly baseOffset: number; readonly position: Position }
  | {
      readonly status:
        | 'not-owner'
        | 'disk-full'
        | 'memory-full'
        | 'storage-failed'
        | 'closed'
        | 'too-large'
        | 'corrupt'
        | 'old-format'
        | 'invalid-record'
        | 'invalid-timestamp'
        | 'key-required'
        | 'out-of-order-sequence'
        | 'producer-fenced'
        | 'unknown-producer';
      readonly message: string;
      /** Which records are to blame, counted from 0, when some are and others are not; may be cut short. */
      readonly badRecords?: readonly number[];
    };

/** Woken when a read that found too little may find more. Removed by cancel() or after it was woken once. */
export interface DataWaiter {
  onData(): void;
}

export interface PartitionView {
  readonly topic: TopicView;
  readonly index: number;
  readonly leaderEpoch: number;
  readonly logStart: number;
  /** First offset that is not committed. */
  readonly highWatermark: number;
  /** First offset of the oldest open transaction, else highWatermark. */
  readonly lastStableOffset: number;
  readonly bytes: number;
  /**
   * Appends bytes [start, end): exactly one record batch from a client. Checks it (checksum, size, producer
   * sequence, timestamps), stamps it and copies it. The buffer's batch header may be changed in place.
   */
  appendBatch(buffer: Buffer, start: number, end: number): AppendOutcome;
  /** Calls the listener when the position is committed at the topic's durability. */
  whenCommitted(position: Position, listener: CommitListener): void;
  read(
    from: number,
    options: {
      readonly maxBytes: number;
      readonly atLeastOneBatch: boolean;
      readonly isolation: 'uncommitted' | 'committed';
    },
  ): ReadResult | Promise<ReadResult>;
  /** Committed bytes from an offset to the end visible at that isolation; cheap, may be rounded up to whole batches. */
  bytesFrom(from: number): number;
  addWaiter(waiter: DataWaiter): void;
  removeWaiter(waiter: DataWaiter): void;
  /** Offset and timestamp of the first record at or after the timestamp (ms), exact inside its batch, or null. */
  offsetForTimestamp(timestamp: number): Promise<{ offset: number; timestamp: number } | null>;
  /** Offset and timestamp of the record with the largest timestamp, or null when empty. */
  maxTimestampOffset(): Promise<{ offset: number; timestamp: number } | null>;
  /** End offset of the largest leader epoch <= epoch, or null when there is none. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } | null;
  /** Moves logStart; -1 means to the high watermark. Resolves with the new log start when durable. */
  deleteRecordsBefore(offset: number): Promise<number | 'out-of-range'>;
  /** Active idempotent producers, for inspection. */
  producers(): readonly {
    readonly producerId: number;
    readonly epoch: number;
    readonly lastSequence: number;
    readonly lastTimestamp: number;
  }[];
}

export type TopicOutcome =
  | { readonly status: 'ok'; readonly topic: TopicView }
  | { readonly status: 'exists' }
  | { readonly status: 'unknown' }
  | { readonly status: 'invalid-name'; readonly message: string }
  | { readonly status: 'invalid-partitions'; readonly message: string }
  | { readonly status: 'limit'; readonly message: string }
  | { readonly status: 'busy' }
  | { readonly status: 'failed'; readonly message: string };

export interface NewTopic {
  readonly namespace: string;
  readonly name: string;
  readonly partitions: number;
  readonly config: TopicConfig;
  readonly overrides: Readonly<Record<string, string>>;
}

/** All topics of a broker. Names are unique in a namespace and case-sensitive. */
export interface TopicRegistry {
  /** Counts up at every change of what exists; for caches. */
  readonly revision: number;
  byName(namespace: string, name: string): TopicView | null;
  byId(id: Buffer): TopicView | null;
  /** In name order. */
  list(namespace: string): readonly TopicView[];
  /** Resolves when durable; two creations of one name at once: the second gets 'exists'. */
  create(topic: NewTopic): Promise<TopicOutcome>;
  /** What create would answer, without doing it. */
  check(topic: NewTopic): TopicOutcome['status'] | null;
  delete(namespace: string, name: string): Promise<TopicOutcome>;
  setPartitionCount(namespace: string, name: string, total: number): Promise<TopicOutcome>;
  alterConfig(
    namespace: string,
    name: string,
    config: TopicConfig,
    overrides: Readonly<Record<string, string>>,
  ): Promise<TopicOutcome>;
}
