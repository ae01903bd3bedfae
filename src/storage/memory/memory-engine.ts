import assert from 'node:assert/strict';
import type { Clock, Timer } from '../../base/clock.ts';
import { LyrebirdError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { MemoryRuns } from '../cache/memory-runs.ts';
import { measureBatches, newBatchTotals, stampBatches } from '../index/batch-walk.ts';
import type { BatchTotals } from '../index/batch-walk.ts';
import type { LogState } from '../index/log-state.ts';
import { LogTable, boundsOf } from '../index/log-table.ts';
import { CommitWaiters } from '../journal/commit-waiters.ts';
import { APPEND_REFUSED } from '../types.ts';
import type {
  Bounds,
  CommitListener,
  DiskState,
  Durability,
  EngineStats,
  Identity,
  LogEngine,
  LogId,
  LogSpec,
  Owner,
  Position,
  ReadOptions,
  ReadResult,
  SnapshotStore,
  StoredLog,
  Unsubscribe,
} from '../types.ts';
import { MemoryMeta } from './memory-meta.ts';
import { memoryOffsetForTime, readMemoryLog } from './memory-reader.ts';
import { dropBefore, dropExpired, dropExcess } from './memory-retention.ts';

export interface MemoryEngineOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeId?: number;
  /** Appends are refused with memoryFull when the data of all logs would exceed this. Default 1 GiB. */
  readonly memoryBytesMax?: number;
  /** How often records are looked at for their age. Default 5 s. */
  readonly retentionCheckMs?: number;
}

type CommittedCallback = (position: Position, durability: 'fsync' | 'os') => void;

const MEMORY_BYTES_MAX = 1 << 30;
const RETENTION_CHECK_MS = 5_000;
const { unknownLog, memoryFull, closed } = APPEND_REFUSED;

/**
 * The engine of `--memory` and of tests: the whole interface without a disk. Everything appended in one turn of
 * the event loop is a commit group, and commits, at every durability, when the turn is over.
 */
export class MemoryEngine implements LogEngine {
  readonly meta: MemoryMeta;
  readonly snapshots: SnapshotStore;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly logger: Logger;
  private readonly memoryBytesMax: number;
  private readonly retentionCheckMs: number;
  private readonly me: Owner;
  private readonly table: LogTable;
  private readonly waiters: CommitWaiters;
  private readonly totals: BatchTotals;
  private readonly commitLater: () => void;
  private state: 'new' | 'open' | 'closed';
  /** The open group's position; everything before it is committed. */
  private group: Position;
  private commitScheduled: boolean;
  /** Logs with appends in the open group, or whose start moved in it. */
  private touched: LogState[];
  private committedCallbacks: readonly CommittedCallback[];
  private retentionTimer: Timer | null;
  private memoryBytes: number;
  private appends: number;
  private appendedBytes: number;

  constructor(options: MemoryEngineOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.logger = options.logger;
    this.memoryBytesMax = options.memoryBytesMax ?? MEMORY_BYTES_MAX;
    this.retentionCheckMs = options.retentionCheckMs ?? RETENTION_CHECK_MS;
    this.me = { node: options.nodeId ?? 1, address: null, epoch: 1, mine: true };
    this.table = new LogTable();
    this.waiters = new CommitWaiters(options);
    this.totals = newBatchTotals();
    this.commitLater = () => {
      this.commitScheduled = false;
      if (this.state === 'open') this.commit();
    };
    this.state = 'new';
    this.group = 1;
    this.commitScheduled = false;
    this.touched = [];
    this.committedCallbacks = [];
    this.retentionTimer = null;
    this.memoryBytes = 0;
    this.appends = 0;
    this.appendedBytes = 0;
    this.meta = new MemoryMeta({ ...options, joinGroup: () => this.joinGroup() });
    const saved = new Map<LogId, Buffer>();
    this.snapshots = {
      save: (log, bytes) => void saved.set(log, bytes),
      load: (log) => saved.get(log) ?? null,
    };
  }

  /** Nothing is ever there, so the visitor of an engine with a disk has nothing to see. */
  open(): Promise<Identity> {
    assert(this.state === 'new', 'an engine is opened once');
    this.state = 'open';
    this.scheduleRetention();
    return Promise.resolve({
      clusterId: this.random.bytes(16),
      nodeId: this.me.node,
      incarnation: 1,
      cleanStart: false,
    });
  }

  close(mode: 'drain' | 'abort'): Promise<void> {
    if (this.state === 'closed') return Promise.resolve();
    if (mode === 'drain' && this.state === 'open') this.commit();
    this.state = 'closed';
    this.retentionTimer?.cancel();
    const error = new LyrebirdError('LB2005', 'the memory engine was closed');
    this.meta.close(error);
    this.waiters.fail(error);
    return Promise.resolve();
  }

  owner(): Owner {
    return this.me;
  }

  /** Ownership never changes. */
  onOwnership(): Unsubscribe {
    return () => {};
  }

  allocateLogIds(count: number): Promise<LogId> {
    const first = this.table.nextLogId;
    this.table.nextLogId += count;
    return Promise.resolve(first);
  }

