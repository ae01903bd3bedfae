import assert from 'node:assert/strict';
import { crc32c } from '../../base/crc32c.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { RingBuffer } from '../../base/ring-buffer.ts';
import type { Block } from '../cache/block.ts';
import type { TailCache } from '../cache/tail-cache.ts';
import { CommitGroup } from './commit-group.ts';
import { FILE_HEADER_BYTES, GROUP_HEADER_BYTES, encodeGroupHeader, locationOf } from './format.ts';
import type { JournalFiles } from './journal-files.ts';
import { JournalWriter } from './journal-writer.ts';

export interface JournalOptions {
  readonly clock: Clock;
  readonly files: JournalFiles;
  readonly cache: TailCache;
  readonly incarnation: number;
  /** The file that the first group goes to; it is made now. */
  readonly fileNumber: number;
  /** Sequence of the newest group of earlier starts. */
  readonly sequence: number;
  readonly journalFileBytes: number;
  readonly groupBytes: number;
  readonly writeNowBytes: number;
  readonly owner: JournalOwner;
}

/** Who is told what became of a group. Called in order, never inside append. */
export interface JournalOwner {
  /** The group was taken by the operating system. */
  onWritten(group: CommitGroup): void;
  /** The group was synced; called for groups that need a sync only. */
  onDurable(group: CommitGroup): void;
  /** Everything up to `written` is written, everything up to `synced` is synced. */
  onProgress(written: number, synced: number): void;
  /** The disk is full. Resolves with whether writing again is worth a try. */
  onNoSpace(): Promise<boolean>;
  /** A write or sync failed: nothing more will be written. */
  onFailed(error: Error): void;
}

const ENTRIES_MAX = 32_768;
const IDLE_GROUPS_MAX = 8;

/**
 * The write side of the journal: fills the open commit group, seals it, and hands it to the writer.
 *
 *   append -> open group -> (sealed) -> writing -> written -> synced -> reused
 *
 * The group's bytes are laid out in blocks of the tail cache exactly as in the file, so an append knows its
 * final place at once and the block is what gets written and what readers get.
 */
export class Journal {
  private readonly options: JournalOptions;
  private readonly writer: JournalWriter;
  private readonly idle: CommitGroup[];
  private readonly sealed: RingBuffer<CommitGroup>;
  private open: CommitGroup | null;
  private lastSequence: number;
  private fileNumber: number;
  /** Newest file that was asked for. */
  private preparedFile: number;
  /** File position of the next byte. */
  private position: number;
  private block: Block | null;
  /** Where the open group's piece of the block begins. */
  private partStart: number;
  private atomicDepth: number;
  /** Bytes of sealed groups that are not committed. */
  private unfinishedBytes: number;
  /** Time between the beginnings of two writes, at least; Infinity: none. */
  private paceMs: number;
  private lastWriteMs: number;
  /** Up to here, groups are written whatever the pace. */
  private hurryThrough: number;
  private restTimer: Timer | null;
  private restingSinceMs: number;
  /** How long commits were held back. */
  pacedMsTotal: number;
  private pumpScheduled: boolean;
  private readonly pumpLater: () => void;

  constructor(options: JournalOptions) {
    this.options = options;
    this.idle = [];
    this.sealed = new RingBuffer(16);
    this.open = null;
    this.lastSequence = options.sequence;
    this.fileNumber = options.fileNumber;
    this.preparedFile = options.fileNumber;
    this.position = FILE_HEADER_BYTES;
    this.block = null;
    this.partStart = 0;
    this.atomicDepth = 0;
    this.unfinishedBytes = 0;
    this.paceMs = 0;
    this.lastWriteMs = 0;
    this.hurryThrough = 0;
    this.restTimer = null;
    this.restingSinceMs = -1;
    this.pacedMsTotal = 0;
    this.pumpScheduled = false;
    this.pumpLater = () => {
      this.pumpScheduled = false;
      this.pump({ tellNow: true });
    };
    this.writer = new JournalWriter({
      clock: options.clock,
      files: options.files,
      sequence: options.sequence,
      writeNowBytes: options.writeNowBytes,
      owner: options.owner,
      onIdle: () => this.onIdle(),
      recycle: (group) => this.recycle(group),
    });
  }

  /** Sequence of the newest group, open or not. */
  get sequence(): number {
    return this.lastSequence;
  }

