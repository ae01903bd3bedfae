import { LyrebirdError } from '../base/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Callbacks } from './callbacks.ts';
import { CommitHub } from './commit-hub.ts';
import type { CommitCallback } from './commit-hub.ts';
import { EngineBase } from './engine-base.ts';
import { addDamage } from './index/damage.ts';
import type { LogState } from './index/log-state.ts';
import { RUN_BYTES } from './index/run-index.ts';
import { boundsOf } from './index/log-table.ts';
import type { LogTable } from './index/log-table.ts';
import type { CommitGroup } from './journal/commit-group.ts';
import { ENTRY_META } from './journal/entries.ts';
import type { Journal, JournalOwner } from './journal/journal.ts';
import type { LocalEngineLimits, LocalEngineOptions } from './local-engine-options.ts';
import { LocalMetaStore } from './local-meta-store.ts';
import { OpenEngine } from './open-engine.ts';
import { findOffsetForTime, refreshMaxTimestamp } from './read/time-lookup.ts';
import { recover } from './recovery/recover.ts';
import type { LocalSnapshotStore } from './snapshot-store.ts';
import { APPEND_REFUSED } from './types.ts';
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
  ReplayVisitor,
  StoredLog,
  Unsubscribe,
} from './types.ts';

/** The log engine on local files: one journal for all logs. See docs/internals/storage.md. */
export class LocalEngine implements LogEngine {
  readonly snapshots: LocalSnapshotStore;
  readonly meta: LocalMetaStore;
  private readonly options: LocalEngineOptions;
  private readonly limits: LocalEngineLimits;
  private readonly logger: Logger;
  private readonly base: EngineBase;
  private readonly table: LogTable;
  private readonly commits: CommitHub;
  private readonly writableCallbacks: Callbacks<void>;
  private readonly diskCallbacks: Callbacks<DiskState>;
  private readonly checkpointCallbacks: Callbacks<void>;
  private readonly beforeCheckpointCallbacks: Callbacks<void>;
  private askedForRoom: boolean;
  private closing: Promise<void> | null;
  private opened: OpenEngine | null;

  constructor(options: LocalEngineOptions) {
    const { clock, logger } = options;
    this.options = options;
    this.logger = logger;
    this.commits = new CommitHub({ clock, logger });
    this.writableCallbacks = new Callbacks(logger);
    this.diskCallbacks = new Callbacks(logger);
    this.checkpointCallbacks = new Callbacks(logger);
    this.beforeCheckpointCallbacks = new Callbacks(logger);
    this.base = new EngineBase(options, {
      onLeaseExpired: (lease) => this.expireLease(lease),
      onDisk: (state) => this.onDisk(state),
      onMemoryFreed: (bytes) => this.freedMemory(bytes),
      onDamage: (log, from, to) => this.onDamage(log, from, to),
    });
    this.limits = this.base.limits;
    this.table = this.base.table;
    this.snapshots = this.base.snapshots;
    this.meta = new LocalMetaStore({
      state: this.base.metaState,
      table: this.table,
      journal: () => this.writableJournal(),
      alterLog: (id, spec) => this.alterLog(id, spec),
      deleteLog: (id) => this.deleteLog(id),
      whenSynced: (position, done) => this.whenSynced(position, done),
    });
    this.askedForRoom = false;
    this.closing = null;
    this.opened = null;
  }

  async open(visitor: ReplayVisitor): Promise<Identity> {
    const { fileSystem, folder } = this.options;
    await fileSystem.makeDirectory(folder);
    const lock = await fileSystem.lock(`${folder}/lock`);
    if ('heldBy' in lock) {
      const holder = lock.heldBy === null ? 'another process' : `process ${lock.heldBy}`;
      throw new LyrebirdError('LB1003', `the data folder ${folder} is held by ${holder}`, {
        details: { folder, pid: lock.heldBy },
      });
    }
    try {
      return await this.openLocked(visitor, lock.release);
    } catch (error) {
      const { opened } = this;
      this.opened = null;
      if (opened !== null) await this.release(opened);
      else await this.closeFiles();
      await lock.release();
      throw error;
    }
  }

  close(mode: 'drain' | 'abort'): Promise<void> {
    this.closing ??= this.closeOnce(mode);
    return this.closing;
  }

  owner(log: LogId): Owner {
    const mine = this.table.get(log) !== undefined;
    const { nodeId = 1 } = this.options;
    return { node: nodeId, address: null, epoch: this.opened?.epoch ?? 1, mine };
  }

