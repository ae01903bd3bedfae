import type { MetaStore } from './meta-store.ts';

/** A log's number inside one engine; never reused. */
export type LogId = number;

/**
 * The commit group an entry joined, counted upwards from 1 over the life of the storage. Everything up to a
 * position commits together and in order; several appends of one group share a position.
 */
export type Position = number;

/** When a log's appends count as committed: after fdatasync, after write(2), or at once (never on disk). */
export type Durability = 'fsync' | 'os' | 'memory';

/** What a log is told to keep. Absent limits are Infinity. */
export interface LogSpec {
  readonly durability: Durability;
  /** Records older than this many ms (by the batch's max timestamp) may be dropped. */
  readonly retentionMs: number;
  /** The oldest data is dropped while the log is larger than this many bytes. */
  readonly retentionBytes: number;
  /** A settled segment is rolled at this size. */
  readonly segmentBytes: number;
}

export interface NewLog {
  readonly id: LogId;
  /** Unique and durable: `<kind>/<namespace>/<...>`; for people and for repair tools. */
  readonly name: string;
  readonly spec: LogSpec;
}

export interface Owner {
  readonly node: number;
  readonly address: string | null;
  readonly epoch: number;
  readonly mine: boolean;
}

export interface Bounds {
  /** First offset that can be read. */
  readonly start: number;
  /** First offset that is not committed yet at the log's own durability. */
  readonly committedEnd: number;
  /** Offset that the next append gets. */
  readonly pendingEnd: number;
  /** Bytes kept between start and pendingEnd. */
  readonly bytes: number;
}

/** Why an append was refused. Negative, so that it cannot be mistaken for a position. */
export const APPEND_REFUSED = {
  notOwner: -1,
  unknownLog: -2,
  /** Durable publishers are blocked: the disk is above its highest watermark. */
  diskFull: -3,
  /** The memory limit of memory logs is reached. */
  memoryFull: -4,
  /** A write or sync failed earlier: the engine takes no more data until it is restarted. */
  failed: -5,
  closed: -6,
} as const;

/** Told exactly once when a position commits or can no longer be promised to. Never called inside append. */
export interface CommitListener {
  onCommitted(): void;
  /** The outcome is unknown: the data may or may not be there after a restart. */
  onCommitFailed(error: Error): void;
}

/**
 * Keeps pooled memory from being reused while somebody still sends it. Forgetting to release costs memory;
 * forgetting to retain before using bytes in a later turn of the event loop is a bug.
 */
export interface Lease {
  retain(): void;
  release(): void;
}

/** Bytes [start, end) of a buffer that the receiver must not change. Valid in this turn, or while the lease is retained. */
export interface Slice {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  readonly lease: Lease | null;
}

export interface ReadOptions {
  /** Stop before exceeding this many bytes. */
  readonly maxBytes: number;
  /** Return the first batch even when it is larger than maxBytes. */
  readonly atLeastOneBatch: boolean;
  /** Return no batch whose base offset is at or after this (default: committedEnd). */
  readonly endOffset?: number;
  readonly signal?: AbortSignal;
}

export type ReadResult =
  /** Whole batches, in offset order, beginning with the one that holds the asked offset; none at the end of the log. */
  | { readonly status: 'ok'; readonly slices: readonly Slice[]; readonly bytes: number }
  | { readonly status: 'out-of-range'; readonly start: number; readonly committedEnd: number }
  /** The range is damaged and quarantined; reading may go on at resumeOffset. */
  | { readonly status: 'corrupt'; readonly resumeOffset: number }
  | { readonly status: 'unknown-log' };

export interface SnapshotStore {
  /**
   * Keeps bytes as the newest state of the log's state machine, as of everything appended so far. Written with
   * the next checkpoint, atomically with its position; call it from an onCheckpoint callback.
   */
  save(log: LogId, bytes: Buffer): void;
  /** The state as of the last checkpoint, or null. */
  load(log: LogId): Buffer | null;
}

/** Receives, during open(), what was journalled after the last checkpoint, in order. Buffers are valid during the call only. */
export interface ReplayVisitor {
  /** Batches [start, end) of the buffer were appended to the log: one or several, whole. */
  onBatches(log: LogId, buffer: Buffer, start: number, end: number): void;
  onNote(log: LogId, note: Buffer): void;
}

export interface Identity {
  /** 16 random bytes, made when the storage was created. */
  readonly clusterId: Buffer;
  readonly nodeId: number;
  /** Counts every start of this storage, from 1. */
  readonly incarnation: number;
  /** False when committed data may have been lost (a torn tail was cut): log epochs count up. */
  readonly cleanStart: boolean;
}

export interface StoredLog extends NewLog {
  readonly bounds: Bounds;
}

export type Unsubscribe = () => void;

/** Disk usage state, lowest to highest; see docs/internals/storage.md. */
export type DiskState = 'ok' | 'warn' | 'shrink' | 'alarm' | 'blocked';