  get syncedThrough(): number {
    return this.writer.syncedThrough;
  }

  get writtenThrough(): number {
    return this.writer.writtenThrough;
  }

  get stats(): JournalWriter['counters'] {
    return this.writer.counters;
  }

  /** Bytes that are not committed yet. */
  get pendingBytes(): number {
    const group = this.open;
    return this.unfinishedBytes + (group === null ? 0 : group.dataBytes + group.tableBytes);
  }

  /** Where the next group will begin. Meaningful while no group is open. */
  get endLocation(): number {
    return locationOf(this.fileNumber, this.position);
  }

  /** The group that appends join now. It is sealed in a later turn, or when it is full. */
  group(): CommitGroup {
    return this.open ?? this.openGroup();
  }

  /**
   * Makes room for bytes of the open group and returns their index in `target`, the block to fill. The bytes lie
   * in one piece.
   */
  reserve(bytes: number): number {
    let block = this.block;
    if (block === null || block.used + bytes > block.buffer.length) block = this.nextBlock(bytes);
    const at = block.used;
    block.used += bytes;
    this.position += bytes;
    return at;
  }

  /** The block that the last reserve was for. */
  get target(): Block {
    assert(this.block !== null, 'nothing was reserved');
    return this.block;
  }

  /** To be called after the open group got its entry: closes the group when it is full. */
  added(): void {
    const group = this.open;
    if (group === null || this.atomicDepth > 0) return;
    const bytes = group.dataBytes + group.tableBytes;
    if (bytes < this.options.groupBytes && group.count < ENTRIES_MAX) return;
    this.seal();
    this.pump({ tellNow: false });
  }

  /** Until the matching endAtomic, the open group is not closed. */
  beginAtomic(): void {
    this.atomicDepth++;
  }

  endAtomic(): void {
    this.atomicDepth--;
    this.added();
  }

  /** Resolves when everything appended so far is synced; rejects when that fails. */
  sync(): Promise<void> {
    if (this.open !== null) this.seal();
    this.hurryThrough = this.lastSequence;
    const done = this.writer.synced(this.lastSequence);
    this.pump({ tellNow: false });
    return done;
  }

  /** Somebody waits for a sync of a position whose logs would not need one. */
  wantSync(position: number): void {
    if (position <= this.writer.syncedThrough) return;
    const group = this.open;
    if (group !== null && position >= group.sequence) group.needsSync = true;
    else this.writer.wantSync(Math.min(position, this.lastSequence));
    this.schedulePump();
  }

  /**
   * Sets how long writes are to be apart: 0 for as fast as the disk is, Infinity for none at all but those that
   * sync() asks for. What is appended meanwhile waits for its commit.
   */
  pace(ms: number): void {
    if (ms === this.paceMs) return;
    this.paceMs = ms;
    this.restTimer?.cancel();
    this.restTimer = null;
    if (ms === 0) this.endRest();
    if (this.open !== null || this.sealed.length > 0) this.schedulePump();
  }

  /** Written groups that wait for their sync, oldest first. */
  forEachUnsynced(callback: (group: CommitGroup) => void): void {
    this.writer.forEachUnsynced(callback);
  }

  /** Groups that are not written yet, oldest first. */
  forEachUnwritten(callback: (group: CommitGroup) => void): void {
    this.writer.forEachBeingWritten(callback);
    for (let i = 0; i < this.sealed.length; i++) callback(this.sealed.at(i)!);
    if (this.open !== null) callback(this.open);
  }

  /** Closes the open group now. */
  seal(): void {
    const group = this.open;
    if (group === null) return;
    assert(this.atomicDepth === 0, 'a group was sealed inside atomically');
    const tableAt = this.reserve(group.tableBytes);
    const tableBlock = this.target;
    group.encodeTable(tableBlock.buffer, tableAt);
    const table = tableBlock.buffer.subarray(tableAt, tableAt + group.tableBytes);
    this.closePart();
    group.endPosition = this.position;
    const header = {
      fileNumber: group.fileNumber,
      incarnation: this.options.incarnation,
      sequence: group.sequence,
      syncedThrough: this.writer.syncedThrough,
      dataBytes: group.dataBytes,
      tableBytes: group.tableBytes,
      entryCount: group.count,
      tableCrc: crc32c(table),
    };
    assert(group.headerBlock !== null, 'an open group has a header');
    encodeGroupHeader(header, group.headerBlock.buffer, group.headerAt);
    this.open = null;
    this.unfinishedBytes += group.dataBytes + group.tableBytes;
    this.sealed.push(group);
  }

