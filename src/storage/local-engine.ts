import { LyrebirdError } from '../base/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { AppendPath } from './append-path.ts';
import { BlockCache } from './cache/block-cache.ts';
import { TailCache } from './cache/tail-cache.ts';
import { addDamage } from './index/damage.ts';
import type { LogState } from './index/log-state.ts';
import { LogTable, boundsOf } from './index/log-table.ts';
import type { CommitGroup } from './journal/commit-group.ts';
import { CommitWaiters } from './journal/commit-waiters.ts';
import { ENTRY_META } from './journal/entries.ts';
import { JournalFiles } from './journal/journal-files.ts';
import { Journal } from './journal/journal.ts';
import type { JournalOwner } from './journal/journal.ts';
import { limitsOf } from './local-engine-options.ts';
import type { LocalEngineLimits, LocalEngineOptions } from './local-engine-options.ts';
import { LocalMetaStore } from './local-meta-store.ts';
import { LogTrimmer } from './log-trimmer.ts';
import { MetaState } from './meta-state.ts';
import { Publisher } from './publisher.ts';
import { ColdReader } from './read/cold-reader.ts';
import { LogReader } from './read/log-reader.ts';
import { findOffsetForTime, refreshMaxTimestamp } from './read/time-lookup.ts';
import { recover } from './recovery/recover.ts';
import { SegmentSet } from './segment/segment-set.ts';
import { LocalSnapshotStore } from './snapshot-store.ts';
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

type CommitCallback = (position: Position, durability: 'fsync' | 'os') => void;

/** The log engine on local files: one journal for all logs. See docs/internals/storage.md. */
export class LocalEngine implements LogEngine {
  readonly snapshots: LocalSnapshotStore;
  readonly meta: LocalMetaStore;
  private readonly options: LocalEngineOptions;
  private readonly limits: LocalEngineLimits;
  private readonly logger: Logger;
  private readonly table: LogTable;
  private readonly cache: TailCache;
  private readonly blocks: BlockCache;
  private readonly metaState: MetaState;
  private readonly segments: SegmentSet;
  private readonly files: JournalFiles;
  private readonly publisher: Publisher;
  private readonly trimmer: LogTrimmer;
  private readonly memoryWaiters: CommitWaiters;
  private readonly osWaiters: CommitWaiters;
  private readonly syncWaiters: CommitWaiters;
  private commitCallbacks: readonly CommitCallback[];
  private writableCallbacks: readonly (() => void)[];
  private askedForRoom: boolean;
  private closing: Promise<void> | null;
  private opened: OpenEngine | null;

  constructor(options: LocalEngineOptions) {
    const { clock, logger } = options;
    this.options = options;
    this.limits = limitsOf(options);
    this.logger = logger;
    this.table = new LogTable();
    const { cacheBytes, blockBytes, blockCacheBytes } = this.limits;
    const tailBlockBytes = Math.max(64 << 10, Math.min(4 << 20, cacheBytes >>> 3));
    this.cache = new TailCache({ clock, cacheBytes, blockBytes: tailBlockBytes });
    this.blocks = new BlockCache({ clock, blockBytes, cacheBytes: blockCacheBytes });
    this.segments = new SegmentSet();
    const { fileSystem, folder } = options;
    const { recycledFilesMax } = this.limits;
    this.files = new JournalFiles({ fileSystem, clock, folder, recycledFilesMax });
    const { table, files } = this;
    this.publisher = new Publisher({ table, files, logger });
    this.trimmer = new LogTrimmer({
      table,
      journalFiles: files,
      segments: this.segments,
      onMemoryFreed: (bytes) => this.freedMemory(bytes),
    });
    this.snapshots = new LocalSnapshotStore();
    this.metaState = new MetaState({
      clock,
      logger,
      onLeaseExpired: (lease) => this.expireLease(lease),
    });
    this.meta = new LocalMetaStore({
      state: this.metaState,
      table: this.table,
      journal: () => this.writableJournal(),
      deleteLog: (id) => this.deleteLog(id),
      whenSynced: (position, done) => this.whenSynced(position, done),
    });
    this.memoryWaiters = new CommitWaiters({ clock, logger });
    this.memoryWaiters.advance(Infinity);
    this.osWaiters = new CommitWaiters({ clock, logger });
    this.syncWaiters = new CommitWaiters({ clock, logger });
    this.commitCallbacks = [];
    this.writableCallbacks = [];
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
    if (durability === 'memory') {
      this.memoryWaiters.add(0, listener);
    } else if (durability === 'os') {
      this.osWaiters.add(position, listener);
    } else {
      this.syncWaiters.add(position, listener);
      this.opened?.journal.wantSync(position);
    }
  }

