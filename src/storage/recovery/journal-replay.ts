import { RingBuffer } from '../../base/ring-buffer.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { findDamage, measureBatches, newBatchTotals, stampBatches } from '../index/batch-walk.ts';
import type { BatchTotals } from '../index/batch-walk.ts';
import type { LogState } from '../index/log-state.ts';
import type { LogTable } from '../index/log-table.ts';
import { RUN_SHARED } from '../index/run-index.ts';
import {
  ENTRY_APPEND,
  ENTRY_META,
  ENTRY_NOTE,
  ENTRY_TRIM,
  decodeEntries,
} from '../journal/entries.ts';
import type { AppendEntry, Entry, FurtherLog } from '../journal/entries.ts';
import { FILE_HEADER_BYTES, GROUP_HEADER_BYTES, locationOf } from '../journal/format.ts';
import type { JournalFile } from '../journal/journal-files.ts';
import { decodeTxn } from '../meta-codec.ts';
import type { PreparedTxn } from '../meta-state.ts';
import type { Publisher } from '../publisher.ts';
import type { ReplayVisitor } from '../types.ts';
import { GroupScanner } from './group-scanner.ts';
import type { ReplayFile, ScannedGroup } from './group-scanner.ts';

export interface JournalReplayOptions {
  readonly table: LogTable;
  readonly publisher: Publisher;
  readonly visitor: ReplayVisitor;
  readonly logger: Logger;
  readonly onTrim: (log: LogState, before: number) => void;
  readonly onMeta: (txn: PreparedTxn) => void;
  /** Offsets [from, to) of a log are lost. */
  readonly onDamage: (log: LogState, from: number, to: number) => void;
}

export interface ReplayStart {
  readonly fileNumber: number;
  readonly position: number;
  /** Sequence of the newest group before. */
  readonly sequence: number;
}

export interface ReplayOutcome {
  /** Sequence of the newest group that counts. */
  readonly sequence: number;
  readonly groups: number;
  /** Of the journal, from where replay began to its end. */
  readonly bytes: number;
  /** A group that was not promised to anybody was incomplete: it and what followed were cut off. */
  readonly cut: boolean;
  /** Groups that had been synced were damaged or are missing. */
  readonly damaged: boolean;
  /** Location of the first group that no header calls synced; null when there is none. */
  readonly unproven: number | null;
}

/**
 * Replays commit groups from a position on, in order, whole groups only.
 *
 * Where a group is not as it was written, later headers decide: when one says that this group had been synced, it
 * is damage, whose offsets are quarantined, and replay goes on behind it. Otherwise the group was still on its way
 * to disk when the machine stopped: it and everything after it never happened.
 */
export class JournalReplay {
  private readonly options: JournalReplayOptions;
  private files: readonly ReplayFile[];
  private sequence: number;
  private groups: number;
  private cut: boolean;
  private damaged: boolean;
  /** Newest group that any later header calls synced; looked up at the first anomaly. */
  private proven: number | null;
  /** Newest group that a header seen so far calls synced. */
  private synced: number;
  /** Sequences and locations of the groups after that, in order. */
  private readonly unproven: RingBuffer<{ readonly sequence: number; readonly location: number }>;
  private readonly totals: BatchTotals;

  constructor(options: JournalReplayOptions) {
    this.options = options;
    this.files = [];
    this.sequence = 0;
    this.groups = 0;
    this.cut = false;
    this.damaged = false;
    this.proven = null;
    this.synced = 0;
    this.unproven = new RingBuffer(16);
    this.totals = newBatchTotals();
  }

  /** files: all journal files from the starting one on, in order. */
  async run(files: readonly ReplayFile[], start: ReplayStart): Promise<ReplayOutcome> {
    this.files = files;
    this.sequence = start.sequence;
    let bytes = 0;
    for (const replayed of files) {
      const { file } = replayed;
      const from = file.number === start.fileNumber ? start.position : FILE_HEADER_BYTES;
      file.end = from;
      if (!this.cut) await this.replayFile(replayed, from);
      bytes += file.end - from;
    }
    const { sequence, groups, cut, damaged } = this;
    return {
      sequence,
      groups,
      bytes,
      cut,
      damaged,
      unproven: this.unproven.peek()?.location ?? null,
    };
  }

