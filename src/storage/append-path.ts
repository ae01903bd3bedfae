import assert from 'node:assert/strict';
import type { LogState } from './index/log-state.ts';
import type { LogTable } from './index/log-table.ts';
import { measureBatches, newBatchTotals, stampBatches } from './index/batch-walk.ts';
import type { BatchTotals } from './index/batch-walk.ts';
import type { FurtherTargets } from './journal/commit-group.ts';
import type { Journal } from './journal/journal.ts';
import { APPEND_REFUSED } from './types.ts';
import type { LogId, Position } from './types.ts';

export interface AppendPathOptions {
  readonly table: LogTable;
  readonly journal: Journal;
  /** Appends that follow each other in a group become one run up to this size. */
  readonly runBytesMax: number;
  readonly memoryLogBytes: number;
  /** A memory log got data: it is readable as of now. */
  readonly onMemoryAppend: (log: LogState) => void;
}

export interface AppendCounters {
  appends: number;
  appendedBytes: number;
}

const { unknownLog, diskFull, memoryFull } = APPEND_REFUSED;

/** Takes batches and notes into the open commit group. One copy of the bytes, no allocation per append. */
export class AppendPath {
  readonly counters: AppendCounters;
  /** Bytes of memory logs. */
  memoryBytes: number;
  /** Durable appends are refused: the disk is above its highest watermark. */
  diskBlocked: boolean;
  /** Everything is refused with this code when not 0. */
  refusal: number;
  private readonly options: AppendPathOptions;
  private readonly table: LogTable;
  private readonly journal: Journal;
  private readonly totals: BatchTotals;

  constructor(options: AppendPathOptions) {
    this.options = options;
    this.table = options.table;
    this.journal = options.journal;
    this.counters = { appends: 0, appendedBytes: 0 };
    this.memoryBytes = 0;
    this.diskBlocked = false;
    this.refusal = 0;
    this.totals = newBatchTotals();
  }

  append(id: LogId, epoch: number, buffer: Buffer, start: number, end: number): Position {
    if (this.refusal !== 0) return this.refusal;
    const log = this.table.get(id);
    if (log === undefined) return unknownLog;
    const bytes = end - start;
    const { totals, journal } = this;
    assert(measureBatches(buffer, start, end, totals), 'append takes whole record batches');
    if (log.memory !== null) return this.appendMemory(log, epoch, buffer, start, end);
    if (this.diskBlocked) return diskFull;
    const group = journal.group();
    const at = journal.reserve(bytes);
    const block = journal.target;
    buffer.copy(block.buffer, at, start, end);
    stampBatches(block.buffer, at, at + bytes, log.pendingEnd, epoch);
    const { offsetCount, maxTimestamp, maxTimestampDelta } = totals;
    const location = block.location + at;
    // A run lies in one block: the first bytes of a block never continue the run before, although locations do.
    if (
      at === 0 ||
      !group.extendLast(
        log,
        epoch,
        offsetCount,
        location,
        bytes,
        maxTimestamp,
        maxTimestampDelta,
        this.options.runBytesMax,
      )
    ) {
      group.addAppend(
        log,
        epoch,
        log.pendingEnd,
        offsetCount,
        location,
        bytes,
        maxTimestamp,
        maxTimestampDelta,
        null,
      );
    }
    this.took(log, bytes);
    const position = group.sequence;
    journal.added();
    return position;
  }

  appendShared(
    ids: readonly LogId[],
    epochs: readonly number[],
    buffer: Buffer,
    start: number,
    end: number,
  ): Position {
    if (this.refusal !== 0) return this.refusal;
    const bytes = end - start;
    assert(measureBatches(buffer, start, end, this.totals), 'append takes whole record batches');
    const onDisk: LogState[] = [];
    const inMemory: LogState[] = [];
    const diskEpochs: number[] = [];
    const memoryEpochs: number[] = [];
    for (let i = 0; i < ids.length; i++) {
      const log = this.table.get(ids[i]!);
      if (log === undefined) return unknownLog;
      (log.memory === null ? onDisk : inMemory).push(log);
      (log.memory === null ? diskEpochs : memoryEpochs).push(epochs[i]!);
    }
    if (onDisk.length > 0 && this.diskBlocked) return diskFull;
    if (this.memoryBytes + inMemory.length * bytes > this.options.memoryLogBytes) return memoryFull;
    const position =
      onDisk.length === 0
        ? this.journal.sequence
        : this.appendSharedOnDisk(onDisk, diskEpochs, buffer, start, end);
    for (let i = 0; i < inMemory.length; i++) {
      this.appendMemory(inMemory[i]!, memoryEpochs[i]!, buffer, start, end);
    }
    return position;
  }

