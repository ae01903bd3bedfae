import type { Clock } from '../../base/clock.ts';
import { LyrebirdError } from '../../base/errors.ts';
import { RingBuffer } from '../../base/ring-buffer.ts';
import type { CommitGroup } from './commit-group.ts';
import { locationPosition } from './format.ts';
import type { JournalFile, JournalFiles } from './journal-files.ts';
import type { JournalOwner } from './journal.ts';

export interface JournalWriterOptions {
  readonly clock: Clock;
  readonly files: JournalFiles;
  /** Groups up to this size are written in the turn in which they are sealed, where the file system can. */
  readonly writeNowBytes: number;
  /** Everything up to here is written and synced already. */
  readonly sequence: number;
  readonly owner: JournalOwner;
  /** A write or sync has ended: more may be started. */
  readonly onIdle: () => void;
  readonly recycle: (group: CommitGroup) => void;
}

export interface WriterCounters {
  groups: number;
  writes: number;
  writtenBytes: number;
  writeMsTotal: number;
  syncs: number;
  syncMsTotal: number;
}

interface SyncWaiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Sealed groups written by one call together hold at most about this. */
const WRITE_BYTES_MAX = 8 << 20;
/** After a write within the turn that took longer than this, the next ones go to another thread for a while. */
const SLOW_WRITE_MS = 5;
const WRITE_LATER_MS = 1_000;

/** Writes sealed groups in order and syncs them: one write and one sync in flight at most. */
export class JournalWriter {
  readonly counters: WriterCounters;
  private readonly options: JournalWriterOptions;
  /** Written groups that wait for their sync. */
  private readonly unsynced: RingBuffer<CommitGroup>;
  /** Files with bytes that were written and not synced. */
  private readonly dirtyFiles: Set<JournalFile>;
  private readonly waiters: SyncWaiter[];
  private written: number;
  private syncedSequence: number;
  private wanted: number;
  private writing: boolean;
  /** The groups that are being written. */
  private batch: readonly CommitGroup[];
  private syncInFlight: boolean;
  private stopped: boolean;
  private failure: Error | null;
  private whenQuiet: (() => void) | null;
  /** The file that is written; null until it exists. */
  private file: JournalFile | null;
  /** No write within the turn before this time: the last one took long. */
  private noWriteNowBeforeMs: number;

  constructor(options: JournalWriterOptions) {
    this.options = options;
    this.counters = {
      groups: 0,
      writes: 0,
      writtenBytes: 0,
      writeMsTotal: 0,
      syncs: 0,
      syncMsTotal: 0,
    };
    this.unsynced = new RingBuffer(16);
    this.dirtyFiles = new Set();
    this.waiters = [];
    this.written = options.sequence;
    this.syncedSequence = options.sequence;
    this.wanted = 0;
    this.writing = false;
    this.batch = [];
    this.syncInFlight = false;
    this.stopped = false;
    this.failure = null;
    this.whenQuiet = null;
    this.file = null;
    this.noWriteNowBeforeMs = 0;
  }

  get canWrite(): boolean {
    return !this.writing && !this.stopped && this.failure === null;
  }

  get syncing(): boolean {
    return this.syncInFlight;
  }

  get writtenThrough(): number {
    return this.written;
  }

  get syncedThrough(): number {
    return this.syncedSequence;
  }

  /** Resolves when the sequence is synced. */
  synced(sequence: number): Promise<void> {
    if (sequence <= this.syncedSequence) return Promise.resolve();
    if (this.failure !== null) return Promise.reject(this.failure);
    if (this.stopped) return Promise.reject(new LyrebirdError('LB2005', 'the engine is closed'));
    this.wantSync(sequence);
    return new Promise((resolve, reject) => {
      this.waiters.push({ sequence, resolve, reject });
    });
  }

  wantSync(sequence: number): void {
    if (sequence > this.wanted) this.wanted = sequence;
  }

