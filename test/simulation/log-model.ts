import {
  BATCH_HEADER_BYTES,
  batchBaseOffset,
  batchBaseSequence,
  batchCrc,
  batchLeaderEpoch,
  batchProducerId,
  batchTotalBytes,
  findBatchDefect,
} from '../../src/base/record-batch.ts';
import type { Durability, LogId, Position, Slice } from '../../src/storage/types.ts';
import type { CrashKind } from './disk.ts';

/** What was promised for something: nothing, that it survives the process, or the machine. */
export const UNACKED = 0;
export const ACKED_OS = 1;
export const ACKED_FSYNC = 2;
export type Acked = typeof UNACKED | typeof ACKED_OS | typeof ACKED_FSYNC;

export interface ModelBatch {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly bytes: number;
  readonly crc: number;
  readonly epoch: number;
  readonly timestamp: number;
  readonly producerId: number;
  readonly sequence: number;
  readonly position: Position;
  /** Of the log, when this was appended. */
  readonly durability: Durability;
  acked: Acked;
}

export interface ModelNote {
  readonly number: number;
  readonly position: Position;
  acked: Acked;
}

export interface ModelTrim {
  readonly before: number;
  readonly position: Position;
  acked: Acked;
}

/** The positions that a recovered engine has, and those it has not; see checkCut. */
export interface Cut {
  newestKept: Position;
  oldestLost: Position;
  detail: string;
}

/** Everything that ever went into one log, and what was promised about it. */
export class LogModel {
  readonly id: LogId;
  readonly memory: boolean;
  /** Data may go by itself: the log has a limit, or the disk was short. */
  trimsItself: boolean;
  batches: ModelBatch[] = [];
  notes: ModelNote[] = [];
  trims: ModelTrim[] = [];
  /** Largest start that trims explain. */
  trimmedTo = 0;
  end = 0;
  /** Created by a committed transaction, and not about to be deleted. */
  usable = false;
  /** Committed end as watchers know it. */
  toldEnd = 0;
  /** Its durability was changed: what came before may hold up what comes after. */
  altered = false;
  /** Next sequence of each producer. */
  readonly sequences = new Map<number, number>();
  /** Checksums that were ever appended at an offset, over all starts: what may be read at all. */
  private readonly everAt = new Map<number, number[]>();

  constructor(id: LogId, options: { memory: boolean; trimsItself: boolean }) {
    this.id = id;
    this.memory = options.memory;
    this.trimsItself = options.trimsItself;
  }

  /** Takes over what an engine accepted: bytes [start, end) hold one batch. */
  append(
    b: Buffer,
    start: number,
    end: number,
    facts: { records: number; epoch: number; position: Position; durability: Durability },
  ): ModelBatch {
    const batch: ModelBatch = {
      baseOffset: this.end,
      nextOffset: this.end + facts.records,
      bytes: end - start,
      crc: batchCrc(b, start),
      epoch: facts.epoch,
      timestamp: Number(b.readBigInt64BE(start + 35)),
      producerId: batchProducerId(b, start),
      sequence: batchBaseSequence(b, start),
      position: facts.position,
      durability: facts.durability,
      acked: UNACKED,
    };
    this.batches.push(batch);
    const ever = this.everAt.get(batch.baseOffset);
    if (ever === undefined) this.everAt.set(batch.baseOffset, [batch.crc]);
    else ever.push(batch.crc);
    this.end = batch.nextOffset;
    return batch;
  }

  /** The batch that holds the offset. */
  find(offset: number): ModelBatch | undefined {
    let low = 0;
    let high = this.batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.batches[middle]!.nextOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return this.batches[low];
  }

  /**
   * Checks read bytes against what was appended, beginning with the batch that holds `from`. Returns the offset
   * after them, or what is wrong. Whatever is seen is promised from now on.
   */
  checkRead(slices: readonly Slice[], from: number): number | string {
    let next = from;
    for (const { buffer, start, end } of slices) {
      for (let at = start; at < end;) {
        const left = end - at;
        const bytes = left < BATCH_HEADER_BYTES ? left : batchTotalBytes(buffer, at);
        const batch = this.find(next);
        const wrong =
          batch === undefined
            ? 'nothing was appended there'
            : batchDifference(buffer, at, at + bytes, batch);
        if (wrong !== null) return `log ${this.id} at offset ${next}: ${wrong}`;
        this.promise(batch!, batch!.durability === 'fsync' ? ACKED_FSYNC : ACKED_OS);
        next = batch!.nextOffset;
        at += bytes;
      }
    }
    return next;
  }