  logs(): Iterable<StoredLog> {
    return this.table.stored();
  }

  hasLog(log: LogId): boolean {
    return this.table.get(log) !== undefined;
  }

  spec(log: LogId): LogSpec | null {
    return this.table.get(log)?.spec ?? null;
  }

  append(id: LogId, epoch: number, buffer: Buffer, start: number, end: number): Position {
    if (this.state !== 'open') return closed;
    const log = this.table.get(id);
    if (log === undefined) return unknownLog;
    if (this.memoryBytes + (end - start) > this.memoryBytesMax) return memoryFull;
    this.measure(buffer, start, end);
    this.store(log, epoch, buffer, start, end);
    return this.joinGroup();
  }

  appendShared(
    logs: readonly LogId[],
    epochs: readonly number[],
    buffer: Buffer,
    start: number,
    end: number,
  ): Position {
    if (this.state !== 'open') return closed;
    for (let i = 0; i < logs.length; i++) if (!this.hasLog(logs[i]!)) return unknownLog;
    // Each log gets stamped bytes of its own; sharing would have to stamp a copy at every read instead.
    if (this.memoryBytes + (end - start) * logs.length > this.memoryBytesMax) return memoryFull;
    this.measure(buffer, start, end);
    for (let i = 0; i < logs.length; i++) {
      this.store(this.table.get(logs[i]!)!, epochs[i]!, buffer, start, end);
    }
    return this.joinGroup();
  }

  /** Notes are for the next start, which has nothing to replay: only their place in the order counts. */
  appendNote(id: LogId): Position {
    if (this.state !== 'open') return closed;
    return this.hasLog(id) ? this.joinGroup() : unknownLog;
  }

  /** Groups end with the turn, so that synchronous work always stays in one. */
  atomically(work: () => void): void {
    work();
  }

  whenCommitted(position: Position, _durability: Durability, listener: CommitListener): void {
    assert(position >= 0 && position <= this.group, 'a position that append returned');
    this.waiters.add(position, listener);
  }

  onCommitted(callback: CommittedCallback): Unsubscribe {
    const own: CommittedCallback = (position, durability) => callback(position, durability);
    this.committedCallbacks = [...this.committedCallbacks, own];
    return () => {
      this.committedCallbacks = this.committedCallbacks.filter((other) => other !== own);
    };
  }

  pendingEnd(log: LogId): number {
    return this.table.get(log)?.pendingEnd ?? 0;
  }

  bounds(log: LogId): Bounds | null {
    const state = this.table.get(log);
    return state === undefined ? null : boundsOf(state);
  }

  onAdvance(id: LogId, callback: () => void): Unsubscribe {
    const log = this.table.get(id);
    if (log === undefined) return () => {};
    const own = (): void => callback();
    log.advanceCallbacks = [...(log.advanceCallbacks ?? []), own];
    return () => {
      const rest = log.advanceCallbacks?.filter((other) => other !== own) ?? [];
      log.advanceCallbacks = rest.length === 0 ? null : rest;
    };
  }

  read(id: LogId, from: number, options: ReadOptions): ReadResult {
    const log = this.table.get(id);
    return log === undefined ? { status: 'unknown-log' } : readMemoryLog(log, from, options);
  }

  offsetForTime(id: LogId, timestamp: number): Promise<number | null> {
    const log = this.table.get(id);
    return Promise.resolve(log === undefined ? null : memoryOffsetForTime(log, timestamp));
  }

  maxTimestamp(id: LogId): { readonly timestamp: number; readonly baseOffset: number } | null {
    const log = this.table.get(id);
    if (log === undefined) return null;
    if (Number.isNaN(log.maxTimestamp)) this.findMaxTimestamp(log, log.start);
    if (log.maxTimestampOffset === -1) return null;
    return {
      timestamp: log.maxTimestamp,
      baseOffset: Math.max(log.maxTimestampOffset, log.start),
    };
  }

  trim(id: LogId, before: number): Position {
    if (this.state !== 'open') return closed;
    const log = this.table.get(id);
    if (log === undefined) return unknownLog;
    const start = Math.min(before, log.committedEnd);
    if (start > log.start) this.dropped(log, dropBefore(log, start));
    return this.joinGroup();
  }

  beforeCheckpoint(): Unsubscribe {
    return () => {};
  }

  /** A memory engine has no checkpoints: nothing would be lost less. */
  onCheckpoint(): Unsubscribe {
    return () => {};
  }

  writable(): boolean {
    return true;
  }

  onWritable(): Unsubscribe {
    return () => {};
  }

  diskState(): DiskState {
    return 'ok';
  }

  onDiskState(): Unsubscribe {
    return () => {};
  }

  stats(): EngineStats {
    return {
      groups: this.group - 1,
      appends: this.appends,
      appendedBytes: this.appendedBytes,
      syncs: 0,
      syncMsTotal: 0,
      writeMsTotal: 0,
      pendingBytes: 0,
      journalBytes: 0,
      journalFiles: 0,
      segmentBytes: 0,
      segmentFiles: 0,
      cacheBytes: this.memoryBytes,
      cacheHits: 0,
      cacheMisses: 0,
      checkpoints: 0,
      coldReadBytes: 0,
      coldReadWaits: 0,
      settledBytes: 0,
      repackedBytes: 0,
      indexBytes: 0,
      pacedMsTotal: 0,
      quarantinedRanges: 0,
      logs: this.table.size,
      diskTotalBytes: 0,
      diskFreeBytes: 0,
    };
  }

