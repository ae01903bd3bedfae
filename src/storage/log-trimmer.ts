import { damageFrom } from './index/damage.ts';
import type { LogState } from './index/log-state.ts';
import type { LogTable } from './index/log-table.ts';
import type { RunIndex } from './index/run-index.ts';
import { locationFile } from './journal/format.ts';
import type { JournalFiles } from './journal/journal-files.ts';
import type { Extent } from './segment/extent.ts';
import type { SegmentSet } from './segment/segment-set.ts';

/** Takes data out of logs: the space it had in files becomes free once no log needs the rest of the file. */
export class LogTrimmer {
  private readonly table: LogTable;
  private readonly journalFiles: JournalFiles;
  private readonly segments: SegmentSet;
  private readonly onMemoryFreed: (bytes: number) => void;

  constructor(options: {
    table: LogTable;
    journalFiles: JournalFiles;
    segments: SegmentSet;
    onMemoryFreed: (bytes: number) => void;
  }) {
    this.table = options.table;
    this.journalFiles = options.journalFiles;
    this.segments = options.segments;
    this.onMemoryFreed = options.onMemoryFreed;
  }

  /** Moves the log's start; false when it is there already. Whole runs and extents before it are dropped. */
  trim(log: LogState, before: number): boolean {
    const start = Math.min(before, log.committedEnd);
    if (start <= log.start) return false;
    log.start = start;
    this.dropExtents(log);
    if (log.memory !== null) this.dropMemory(log);
    else this.dropRuns(log);
    log.damage = damageFrom(log.damage, start);
    if (log.maxTimestampOffset < start) log.maxTimestamp = NaN;
    if (log.start === log.committedEnd) {
      log.maxTimestamp = -1;
      log.maxTimestampOffset = -1;
    }
    this.table.markDirty(log);
    return true;
  }

  /** Gives back everything that a deleted log had. */
  drop(log: LogState): void {
    const { runs, extents, memory } = log;
    if (runs !== null) this.releaseRuns(runs, runs.length);
    if (extents !== null) for (const extent of extents) this.segments.release(extent);
    if (memory !== null) this.onMemoryFreed(log.bytes);
    log.runs = null;
    log.extents = null;
    log.bytes = 0;
  }

  /** The log has this data in a segment, too. */
  addExtent(log: LogState, extent: Extent): void {
    this.segments.addReference(extent);
    log.extents = [...(log.extents ?? []), extent];
    log.bytes += extent.bytes;
    this.table.markDirty(log);
  }

  /** A copy takes the place of an extent; false when the log does not have that one any more. */
  replaceExtent(log: LogState, original: Extent, copy: Extent): boolean {
    const at = log.extents?.indexOf(original) ?? -1;
    if (at === -1) return false;
    this.segments.addReference(copy);
    this.segments.release(original);
    log.extents = log.extents!.with(at, copy);
    log.hintOffset = -1;
    this.table.markDirty(log);
    return true;
  }

  /** Everything before the location is in extents now. */
  dropSettledRuns(log: LogState, before: number): void {
    const { runs } = log;
    if (runs === null) return;
    const settled = runs.findLocation(before);
    log.bytes -= this.releaseRuns(runs, settled);
    runs.dropFirst(settled);
    log.hintOffset = -1;
    this.table.markDirty(log);
  }

  private dropRuns(log: LogState): void {
    const { runs } = log;
    if (runs === null) return;
    let dropped = 0;
    while (dropped < runs.length && runs.endOffset(dropped) <= log.start) dropped++;
    if (dropped === 0) return;
    log.bytes -= this.releaseRuns(runs, dropped);
    runs.dropFirst(dropped);
  }

  private dropMemory(log: LogState): void {
    const memory = log.memory!;
    const { runs } = memory;
    let dropped = 0;
    let bytes = 0;
    while (dropped < runs.length && runs.endOffset(dropped) <= log.start) {
      bytes += runs.bytes(dropped);
      dropped++;
    }
    if (dropped === 0) return;
    memory.dropFirst(dropped);
    log.bytes -= bytes;
    this.onMemoryFreed(bytes);
  }

  private dropExtents(log: LogState): void {
    const { extents } = log;
    if (extents === null) return;
    let dropped = 0;
    while (dropped < extents.length && extents[dropped]!.endOffset <= log.start) {
      const extent = extents[dropped]!;
      this.segments.release(extent);
      log.bytes -= extent.bytes;
      dropped++;
    }
    if (dropped > 0) log.extents = dropped === extents.length ? null : extents.slice(dropped);
  }

  /** The first runs are needed no more; returns their bytes. */
  private releaseRuns(runs: RunIndex, count: number): number {
    let total = 0;
    for (let run = 0; run < count; run++) {
      const bytes = runs.bytes(run);
      total += bytes;
      const file = this.journalFiles.get(locationFile(runs.location(run)));
      if (file === undefined) continue;
      file.liveBytes -= bytes;
      file.runs--;
    }
    return total;
  }
}