  /** For a disk with damage: every batch that is read was appended there once. Returns the offset after them. */
  checkReadAfterDamage(slices: readonly Slice[], from: number): number | string {
    let next = from;
    for (const { buffer, start, end } of slices) {
      for (let at = start; at < end;) {
        const bytes = batchTotalBytes(buffer, at);
        if (findBatchDefect(buffer, at, at + bytes) !== null) return `log ${this.id}: a bad batch`;
        const base = batchBaseOffset(buffer, at);
        if (this.everAt.get(base)?.includes(batchCrc(buffer, at)) !== true) {
          return `log ${this.id} at offset ${base}: a batch that was never appended there`;
        }
        next = base + buffer.readInt32BE(at + 23) + 1;
        at += bytes;
      }
    }
    return next;
  }

  /** Compares what an engine recovered with what was promised, and forgets what was lost. */
  recover(
    found: { start: number; committedEnd: number; notes: number },
    cut: Cut,
    crash: CrashKind,
  ): string | null {
    const name = `log ${this.id}`;
    if (this.memory) return this.restartEmpty(found.committedEnd);
    const required = crash === 'power' ? ACKED_FSYNC : ACKED_OS;
    if (found.committedEnd > this.end)
      return `${name} ends at ${found.committedEnd}, past the last append`;
    for (const batch of this.batches) {
      const kept = batch.nextOffset <= found.committedEnd;
      if (!kept && batch.baseOffset < found.committedEnd) return `${name} ends inside a batch`;
      if (!kept && batch.acked >= required) {
        return `${name}: acknowledged batch at ${batch.baseOffset} (position ${batch.position}) is lost; the log ends at ${found.committedEnd}`;
      }
      if (batch.nextOffset > found.start)
        noteCut(cut, batch.position, kept, `${name} ${batch.baseOffset}`);
    }
    for (const note of this.notes) {
      const kept = note.number < found.notes;
      if (!kept && note.acked >= required) {
        return `${name}: acknowledged note ${note.number} (position ${note.position}) is lost; there are ${found.notes}`;
      }
      noteCut(cut, note.position, kept, `${name} note ${note.number}`);
    }
    const problem = this.recoverStart(found.start, cut, required);
    if (problem !== null) return problem;
    this.forgetLost(found);
    return null;
  }

  /** Something was promised about a batch, and with it about all before. */
  promise(batch: ModelBatch, acked: Acked): void {
    if (acked > batch.acked) batch.acked = acked;
  }

  private recoverStart(start: number, cut: Cut, required: Acked): string | null {
    let least = 0;
    for (const trim of this.trims) {
      if (trim.acked >= required) least = Math.max(least, trim.before);
      // A trim may take effect before its group is kept, but not be missing from a group that is.
      if (!this.trimsItself && trim.before > start) {
        noteCut(cut, trim.position, false, `log ${this.id} trim ${trim.before}`);
      }
    }
    if (start < least) return `log ${this.id} starts at ${start}: the trim to ${least} is lost`;
    if (start > this.trimmedTo && !this.trimsItself) {
      return `log ${this.id} starts at ${start}, but was trimmed to ${this.trimmedTo} only`;
    }
    return null;
  }

  private forgetLost(found: { start: number; committedEnd: number; notes: number }): void {
    this.batches = this.batches.filter((batch) => batch.nextOffset <= found.committedEnd);
    // What a recovered log shows, it shows for good: readers may have seen it.
    for (const batch of this.batches) {
      this.promise(batch, batch.durability === 'fsync' ? ACKED_FSYNC : ACKED_OS);
    }
    this.notes = this.notes.slice(0, found.notes);
    const { start } = found;
    this.trims = this.trimsItself ? [] : [{ before: start, position: 0, acked: ACKED_FSYNC }];
    this.trimmedTo = start;
    this.end = found.committedEnd;
    this.sequences.clear();
    for (const batch of this.batches) this.sequences.set(batch.producerId, batch.sequence + 1);
  }

  private restartEmpty(end: number): null {
    this.batches = [];
    this.notes = [];
    this.trims = [];
    this.trimmedTo = end;
    this.end = end;
    this.sequences.clear();
    return null;
  }
}

/** Groups are kept from the beginning up to some position, and lost from there on, whatever they hold. */
export function noteCut(cut: Cut, position: Position, kept: boolean, what: string): void {
  if (kept && position > cut.newestKept) {
    cut.newestKept = position;
    cut.detail = `${what} of group ${position} was kept; ${cut.detail}`;
  }
  if (!kept && position < cut.oldestLost) {
    cut.oldestLost = position;
    cut.detail = `${what} of group ${position} was lost; ${cut.detail}`;
  }
}

function batchDifference(b: Buffer, start: number, end: number, batch: ModelBatch): string | null {
  const defect = findBatchDefect(b, start, end);
  if (defect !== null) return `a broken batch (${defect})`;
  const base = batchBaseOffset(b, start);
  if (base !== batch.baseOffset) return `a batch of offset ${base}, not ${batch.baseOffset}`;
  if (batchCrc(b, start) !== batch.crc) return 'another batch than the one appended there';
  const epoch = batchLeaderEpoch(b, start);
  return epoch === batch.epoch ? null : `epoch ${epoch}, not ${batch.epoch}`;
}