  /** One process owns all logs for as long as it runs: there is nothing to tell. */
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

  append(log: LogId, epoch: number, buffer: Buffer, start: number, end: number): Position {
    const { opened } = this;
    if (opened === null) return APPEND_REFUSED.closed;
    return opened.appends.append(log, epoch, buffer, start, end);
  }

  appendShared(
    logs: readonly LogId[],
    epochs: readonly number[],
    buffer: Buffer,
    start: number,
    end: number,
  ): Position {
    const { opened } = this;
    if (opened === null) return APPEND_REFUSED.closed;
    return opened.appends.appendShared(logs, epochs, buffer, start, end);
  }

  appendNote(log: LogId, epoch: number, note: Buffer): Position {
    const { opened } = this;
    if (opened === null) return APPEND_REFUSED.closed;
    return opened.appends.appendNote(log, epoch, note);
  }

  atomically(work: () => void): void {
    const journal = this.opened?.journal;
    if (journal === undefined) return work();
    journal.beginAtomic();
    try {
      work();
    } finally {
      journal.endAtomic();
    }
  }

  whenCommitted(position: Position, durability: Durability, listener: CommitListener): void {
    this.commits.add(position, durability, listener);
    if (durability === 'fsync') this.opened?.journal.wantSync(position);
  }

  onCommitted(callback: CommitCallback): Unsubscribe {
    return this.commits.onCommitted(callback);
  }

  pendingEnd(log: LogId): number {
    return this.table.get(log)?.pendingEnd ?? 0;
  }

  bounds(log: LogId): Bounds | null {
    const state = this.table.get(log);
    return state === undefined ? null : boundsOf(state);
  }

  onAdvance(log: LogId, callback: () => void): Unsubscribe {
    const state = this.table.get(log);
    if (state === undefined) return () => {};
    state.advanceCallbacks = [...(state.advanceCallbacks ?? []), callback];
    return () => {
      const rest = state.advanceCallbacks?.filter((other) => other !== callback) ?? [];
      state.advanceCallbacks = rest.length === 0 ? null : rest;
    };
  }

  read(log: LogId, from: number, options: ReadOptions): ReadResult | Promise<ReadResult> {
    const state = this.table.get(log);
    if (state === undefined || this.opened === null) return { status: 'unknown-log' };
    return this.opened.reader.read(state, from, options);
  }

  async offsetForTime(log: LogId, timestamp: number): Promise<number | null> {
    const state = this.table.get(log);
    if (state === undefined || this.opened === null) return null;
    const { reader } = this.opened;
    return findOffsetForTime({ reader, segments: this.base.segments }, state, timestamp);
  }

  maxTimestamp(log: LogId): { readonly timestamp: number; readonly baseOffset: number } | null {
    const state = this.table.get(log);
    if (state === undefined) return null;
    if (Number.isNaN(state.maxTimestamp)) refreshMaxTimestamp(state);
    if (state.maxTimestampOffset === -1) return null;
    return { timestamp: state.maxTimestamp, baseOffset: state.maxTimestampOffset };
  }

  trim(log: LogId, before: number): Position {
    const { opened } = this;
    if (opened === null) return APPEND_REFUSED.closed;
    if (opened.appends.refusal !== 0) return opened.appends.refusal;
    const state = this.table.get(log);
    if (state === undefined) return APPEND_REFUSED.unknownLog;
    return this.trimLog(state, before);
  }

  beforeCheckpoint(callback: () => void): Unsubscribe {
    return this.beforeCheckpointCallbacks.add(callback);
  }

  onCheckpoint(callback: () => void): Unsubscribe {
    return this.checkpointCallbacks.add(callback);
  }

  writable(): boolean {
    const pending = this.opened?.journal.pendingBytes ?? 0;
    const writable = pending < this.limits.pendingBytesMax;
    if (!writable) this.askedForRoom = true;
    return writable;
  }

  onWritable(callback: () => void): Unsubscribe {
    return this.writableCallbacks.add(callback);
  }

  diskState(): DiskState {
    return this.base.ladder.state;
  }

  onDiskState(callback: (state: DiskState) => void): Unsubscribe {
    return this.diskCallbacks.add(callback);
  }