  private measure(buffer: Buffer, start: number, end: number): void {
    assert(measureBatches(buffer, start, end, this.totals), 'append takes whole record batches');
  }

  /** Copies measured batches to the end of a log; they are visible when the group commits. */
  private store(log: LogState, epoch: number, buffer: Buffer, start: number, end: number): void {
    const { totals } = this;
    const bytes = end - start;
    const memory = (log.memory ??= new MemoryRuns());
    const location = memory.reserve(bytes);
    const chunk = memory.buffer(location);
    const at = memory.position(location);
    buffer.copy(chunk, at, start, end);
    stampBatches(chunk, at, at + bytes, log.pendingEnd, epoch);
    memory.runs.push(
      log.pendingEnd,
      location,
      bytes,
      totals.offsetCount,
      0,
      totals.maxTimestamp,
      totals.maxTimestampDelta,
    );
    log.pendingEnd += totals.offsetCount;
    log.bytes += bytes;
    this.memoryBytes += bytes;
    this.appends++;
    this.appendedBytes += bytes;
    this.touch(log);
  }

  private touch(log: LogState): void {
    if (log.advanced) return;
    log.advanced = true;
    this.touched.push(log);
  }

  private joinGroup(): Position {
    if (!this.commitScheduled) {
      this.commitScheduled = true;
      this.clock.defer(this.commitLater);
    }
    return this.group;
  }

  /** Ends the group: first all state is changed, then everybody is told. */
  private commit(): void {
    const position = this.group++;
    const advanced = this.touched;
    this.touched = [];
    for (let i = 0; i < advanced.length; i++) {
      const log = advanced[i]!;
      log.advanced = false;
      if (log.pendingEnd === log.committedEnd) continue;
      const before = log.committedEnd;
      log.committedEnd = log.pendingEnd;
      if (!Number.isNaN(log.maxTimestamp)) this.findMaxTimestamp(log, before);
      const drops = dropExcess(log);
      if (drops > 0) this.released(log, drops);
    }
    this.meta.commit((txn) => {
      for (const log of txn.createLogs) this.table.create(log);
      for (const { id, spec } of txn.alterLogs) this.table.alter(id, spec);
      for (const id of txn.deleteLogs) this.remove(id);
      this.table.takeDirty();
    });
    this.waiters.advance(position);
    for (const callback of this.committedCallbacks) {
      this.call(() => callback(position, 'os'));
      this.call(() => callback(position, 'fsync'));
    }
    for (let i = 0; i < advanced.length; i++) this.notify(advanced[i]!);
  }

  private notify(log: LogState): void {
    const callbacks = log.advanceCallbacks;
    if (callbacks === null) return;
    for (let i = 0; i < callbacks.length; i++) this.call(callbacks[i]!);
  }

  private call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.logger.error('storage.listener', 'a listener of the memory engine threw', { error });
    }
  }

  private remove(id: LogId): void {
    const log = this.table.remove(id);
    if (log === undefined) return;
    this.memoryBytes -= log.bytes;
    log.memory = null;
    log.bytes = 0;
  }

  /** Takes the largest timestamp of the committed batches at or after the offset into account. */
  private findMaxTimestamp(log: LogState, from: number): void {
    if (Number.isNaN(log.maxTimestamp)) {
      log.maxTimestamp = -1;
      log.maxTimestampOffset = -1;
    }
    if (log.memory === null) return;
    const { runs } = log.memory;
    for (let run = runs.find(from); run < runs.length; run++) {
      const baseOffset = runs.baseOffset(run);
      if (baseOffset >= log.committedEnd) return;
      const timestamp = runs.maxTimestamp(run);
      if (timestamp <= log.maxTimestamp && log.maxTimestampOffset !== -1) continue;
      log.maxTimestamp = timestamp;
      log.maxTimestampOffset = baseOffset + runs.maxTimestampDelta(run);
    }
  }

  /** The start of a log moved outside a commit: it is told to its watchers with the open group. */
  private dropped(log: LogState, bytes: number): void {
    this.released(log, bytes);
    this.touch(log);
  }

  private released(log: LogState, bytes: number): void {
    this.memoryBytes -= bytes;
    if (log.maxTimestampOffset < log.start) log.maxTimestamp = NaN;
  }

  private scheduleRetention(): void {
    this.retentionTimer = this.clock.setTimer(this.retentionCheckMs, () => {
      if (this.state !== 'open') return;
      const nowMs = this.clock.wallMs();
      for (const log of this.table.values()) {
        const before = log.start;
        const bytes = dropExpired(log, nowMs) + dropExcess(log);
        if (log.start === before) continue;
        this.dropped(log, bytes);
        this.joinGroup();
      }
      this.scheduleRetention();
    });
  }
}
