import type { Clock } from '../base/clock.ts';
import type { LogState } from './index/log-state.ts';
import type { LogTable } from './index/log-table.ts';
import { locationFile } from './journal/format.ts';
import type { JournalFiles } from './journal/journal-files.ts';
import type { Extent } from './segment/extent.ts';
import type { SegmentSet } from './segment/segment-set.ts';

export interface RetentionOptions {
  readonly clock: Clock;
  readonly table: LogTable;
  readonly journalFiles: JournalFiles;
  readonly segments: SegmentSet;
  /** Trims a log and journals that. */
  readonly trim: (log: LogState, before: number) => void;
}

/** Logs looked at before the event loop gets its turn. */
const LOGS_PER_TURN = 10_000;

/** Trims what logs need not keep any longer, by age and by size, in whole runs and extents. */
export class Retention {
  private readonly options: RetentionOptions;

  constructor(options: RetentionOptions) {
    this.options = options;
  }

  async check(): Promise<void> {
    const { clock, table } = this.options;
    const nowMs = clock.wallMs();
    let count = 0;
    for (const log of table.values()) {
      if (++count % LOGS_PER_TURN === 0) await this.nextTurn();
      if (log.deleted) continue;
      const start = this.startOf(log, nowMs);
      if (start > log.start) this.options.trim(log, start);
    }
  }

  /**
   * Trims the oldest settled data of logs that have a limit, across all logs, until about that many bytes are
   * free. Returns what it took.
   */
  shrink(bytesWanted: number): { readonly bytes: number; readonly logs: number } {
    const candidates: { log: LogState; maxTimestamp: number; endOffset: number; bytes: number }[] =
      [];
    for (const log of this.options.table.values()) {
      const { retentionMs, retentionBytes } = log.spec;
      if (log.extents === null || (retentionMs === Infinity && retentionBytes === Infinity))
        continue;
      for (const extent of log.extents) {
        const { endOffset, bytes } = extent;
        candidates.push({ log, maxTimestamp: this.timestampOfExtent(extent), endOffset, bytes });
      }
    }
    candidates.sort((a, b) => a.maxTimestamp - b.maxTimestamp);
    const trimmed = new Map<LogState, number>();
    let bytes = 0;
    for (const candidate of candidates) {
      if (bytes >= bytesWanted) break;
      const before = Math.max(trimmed.get(candidate.log) ?? 0, candidate.endOffset);
      trimmed.set(candidate.log, before);
      bytes += candidate.bytes;
    }
    for (const [log, before] of trimmed) this.options.trim(log, before);
    return { bytes, logs: trimmed.size };
  }

  private startOf(log: LogState, nowMs: number): number {
    const { retentionMs, retentionBytes } = log.spec;
    if (log.bytes === 0 || (retentionMs === Infinity && retentionBytes === Infinity))
      return log.start;
    const expiredMs = nowMs - retentionMs;
    let { start } = log;
    let bytes = this.committedBytes(log);
    for (const extent of log.extents ?? []) {
      const expired = this.timestampOfExtent(extent) < expiredMs;
      if (!expired && bytes - extent.bytes < retentionBytes) return start;
      start = extent.endOffset;
      bytes -= extent.bytes;
    }
    const runs = log.memory?.runs ?? log.runs;
    if (runs === null) return start;
    for (let run = 0; run < runs.length; run++) {
      const expired = this.timestampOf(log, run) < expiredMs;
      if (!expired && bytes - runs.bytes(run) < retentionBytes) return start;
      start = runs.endOffset(run);
      bytes -= runs.bytes(run);
    }
    return start;
  }

  /** Pending bytes must not push out committed ones before they count. */
  private committedBytes(log: LogState): number {
    const runs = log.memory?.runs ?? log.runs;
    let bytes = 0;
    for (const extent of log.extents ?? []) bytes += extent.bytes;
    if (runs === null) return bytes;
    for (let run = 0; run < runs.length; run++) bytes += runs.bytes(run);
    return bytes;
  }

  /** The largest timestamp of an extent; where batches have none, when they were appended at the latest. */
  private timestampOfExtent(extent: Extent): number {
    if (extent.maxTimestamp >= 0) return extent.maxTimestamp;
    return this.options.segments.writtenMs(extent.file) ?? Infinity;
  }

  /** The same for a run. */
  private timestampOf(log: LogState, run: number): number {
    const runs = (log.memory?.runs ?? log.runs)!;
    const timestamp = runs.maxTimestamp(run);
    if (timestamp >= 0) return timestamp;
    if (log.memory !== null) return Infinity;
    return this.options.journalFiles.get(locationFile(runs.location(run)))?.writtenMs ?? Infinity;
  }

  private nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.options.clock.defer(resolve);
    });
  }
}