  appendNote(id: LogId, epoch: number, note: Buffer): Position {
    if (this.refusal !== 0) return this.refusal;
    const log = this.table.get(id);
    if (log === undefined) return unknownLog;
    // The state machine of a log that is not kept needs no record of its changes either.
    if (log.memory !== null) return this.journal.sequence;
    const group = this.journal.group();
    group.addNote(log, epoch, note);
    this.require(log);
    const position = group.sequence;
    this.journal.added();
    return position;
  }

  /** Journals a trim that has been applied already. */
  addTrim(log: LogState): Position {
    if (log.memory !== null || this.refusal !== 0) return this.journal.sequence;
    const group = this.journal.group();
    group.addTrim(log, log.start);
    const position = group.sequence;
    this.journal.added();
    return position;
  }

  private appendSharedOnDisk(
    logs: LogState[],
    epochs: number[],
    buffer: Buffer,
    start: number,
    end: number,
  ): Position {
    const { journal, totals } = this;
    const bytes = end - start;
    const group = journal.group();
    const at = journal.reserve(bytes);
    const block = journal.target;
    const first = logs[0]!;
    buffer.copy(block.buffer, at, start, end);
    stampBatches(block.buffer, at, at + bytes, first.pendingEnd, epochs[0]!);
    const baseOffsets: number[] = [];
    const further: FurtherTargets | null =
      logs.length === 1 ? null : { logs: logs.slice(1), baseOffsets, epochs: epochs.slice(1) };
    group.addAppend(
      first,
      epochs[0]!,
      first.pendingEnd,
      totals.offsetCount,
      block.location + at,
      bytes,
      totals.maxTimestamp,
      totals.maxTimestampDelta,
      further,
    );
    // One by one: a log that is named twice gets offsets twice.
    this.took(first, bytes);
    for (let i = 1; i < logs.length; i++) {
      baseOffsets.push(logs[i]!.pendingEnd);
      this.took(logs[i]!, bytes);
    }
    const position = group.sequence;
    journal.added();
    return position;
  }

  private appendMemory(
    log: LogState,
    epoch: number,
    buffer: Buffer,
    start: number,
    end: number,
  ): Position {
    const memory = log.memory!;
    const { totals } = this;
    const bytes = end - start;
    if (this.memoryBytes + bytes > this.options.memoryLogBytes) return memoryFull;
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
    if (totals.maxTimestamp > log.maxTimestamp || log.maxTimestamp === -1) {
      log.maxTimestamp = totals.maxTimestamp;
      log.maxTimestampOffset = log.pendingEnd + totals.maxTimestampDelta;
    }
    this.memoryBytes += bytes;
    log.pendingEnd += totals.offsetCount;
    log.committedEnd = log.pendingEnd;
    log.bytes += bytes;
    this.counters.appends++;
    this.counters.appendedBytes += bytes;
    this.options.onMemoryAppend(log);
    return this.journal.sequence;
  }

  private took(log: LogState, bytes: number): void {
    log.pendingEnd += this.totals.offsetCount;
    log.bytes += bytes;
    if (!log.dirty) this.table.markDirty(log);
    this.counters.appends++;
    this.counters.appendedBytes += bytes;
    this.require(log);
  }

  /** Notes what the open group owes the log. */
  private require(log: LogState): void {
    const group = this.journal.group();
    if (log.durability === 'os') group.hasOs = true;
    else group.needsSync = true;
  }
}
