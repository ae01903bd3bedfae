import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { LogState } from '../index/log-state.ts';
import type { LogTable } from '../index/log-table.ts';
import { locationOf } from '../journal/format.ts';
import type { JournalFiles } from '../journal/journal-files.ts';
import type { LogTrimmer } from '../log-trimmer.ts';
import type { WrittenExtent } from './extent-builder.ts';
import type { SegmentBuilder, WrittenSegment } from './segment-builder.ts';
import type { SegmentSet } from './segment-set.ts';
import { planLog } from './settle-plan.ts';
import type { PlannedExtent } from './settle-plan.ts';

export interface SettlerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly table: LogTable;
  readonly journalFiles: JournalFiles;
  readonly segments: SegmentSet;
  readonly builder: SegmentBuilder;
  readonly trimmer: LogTrimmer;
  readonly onDamage: (log: LogState, from: number, to: number) => void;
}

/** What copy() made. */
export interface SettledFiles {
  readonly throughFile: number;
  /** Location at which the settled journal files end. */
  readonly before: number;
  readonly segments: readonly WrittenSegment[];
  readonly ms: number;
}

/** Logs planned before the event loop gets its turn. */
const LOGS_PER_TURN = 10_000;

/**
 * Moves what is still alive in the oldest journal files into segments, so that the files become free. Consumed and
 * expired data was trimmed before and is not copied.
 */
export class Settler {
  private readonly options: SettlerOptions;
  settledBytes: number;

  constructor(options: SettlerOptions) {
    this.options = options;
    this.settledBytes = 0;
  }

  /**
   * Copies what is alive in all journal files up to a number, whose groups are synced, into segments. Nothing
   * refers to those before publish(). Never called twice at once.
   */
  async copy(throughFile: number): Promise<SettledFiles> {
    const { clock, builder, journalFiles } = this.options;
    const startMs = clock.monotonicMs();
    const before = locationOf(throughFile + 1, 0);
    let writtenMs = 0;
    for (const file of journalFiles.list()) {
      if (file.number <= throughFile) writtenMs = Math.max(writtenMs, file.writtenMs);
    }
    const sourceOf = (file: number): ReturnType<JournalFiles['get']> => journalFiles.get(file);
    const extents = await this.plan(before);
    const segments = await builder.build({ extents, sourceOf, writtenMs });
    return { throughFile, before, segments, ms: clock.monotonicMs() - startMs };
  }

  /** Lets logs refer to the segments; a checkpoint then makes that durable and frees the journal files. */
  publish(settled: SettledFiles): void {
    const { segments, trimmer, onDamage, logger } = this.options;
    const { throughFile, before } = settled;
    const touched = new Set<LogState>();
    const written: WrittenExtent[] = [];
    let bytes = 0;
    for (const segment of settled.segments) {
      segments.add(segment);
      bytes += segment.bytes;
      for (const extent of segment.extents) written.push(extent);
    }
    // The extents of one log may be spread over files.
    written.sort((a, b) => a.extent.baseOffset - b.extent.baseOffset);
    for (const { planned, extent, damage } of written) {
      const { log } = planned;
      if (log.deleted || extent.endOffset <= log.start) continue;
      trimmer.addExtent(log, extent);
      touched.add(log);
      for (const { from, to } of damage) if (to > log.start) onDamage(log, from, to);
    }
    for (const log of touched) trimmer.dropSettledRuns(log, before);
    this.settledBytes += bytes;
    const facts = { throughFile, bytes, ms: Math.round(settled.ms) };
    logger.info('storage.settled', 'journal files were settled into segments', facts);
  }

  private async plan(before: number): Promise<PlannedExtent[]> {
    const planned: PlannedExtent[] = [];
    let count = 0;
    for (const log of this.options.table.values()) {
      if (++count % LOGS_PER_TURN === 0) await this.nextTurn();
      if (log.deleted || log.runs === null) continue;
      for (const extent of planLog(log, before)) planned.push(extent);
    }
    return planned;
  }

  private nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.options.clock.defer(resolve);
    });
  }
}