  /** Written groups that wait for their sync, oldest first. */
  forEachUnsynced(callback: (group: CommitGroup) => void): void {
    for (let i = 0; i < this.unsynced.length; i++) callback(this.unsynced.at(i)!);
  }

  forEachBeingWritten(callback: (group: CommitGroup) => void): void {
    for (const group of this.batch) callback(group);
  }

  /**
   * Begins to write the groups at the head of the queue and to sync what is written. tellNow: owners may be told
   * of a write before this returns.
   */
  start(sealed: RingBuffer<CommitGroup>, options: { tellNow: boolean }): void {
    if (this.canWrite && sealed.length > 0) {
      const batch = takeBatch(sealed);
      if (!options.tellNow || !this.writeNow(batch)) void this.write(batch);
    }
    this.startSync();
  }

  /** Starts nothing any more; resolves when nothing is in flight. */
  stop(): Promise<void> {
    this.stopped = true;
    const error = new LyrebirdError('LB2005', 'the storage engine was closed');
    for (const waiter of this.waiters.splice(0)) waiter.reject(error);
    if (!this.writing && !this.syncInFlight) return Promise.resolve();
    return new Promise((resolve) => {
      this.whenQuiet = resolve;
    });
  }

  /** Writes a small batch within this turn. False when it has to be written the other way. */
  private writeNow(batch: CommitGroup[]): boolean {
    const { file } = this;
    const first = batch[0]!;
    const last = batch[batch.length - 1]!;
    const position = locationPosition(first.location);
    const bytes = last.endPosition - position;
    if (file?.number !== first.fileNumber || file.handle.writeNow === undefined) return false;
    if (bytes > this.options.writeNowBytes) return false;
    const { clock } = this.options;
    const startMs = clock.monotonicMs();
    if (startMs < this.noWriteNowBeforeMs) return false;
    try {
      file.handle.writeNow(collectBuffers(batch), position);
    } catch {
      return false; // written again, and reported, by the way that can wait
    }
    const tookMs = clock.monotonicMs() - startMs;
    // The system makes writers wait while the disk is behind: then others had better not wait, too.
    if (tookMs > SLOW_WRITE_MS) this.noWriteNowBeforeMs = startMs + WRITE_LATER_MS;
    this.wrote(batch, file, tookMs);
    return true;
  }

  private async write(batch: CommitGroup[]): Promise<void> {
    this.writing = true;
    this.batch = batch;
    const first = batch[0]!;
    const buffers = collectBuffers(batch);
    const { clock, owner } = this.options;
    const startMs = clock.monotonicMs();
    let file: JournalFile;
    try {
      file = await this.writeTo(first, buffers);
    } catch (error) {
      // A write, unlike a sync, may be repeated: once, when the disk was full and room could be made.
      const noSpace = (error as NodeJS.ErrnoException).code === 'ENOSPC';
      try {
        if (!noSpace || !(await owner.onNoSpace())) throw error;
        file = await this.writeTo(first, buffers);
      } catch (cause) {
        this.writing = false;
        this.fail(cause);
        return;
      }
    }
    this.file = file;
    this.wrote(batch, file, clock.monotonicMs() - startMs);
  }

  /** A batch is in the file. */
  private wrote(batch: CommitGroup[], file: JournalFile, tookMs: number): void {
    const last = batch[batch.length - 1]!;
    this.writing = false;
    this.batch = [];
    this.counters.writes++;
    this.counters.writeMsTotal += tookMs;
    this.counters.writtenBytes += last.endPosition - locationPosition(batch[0]!.location);
    this.dirtyFiles.add(file);
    file.end = last.endPosition;
    file.writtenMs = this.options.clock.wallMs();
    this.written = last.sequence;
    for (const group of batch) {
      this.counters.groups++;
      this.options.owner.onWritten(group);
      if (group.needsSync) {
        this.unsynced.push(group);
      } else {
        this.options.recycle(group);
      }
    }
    this.options.owner.onProgress(this.written, this.syncedSequence);
    this.settle();
  }