  stats(): EngineStats {
    const { opened } = this;
    const writer = opened?.journal.stats;
    const files = this.base.files.list();
    let journalBytes = 0;
    let runs = 0;
    for (const file of files) {
      journalBytes += file.end;
      runs += file.runs;
    }
    return {
      groups: writer?.groups ?? 0,
      appends: opened?.appends.counters.appends ?? 0,
      appendedBytes: opened?.appends.counters.appendedBytes ?? 0,
      syncs: writer?.syncs ?? 0,
      syncMsTotal: writer?.syncMsTotal ?? 0,
      writeMsTotal: writer?.writeMsTotal ?? 0,
      pendingBytes: opened?.journal.pendingBytes ?? 0,
      journalBytes,
      journalFiles: files.length,
      segmentBytes: this.base.segments.bytes,
      segmentFiles: this.base.segments.count,
      cacheBytes: this.base.cache.cacheBytes + this.base.blocks.bytes,
      cacheHits: opened?.reader.counters.cacheHits ?? 0,
      cacheMisses: opened?.reader.counters.cacheMisses ?? 0,
      coldReadBytes: this.base.readBudget.bytes,
      coldReadWaits: this.base.readBudget.waits,
      checkpoints: opened?.checkpointer.checkpoints ?? 0,
      settledBytes: opened?.settler.settledBytes ?? 0,
      repackedBytes: opened?.repacker.repackedBytes ?? 0,
      indexBytes: runs * RUN_BYTES,
      pacedMsTotal: opened?.journal.pacedMsTotal ?? 0,
      quarantinedRanges: this.countDamage(),
      logs: this.table.size,
      diskTotalBytes: this.base.ladder.totalBytes,
      diskFreeBytes: this.base.ladder.freeBytes,
    };
  }

  private async openLocked(visitor: ReplayVisitor, unlock: () => Promise<void>): Promise<Identity> {
    const { nodeId = 1 } = this.options;
    const { base, meta } = this;
    const onDamage = (log: LogState, from: number, to: number): void =>
      this.onDamage(log, from, to);
    const recovered = await recover({ base, meta, visitor, onDamage });
    const { clusterId, incarnation, cleanStart } = recovered;
    base.files.identify(clusterId, incarnation);
    this.commits.start(recovered.sequence);
    this.opened = new OpenEngine(base, recovered, {
      unlock,
      journalOwner: this.journalOwner(),
      onDamage,
      beforeCheckpoint: () => this.beforeCheckpointCallbacks.call(),
      onCheckpoint: () => this.checkpointCallbacks.call(),
      trim: (log, before) => void this.trimLog(log, before),
    });
    const { checkpointer, maintenance } = this.opened;
    await checkpointer.noteStart();
    await this.base.files.prepare(recovered.nextFileNumber);
    await this.meta.sweep();
    maintenance.start();
    return { clusterId, nodeId, incarnation, cleanStart };
  }

  private async closeOnce(mode: 'drain' | 'abort'): Promise<void> {
    const { opened } = this;
    this.base.metaState.close();
    if (opened === null) return;
    const healthy = opened.appends.refusal === 0;
    opened.appends.refusal = APPEND_REFUSED.closed;
    if (mode === 'drain' && healthy) await this.drain(opened);
    await this.release(opened);
    await opened.unlock();
  }

  /** Ends everything that runs; whoever still waits is told that the outcome is unknown. */
  private async release(opened: OpenEngine): Promise<void> {
    opened.appends.refusal = APPEND_REFUSED.closed;
    await Promise.all([opened.journal.stop(), opened.maintenance.stop()]);
    this.commits.fail(new LyrebirdError('LB2005', 'the storage engine was closed'));
    await this.closeFiles();
  }

  private async closeFiles(): Promise<void> {
    const { manifest, segments, files } = this.base;
    await manifest.close();
    await segments.close();
    await files.close();
  }

  /** Commits and writes down everything, so that the next start has nothing to replay. */
  private async drain(opened: OpenEngine): Promise<void> {
    try {
      await opened.maintenance.stop();
      await opened.journal.sync();
      await opened.checkpointer.take({ drained: true });
      await opened.reader.idle();
    } catch (error) {
      this.logger.warn('storage.close', 'the engine could not be drained', { error });
    }
  }

  private journalOwner(): JournalOwner {
    return {
      onWritten: (group) => this.base.publisher.publishWritten(group),
      onDurable: (group) => this.onDurable(group),
      onProgress: (written, synced) => this.onProgress(written, synced),
      onNoSpace: () => this.base.ladder.giveUpReserve(),
      onFailed: (error) => this.fail(error),
    };
  }