  private async replayFile(replayed: ReplayFile, from: number): Promise<void> {
    const { file } = replayed;
    const scanner = new GroupScanner(replayed, from);
    for (;;) {
      const { position } = scanner;
      const group = await scanner.next();
      const expected = this.sequence + 1;
      if (group !== null && group.header.sequence === expected) {
        const entries = decodeGroup(group);
        if (entries !== null && isDataSound(group, entries)) {
          this.apply(group, entries, { file, sound: true });
          continue;
        }
        if (entries !== null && (await this.wasSynced(expected, file, group.endPosition))) {
          this.damaged = true;
          this.apply(group, entries, { file, sound: false });
          continue;
        }
      } else if (group === null && (await this.isEnd(scanner, position))) {
        return;
      }
      if (!(await this.wasSynced(expected, file, position))) {
        this.cutAt(file, position);
        return;
      }
      if (!(await this.skipDamage(scanner, group, position))) return;
    }
  }

  /** True when nothing of this file follows the position, not even a torn group. */
  private async isEnd(scanner: GroupScanner, position: number): Promise<boolean> {
    scanner.position = position;
    if ((await scanner.peek()) !== null) return false;
    const later = await scanner.resync();
    scanner.position = position;
    return later === null;
  }

  /** Goes on behind damage: at a group with a later number, or at the next sound header. */
  private async skipDamage(
    scanner: GroupScanner,
    group: ScannedGroup | null,
    position: number,
  ): Promise<boolean> {
    this.damaged = true;
    const facts = { file: scanner.fileNumber, position, group: this.sequence + 1 };
    this.options.logger.error('journal.damaged', 'commit groups are damaged or missing', facts);
    if (group !== null && group.header.sequence > this.sequence + 1) {
      this.sequence = group.header.sequence - 1;
      scanner.position = group.position;
      return true;
    }
    scanner.position = position;
    const header = await scanner.resync();
    if (header !== null) this.sequence = Math.max(this.sequence, header.sequence - 1);
    return header !== null;
  }

  private cutAt(file: JournalFile, position: number): void {
    this.cut = true;
    file.end = position;
    const facts = { file: file.number, position, group: this.sequence + 1 };
    const message = 'an incomplete commit group, promised to nobody, was cut off';
    this.options.logger.warn('journal.cut', message, facts);
  }

  /** Does any sound header after the position say that the group had been synced? */
  private async wasSynced(sequence: number, file: JournalFile, position: number): Promise<boolean> {
    if (this.proven === null) {
      this.proven = 0;
      for (const later of this.files) {
        if (later.file.number < file.number) continue;
        const from = later.file === file ? position : FILE_HEADER_BYTES;
        const scanner = new GroupScanner(later, from);
        let header = (await scanner.peek()) ?? (await scanner.resync());
        while (header !== null) {
          this.proven = Math.max(this.proven, header.syncedThrough);
          scanner.position += GROUP_HEADER_BYTES + header.dataBytes + header.tableBytes;
          header = (await scanner.peek()) ?? (await scanner.resync());
        }
      }
    }
    return sequence <= this.proven;
  }

  private apply(
    group: ScannedGroup,
    entries: readonly Entry[],
    known: { file: JournalFile; sound: boolean },
  ): void {
    const { sequence, syncedThrough, fileNumber } = group.header;
    this.sequence = sequence;
    this.groups++;
    if (syncedThrough > this.synced) {
      this.synced = syncedThrough;
      while ((this.unproven.peek()?.sequence ?? Infinity) <= syncedThrough) this.unproven.shift();
    }
    this.unproven.push({ sequence, location: locationOf(fileNumber, group.position) });
    known.file.end = group.endPosition;
    let dataAt = 0;
    for (const entry of entries) {
      switch (entry.kind) {
        case ENTRY_APPEND:
          this.applyAppend(entry, group, { dataAt, sound: known.sound });
          dataAt += entry.dataBytes;
          break;
        case ENTRY_NOTE:
          if (this.options.table.get(entry.log) !== undefined) {
            this.options.visitor.onNote(entry.log, entry.body);
          }
          break;
        case ENTRY_TRIM: {
          const log = this.options.table.get(entry.log);
          if (log !== undefined) this.options.onTrim(log, entry.before);
          break;
        }
        case ENTRY_META: {
          const txn = decodeTxn(entry.body);
          if (txn !== null) this.options.onMeta(txn);
          break;
        }
      }
    }
  }