/**
 * The log engine: what the broker sees of storage, the same for every driver. Single-threaded; methods that
 * return no promise never block. All state a method reads is as of the current turn.
 */
export interface LogEngine {
  /** Recovers, feeding the visitor; resolves when the engine can be used. Rejects with LB1003, LB2001, LB2002, LB2003. */
  open(visitor: ReplayVisitor): Promise<Identity>;
  /** drain: commits everything pending, checkpoints, closes. abort: as a crash would, but releases the files. Idempotent. */
  close(mode: 'drain' | 'abort'): Promise<void>;

  owner(log: LogId): Owner;
  onOwnership(
    callback: (log: LogId, change: 'acquired' | 'releasing' | 'lost') => void,
  ): Unsubscribe;

  /** The first of count fresh, consecutive log ids; ids that are not created afterwards are simply skipped. */
  allocateLogIds(count: number): Promise<LogId>;
  logs(): Iterable<StoredLog>;
  hasLog(log: LogId): boolean;
  spec(log: LogId): LogSpec | null;

  /**
   * Appends batches [start, end) of the buffer (one or several whole record batches, contiguous) and returns
   * the position, or one of APPEND_REFUSED. Copies the bytes (the caller may reuse the buffer at once) and
   * stamps base offsets, beginning at pendingEnd(log), and epoch as the batches' leader epoch.
   */
  append(log: LogId, epoch: number, buffer: Buffer, start: number, end: number): Position;
  /** One body with an offset in each log; all or nothing. epochs[i] belongs to logs[i]. */
  appendShared(
    logs: readonly LogId[],
    epochs: readonly number[],
    buffer: Buffer,
    start: number,
    end: number,
  ): Position;
  /** A small state delta of the log's state machine; replayed until a snapshot covers it. Accepted when the disk is full. */
  appendNote(log: LogId, epoch: number, note: Buffer): Position;
  /** Everything appended inside work joins one commit group. work is synchronous. */
  atomically(work: () => void): void;

  /** Calls the listener when position is committed at the given durability ('memory': in a later turn, at once). */
  whenCommitted(position: Position, durability: Durability, listener: CommitListener): void;
  /** Monotonic: every group up to position is committed at that durability. */
  onCommitted(callback: (position: Position, durability: 'fsync' | 'os') => void): Unsubscribe;

  pendingEnd(log: LogId): number;
  bounds(log: LogId): Bounds | null;
  /** Called after the log's committedEnd or start moved; coalesced per commit group. */
  onAdvance(log: LogId, callback: () => void): Unsubscribe;
  /** Synchronous when memory has the data. Never rejects for damaged data (status 'corrupt'). */
  read(log: LogId, from: number, options: ReadOptions): ReadResult | Promise<ReadResult>;
  /** Base offset of the first batch whose max timestamp is >= timestamp (ms), or null. */
  offsetForTime(log: LogId, timestamp: number): Promise<number | null>;
  /** Base offset and max timestamp of the batch with the largest timestamp, or null when empty. */
  maxTimestamp(log: LogId): { readonly timestamp: number; readonly baseOffset: number } | null;
  /** Everything before the offset may be dropped; bounds.start moves now, space is freed later. Journalled. */
  trim(log: LogId, before: number): Position;

  readonly snapshots: SnapshotStore;
  /** Called before every checkpoint position: what is appended in it is covered by the checkpoint. */
  beforeCheckpoint(callback: () => void): Unsubscribe;
  /** Called synchronously at every checkpoint position, so that state machines can save snapshots. */
  onCheckpoint(callback: () => void): Unsubscribe;
  readonly meta: MetaStore;

  /** False while too many bytes wait to be written: front-ends stop reading from publishers. */
  writable(): boolean;
  onWritable(callback: () => void): Unsubscribe;
  diskState(): DiskState;
  onDiskState(callback: (state: DiskState) => void): Unsubscribe;
  stats(): EngineStats;
}

/** Plain counters and gauges, read at scrape time. Sizes in bytes, times in ms. */
export interface EngineStats {
  readonly groups: number;
  readonly appends: number;
  readonly appendedBytes: number;
  readonly syncs: number;
  readonly syncMsTotal: number;
  readonly writeMsTotal: number;
  readonly pendingBytes: number;
  readonly journalBytes: number;
  readonly journalFiles: number;
  readonly segmentBytes: number;
  readonly segmentFiles: number;
  readonly cacheBytes: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  /** Memory of cold reads under way and of answers that hold what they read. */
  readonly coldReadBytes: number;
  /** Cold reads that had to wait because of that. */
  readonly coldReadWaits: number;
  readonly checkpoints: number;
  readonly settledBytes: number;
  /** Copied out of mostly dead segment files. */
  readonly repackedBytes: number;
  /** Memory of the index of what lies in the journal, about. */
  readonly indexBytes: number;
  /** How long commits were held back because settling lagged behind. */
  readonly pacedMsTotal: number;
  readonly quarantinedRanges: number;
  readonly logs: number;
  readonly diskTotalBytes: number;
  readonly diskFreeBytes: number;
}