  private onDurable(group: CommitGroup): void {
    this.base.publisher.publishDurable(group);
    for (let entry = 0; entry < group.count; entry++) {
      if (group.kinds[entry] === ENTRY_META) group.metaCommits[entry]?.onDurable();
    }
  }

  private onProgress(written: number, synced: number): void {
    this.commits.advance(written, synced);
    this.base.publisher.notify();
    this.base.cache.shrink(written);
    const { opened } = this;
    if (opened === null) return;
    opened.maintenance.journalGrew();
    if (this.askedForRoom && opened.journal.pendingBytes * 2 < this.limits.pendingBytesMax) {
      this.askedForRoom = false;
      this.writableCallbacks.call();
    }
  }

  private onDisk(state: DiskState): void {
    if (this.opened !== null) this.opened.appends.diskBlocked = state === 'blocked';
    this.diskCallbacks.call(state);
  }

  private fail(cause: Error): void {
    const message = `writing to the journal failed: ${cause.message}; nothing more is accepted`;
    const error = new LyrebirdError('LB2003', message, { cause });
    this.logger.error('storage.failed', message, { error: cause });
    const appends = this.opened?.appends;
    if (appends?.refusal === 0) appends.refusal = APPEND_REFUSED.failed;
    void this.opened?.maintenance.stop();
    this.commits.fail(error);
  }

  private whenSynced(position: Position, done: (error: Error | null) => void): void {
    this.whenCommitted(position, 'fsync', {
      onCommitted: () => done(null),
      onCommitFailed: (error) => done(error),
    });
  }

  private writableJournal(): Journal {
    const { opened } = this;
    if (opened === null || opened.appends.refusal === APPEND_REFUSED.closed) {
      throw new LyrebirdError('LB2005', 'the storage engine is closed');
    }
    if (opened.appends.refusal !== 0) {
      throw new LyrebirdError('LB2003', 'the storage engine has failed; restart it');
    }
    return opened.journal;
  }

  private trimLog(log: LogState, before: number): Position {
    const { opened } = this;
    if (opened === null) return APPEND_REFUSED.closed;
    if (!this.base.trimmer.trim(log, before)) return opened.journal.sequence;
    this.base.publisher.advance(log);
    opened.scheduleNotify();
    return opened.appends.addTrim(log);
  }

  private countDamage(): number {
    let ranges = 0;
    for (const log of this.table.values()) ranges += log.damage?.length ?? 0;
    return ranges;
  }

  private alterLog(id: LogId, spec: LogSpec): void {
    this.table.alter(id, spec);
    const log = this.table.get(id);
    const journal = this.opened?.journal;
    if (log !== undefined && log.durability !== spec.durability) {
      const facts = { log: log.name, durability: log.durability, asked: spec.durability };
      const message = 'a log stays in memory, or on disk, for life: its durability was not changed';
      this.logger.warn('storage.durability', message, facts);
    }
    if (log === undefined || journal === undefined || log.memory !== null) return;
    if (log.durability === 'fsync') {
      // Else a group that was begun as 'os' would be seen before an older one that waits for its sync.
      journal.forEachUnwritten((group) => {
        group.needsSync = true;
      });
      return;
    }
    // What waits for a sync is committed at the new durability when it is written.
    journal.forEachUnsynced((group) => this.base.publisher.publishLog(group, log));
    journal.forEachUnwritten((group) => {
      group.hasOs = true;
    });
  }

  private deleteLog(id: LogId): void {
    const log = this.table.remove(id);
    if (log === undefined) return;
    this.snapshots.remove(id);
    this.base.trimmer.drop(log);
    this.base.publisher.advance(log);
  }

  private expireLease(lease: number): void {
    this.meta.revokeLease(lease).catch((error: unknown) => {
      this.logger.warn('meta.lease', 'the keys of an expired lease were not removed', { error });
    });
  }

  private freedMemory(bytes: number): void {
    if (this.opened !== null) this.opened.appends.memoryBytes -= bytes;
  }

  private onDamage(log: LogState, from: number, to: number): void {
    log.damage = addDamage(log.damage, { from, to });
    this.table.markDirty(log);
    const facts = { log: log.name, from, to };
    this.logger.error('storage.damaged', 'stored data is damaged and was quarantined', facts);
  }
}