  private applyAppend(
    entry: AppendEntry,
    group: ScannedGroup,
    known: { dataAt: number; sound: boolean },
  ): void {
    const { data } = group;
    const { dataAt } = known;
    const end = dataAt + entry.dataBytes;
    const expected = { baseOffset: entry.baseOffset, checkCrc: true };
    const whole = known.sound || findDamage(data, dataAt, end, expected) === end;
    let delta = 0;
    if (whole && measureBatches(data, dataAt, end, this.totals))
      delta = this.totals.maxTimestampDelta;
    const position = group.position + GROUP_HEADER_BYTES + dataAt;
    const run: ReplayedRun = {
      location: locationOf(group.header.fileNumber, position),
      maxTimestampDelta: delta,
      whole,
    };
    const log = this.addRun(entry, run, {
      log: entry.log,
      baseOffset: entry.baseOffset,
      epoch: -1,
    });
    if (log !== null && whole) this.options.visitor.onBatches(log.id, data, dataAt, end);
    for (const further of entry.further) {
      const other = this.addRun(entry, run, further);
      if (other === null || !whole) continue;
      const copy = Buffer.from(data.subarray(dataAt, end));
      stampBatches(copy, 0, copy.length, further.baseOffset, further.epoch);
      this.options.visitor.onBatches(other.id, copy, 0, copy.length);
    }
  }

  /** Null when the log is gone, or has the offsets already. An epoch of -1 is the one on the batches. */
  private addRun(entry: AppendEntry, run: ReplayedRun, target: FurtherLog): LogState | null {
    const { table, publisher, onDamage } = this.options;
    const log = table.get(target.log);
    const { baseOffset, epoch } = target;
    if (log === undefined || log.memory !== null || baseOffset < log.committedEnd) return null;
    if (baseOffset > log.committedEnd) onDamage(log, log.committedEnd, baseOffset);
    publisher.addRun(
      log,
      baseOffset,
      run.location,
      entry.dataBytes,
      entry.offsetCount,
      epoch === -1 ? 0 : RUN_SHARED,
      entry.maxTimestamp,
      run.maxTimestampDelta,
      Math.max(epoch, 0),
    );
    log.pendingEnd = log.committedEnd;
    log.bytes += entry.dataBytes;
    if (!run.whole) onDamage(log, baseOffset, log.committedEnd);
    return log;
  }
}

interface ReplayedRun {
  readonly location: number;
  readonly maxTimestampDelta: number;
  /** Every batch is as it was written. */
  readonly whole: boolean;
}

function decodeGroup(group: ScannedGroup): Entry[] | null {
  const entries: Entry[] = [];
  let dataBytes = 0;
  const sound = decodeEntries(group.table, group.header.entryCount, (entry) => {
    entries.push(entry);
    if (entry.kind === ENTRY_APPEND) dataBytes += entry.dataBytes;
  });
  return sound && dataBytes === group.header.dataBytes ? entries : null;
}

/** Are all batches as they were written? */
function isDataSound(group: ScannedGroup, entries: readonly Entry[]): boolean {
  let at = 0;
  for (const entry of entries) {
    if (entry.kind !== ENTRY_APPEND) continue;
    const end = at + entry.dataBytes;
    const expected = { baseOffset: entry.baseOffset, checkCrc: true };
    if (findDamage(group.data, at, end, expected) !== end) return false;
    at = end;
  }
  return true;
}