  /** Takes no more groups; resolves when no operation is in flight. */
  async stop(): Promise<void> {
    this.restTimer?.cancel();
    await this.writer.stop();
  }

  private openGroup(): CommitGroup {
    if (this.position >= this.options.journalFileBytes) this.roll();
    else if (this.position * 2 > this.options.journalFileBytes) this.prepareNext();
    const group = this.idle.pop() ?? new CommitGroup();
    this.lastSequence++;
    group.sequence = this.lastSequence;
    group.fileNumber = this.fileNumber;
    group.location = locationOf(this.fileNumber, this.position);
    this.open = group;
    this.partStart = this.block === null ? 0 : this.block.used;
    if (this.block !== null) this.block.lastSequence = group.sequence;
    group.headerAt = this.reserve(GROUP_HEADER_BYTES);
    group.headerBlock = this.block;
    this.schedulePump();
    return group;
  }

  private roll(): void {
    this.prepareNext();
    this.fileNumber++;
    this.position = FILE_HEADER_BYTES;
    this.block = null;
  }

  /** Has the next file made while this one fills, so that nobody waits for that. */
  private prepareNext(): void {
    const next = this.fileNumber + 1;
    if (this.preparedFile >= next) return;
    this.preparedFile = next;
    this.options.files.prepare(next).catch(() => {}); // the writer awaits it, too, and reports
  }

  private nextBlock(bytes: number): Block {
    this.closePart();
    const block = this.options.cache.allocate(bytes, locationOf(this.fileNumber, this.position));
    block.lastSequence = this.lastSequence;
    this.block = block;
    this.partStart = 0;
    return block;
  }

  private closePart(): void {
    const block = this.block;
    if (block === null || block.used === this.partStart) return;
    this.open?.parts.push({ block, start: this.partStart, end: block.used });
    this.partStart = block.used;
  }

  private schedulePump(): void {
    if (this.pumpScheduled) return;
    this.pumpScheduled = true;
    this.options.clock.defer(this.pumpLater);
  }

  /** A write or sync is over. What is appended in the rest of this turn joins the next group. */
  private onIdle(): void {
    if (this.open !== null || this.sealed.length > 0) this.schedulePump();
    this.options.cache.shrink(this.writer.writtenThrough);
  }

  /** Starts what can be started: a write of what is sealed, a sync of what is written. */
  private pump(options: { tellNow: boolean }): void {
    if (!this.writer.canWrite || (this.paceMs > 0 && this.mustRest())) return;
    const group = this.open;
    if (group !== null && this.sealed.length === 0 && this.atomicDepth === 0) {
      // While a sync is in flight, a group that needs one too had better grow until it is over.
      const wait = this.writer.syncing && !group.hasOs;
      if (!wait || group.dataBytes * 4 > this.options.groupBytes) this.seal();
    }
    this.writer.start(this.sealed, options);
    this.options.cache.shrink(this.writer.writtenThrough);
  }

  /** Is it too early for the next write? Then it is tried again when it is not. */
  private mustRest(): boolean {
    const { clock } = this.options;
    if (this.open === null && this.sealed.length === 0) return false;
    const nowMs = clock.monotonicMs();
    const restMs = this.lastWriteMs + this.paceMs - nowMs;
    if (restMs <= 0 || this.writer.writtenThrough < this.hurryThrough) {
      this.endRest();
      this.lastWriteMs = nowMs;
      return false;
    }
    if (this.restingSinceMs < 0) this.restingSinceMs = nowMs;
    if (restMs !== Infinity && this.restTimer === null) {
      this.restTimer = clock.setTimer(restMs, () => {
        this.restTimer = null;
        this.pump({ tellNow: true });
      });
    }
    return true;
  }

  private endRest(): void {
    if (this.restingSinceMs < 0) return;
    this.pacedMsTotal += this.options.clock.monotonicMs() - this.restingSinceMs;
    this.restingSinceMs = -1;
  }

  private recycle(group: CommitGroup): void {
    this.unfinishedBytes -= group.dataBytes + group.tableBytes;
    group.reset();
    if (this.idle.length < IDLE_GROUPS_MAX) this.idle.push(group);
  }
}