  onCommitted(callback: CommitCallback): Unsubscribe {
    this.commitCallbacks = [...this.commitCallbacks, callback];
    return () => {
      this.commitCallbacks = this.commitCallbacks.filter((other) => other !== callback);
    };
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
    return findOffsetForTime(this.opened.reader, state, timestamp);
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
    const state = this.table.get(log);
    if (state === undefined) return APPEND_REFUSED.unknownLog;
    if (!this.trimmer.trim(state, before)) return opened.journal.sequence;
    this.publisher.advance(state);
    opened.scheduleNotify();
    return opened.appends.addTrim(state);
  }

  onCheckpoint(callback: () => void): Unsubscribe {
    void callback;
    return () => {};
  }

  writable(): boolean {
    const pending = this.opened?.journal.pendingBytes ?? 0;
    const writable = pending < this.limits.pendingBytesMax;
    if (!writable) this.askedForRoom = true;
    return writable;
  }

  onWritable(callback: () => void): Unsubscribe {
    this.writableCallbacks = [...this.writableCallbacks, callback];
    return () => {
      this.writableCallbacks = this.writableCallbacks.filter((other) => other !== callback);
    };
  }

  diskState(): DiskState {
    return 'ok';
  }

  onDiskState(callback: (state: DiskState) => void): Unsubscribe {
    void callback;
    return () => {};
  }