  private async writeTo(first: CommitGroup, buffers: Buffer[]): Promise<JournalFile> {
    const file = await this.options.files.prepare(first.fileNumber);
    await file.handle.write(buffers, locationPosition(first.location));
    return file;
  }

  private startSync(): void {
    if (this.syncInFlight || this.stopped || this.failure !== null) return;
    const asked = this.wanted > this.syncedSequence && this.wanted <= this.written;
    // A checkpoint must not wait for groups after its own: those may be waiting for what follows it.
    const awaited = this.waiters.length > 0 && this.waiters[0]!.sequence <= this.written;
    if (asked || awaited || this.unsynced.length > 0) void this.sync(this.written);
  }

  private async sync(through: number): Promise<void> {
    this.syncInFlight = true;
    const startMs = this.options.clock.monotonicMs();
    // What is written from now on is not covered by this sync, even to the same file.
    const files = [...this.dirtyFiles].sort((a, b) => a.number - b.number);
    this.dirtyFiles.clear();
    try {
      for (const file of files) await file.handle.sync();
    } catch (error) {
      this.syncInFlight = false;
      this.fail(error);
      return;
    }
    this.syncInFlight = false;
    if (this.failure !== null) {
      this.settle();
      return;
    }
    this.counters.syncs++;
    this.counters.syncMsTotal += this.options.clock.monotonicMs() - startMs;
    this.syncedSequence = through;
    let group = this.unsynced.peek();
    while (group !== undefined && group.sequence <= through) {
      this.unsynced.shift();
      this.options.owner.onDurable(group);
      this.options.recycle(group);
      group = this.unsynced.peek();
    }
    this.options.owner.onProgress(this.written, through);
    this.releaseWaiters();
    this.settle();
  }

  private releaseWaiters(): void {
    while (this.waiters.length > 0 && this.waiters[0]!.sequence <= this.syncedSequence) {
      this.waiters.shift()!.resolve();
    }
  }

  private fail(cause: unknown): void {
    if (this.failure === null) {
      this.failure = cause instanceof Error ? cause : new Error(String(cause));
      this.options.owner.onFailed(this.failure);
    }
    for (const waiter of this.waiters.splice(0)) waiter.reject(this.failure);
    this.settle();
  }

  private settle(): void {
    if (this.stopped && !this.writing && !this.syncInFlight) {
      this.whenQuiet?.();
      this.whenQuiet = null;
      return;
    }
    this.startSync();
    this.options.onIdle();
  }
}

/** The oldest sealed groups that can be written by one call: those that follow each other in one file. */
function takeBatch(sealed: RingBuffer<CommitGroup>): CommitGroup[] {
  const batch: CommitGroup[] = [];
  let bytes = 0;
  let group = sealed.peek();
  while (group !== undefined && bytes < WRITE_BYTES_MAX) {
    if (batch.length > 0 && group.fileNumber !== batch[0]!.fileNumber) break;
    batch.push(group);
    bytes += group.dataBytes + group.tableBytes;
    sealed.shift();
    group = sealed.peek();
  }
  return batch;
}

/** The groups' bytes as few buffers: neighbouring pieces of one block become one. */
function collectBuffers(batch: CommitGroup[]): Buffer[] {
  const buffers: Buffer[] = [];
  let block = null;
  let start = 0;
  let end = 0;
  for (const group of batch) {
    for (const part of group.parts) {
      if (part.block === block && part.start === end) {
        end = part.end;
        continue;
      }
      if (block !== null) buffers.push(block.buffer.subarray(start, end));
      block = part.block;
      start = part.start;
      end = part.end;
    }
  }
  if (block !== null) buffers.push(block.buffer.subarray(start, end));
  return buffers;
}