  stats(): EngineStats {
    const { opened } = this;
    const writer = opened?.journal.stats;
    const files = this.files.list();
    let journalBytes = 0;
    for (const file of files) journalBytes += file.end;
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
      segmentBytes: 0,
      segmentFiles: 0,
      cacheBytes: this.cache.cacheBytes + this.blocks.bytes,
      cacheHits: opened?.reader.counters.cacheHits ?? 0,
      cacheMisses: opened?.reader.counters.cacheMisses ?? 0,
      checkpoints: 0,
      settledBytes: 0,
      quarantinedRanges: 0,
      logs: this.table.size,
      diskTotalBytes: 0,
      diskFreeBytes: 0,
    };
  }

  private async openLocked(visitor: ReplayVisitor, unlock: () => Promise<void>): Promise<Identity> {
    const { clock, logger, fileSystem, folder, random, nodeId = 1 } = this.options;
    const recovered = await recover({
      fileSystem,
      logger,
      random,
      folder,
      table: this.table,
      meta: this.meta,
      files: this.files,
      publisher: this.publisher,
      trimmer: this.trimmer,
      visitor,
      onDamage: (log, from, to) => this.onDamage(log, from, to),
    });
    const { sequence } = recovered;
    const { files, publisher } = this;
    const journal = new Journal({
      clock,
      files,
      cache: this.cache,
      incarnation: recovered.incarnation,
      fileNumber: recovered.nextFileNumber,
      sequence,
      journalFileBytes: this.limits.journalFileBytes,
      groupBytes: this.limits.groupBytes,
      owner: this.journalOwner(),
    });
    await files.prepare(recovered.nextFileNumber);
    this.osWaiters.advance(sequence);
    this.syncWaiters.advance(sequence);
    const cold = new ColdReader({
      blocks: this.blocks,
      cache: this.cache,
      journalFiles: files,
      segments: this.segments,
      logger,
      onDamage: (log, from, to) => this.onDamage(log, from, to),
    });
    const appends = new AppendPath({
      table: this.table,
      journal,
      runBytesMax: this.limits.runBytesMax,
      memoryLogBytes: this.limits.memoryLogBytes,
      onMemoryAppend: (log) => {
        publisher.advance(log);
        this.opened?.scheduleNotify();
      },
    });
    const reader = new LogReader({ cache: this.cache, cold });
    this.opened = new OpenEngine({ journal, appends, reader, publisher, unlock, epoch: 1 }, clock);
    await this.meta.sweep();
    const { clusterId, incarnation, cleanStart } = recovered;
    return { clusterId, nodeId, incarnation, cleanStart };
  }

  private async closeOnce(mode: 'drain' | 'abort'): Promise<void> {
    const { opened } = this;
    this.metaState.close();
    if (opened === null) return;
    if (mode === 'drain' && opened.appends.refusal === 0) {
      opened.appends.refusal = APPEND_REFUSED.closed;
      await opened.journal.sync().catch(() => {}); // a failure was reported to everybody who waits
    }
    opened.appends.refusal = APPEND_REFUSED.closed;
    await opened.journal.stop();
    const error = new LyrebirdError('LB2005', 'the storage engine was closed');
    this.osWaiters.fail(error);
    this.syncWaiters.fail(error);
    this.memoryWaiters.fail(error);
    await this.files.close();
    await opened.unlock();
  }

  private journalOwner(): JournalOwner {
    return {
      onWritten: (group) => this.publisher.publishWritten(group),
      onDurable: (group) => this.onDurable(group),
      onProgress: (written, synced) => this.onProgress(written, synced),
      onNoSpace: () => Promise.resolve(false),
      onFailed: (error) => this.fail(error),
    };
  }

  private onDurable(group: CommitGroup): void {
    this.publisher.publishDurable(group);
    for (let entry = 0; entry < group.count; entry++) {
      if (group.kinds[entry] === ENTRY_META) group.metaCommits[entry]?.onDurable();
    }
  }

  private onProgress(written: number, synced: number): void {
    const { opened } = this;
    if (opened === null) return;
    this.osWaiters.advance(written);
    this.syncWaiters.advance(synced);
    if (written > opened.toldWritten) {
      opened.toldWritten = written;
      for (const callback of this.commitCallbacks) callback(written, 'os');
    }
    if (synced > opened.toldSynced) {
      opened.toldSynced = synced;
      for (const callback of this.commitCallbacks) callback(synced, 'fsync');
    }
    this.publisher.notify();
    this.cache.shrink(written);
    if (this.askedForRoom && opened.journal.pendingBytes * 2 < this.limits.pendingBytesMax) {
      this.askedForRoom = false;
      for (const callback of this.writableCallbacks) callback();
    }
  }

  private fail(cause: Error): void {
    const message = `writing to the journal failed: ${cause.message}; nothing more is accepted`;
    const error = new LyrebirdError('LB2003', message, { cause });
    this.logger.error('storage.failed', message, { error: cause });
    if (this.opened !== null) this.opened.appends.refusal = APPEND_REFUSED.failed;
    this.osWaiters.fail(error);
    this.syncWaiters.fail(error);
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

  private deleteLog(id: LogId): void {
    const log = this.table.remove(id);
    if (log === undefined) return;
    this.snapshots.remove(id);
    this.trimmer.drop(log);
    this.publisher.advance(log);
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

interface OpenParts {
  readonly journal: Journal;
  readonly appends: AppendPath;
  readonly publisher: Publisher;
  readonly reader: LogReader;
  readonly unlock: () => Promise<void>;
  readonly epoch: number;
}

/** What exists while the engine is open. */
class OpenEngine implements OpenParts {
  readonly journal: Journal;
  readonly appends: AppendPath;
  readonly publisher: Publisher;
  readonly reader: LogReader;
  readonly unlock: () => Promise<void>;
  readonly epoch: number;
  toldWritten: number;
  toldSynced: number;
  private notifyScheduled: boolean;
  private readonly clock: LocalEngineOptions['clock'];
  private readonly notifyLater: () => void;

  constructor(parts: OpenParts, clock: LocalEngineOptions['clock']) {
    this.journal = parts.journal;
    this.appends = parts.appends;
    this.publisher = parts.publisher;
    this.reader = parts.reader;
    this.unlock = parts.unlock;
    this.epoch = parts.epoch;
    this.toldWritten = parts.journal.writtenThrough;
    this.toldSynced = parts.journal.syncedThrough;
    this.clock = clock;
    this.notifyScheduled = false;
    this.notifyLater = () => {
      this.notifyScheduled = false;
      this.publisher.notify();
    };
  }

  /** Watchers are told in a later turn. */
  scheduleNotify(): void {
    if (this.notifyScheduled) return;
    this.notifyScheduled = true;
    this.clock.defer(this.notifyLater);
  }
}
