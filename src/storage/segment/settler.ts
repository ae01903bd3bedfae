import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { FileSystem } from '../file-system.ts';
import type { LogState } from '../index/log-state.ts';
import type { LogTable } from '../index/log-table.ts';
import { locationOf } from '../journal/format.ts';
import type { JournalFiles } from '../journal/journal-files.ts';
import type { LogTrimmer } from '../log-trimmer.ts';
import { encodeSegmentHeader } from './segment-format.ts';
import type { SegmentSet } from './segment-set.ts';
import { SegmentWriter } from './segment-writer.ts';
import type { WrittenExtent } from './segment-writer.ts';
import { planFiles, planLog } from './settle-plan.ts';
import type { PlannedExtent, PlannedFile } from './settle-plan.ts';

export interface SettlerOptions {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly folder: string;
  readonly clusterId: Buffer;
  readonly table: LogTable;
  readonly journalFiles: JournalFiles;
  readonly segments: SegmentSet;
  readonly trimmer: LogTrimmer;
  readonly aborted: () => boolean;
  readonly onDamage: (log: LogState, from: number, to: number) => void;
}

interface WrittenSegment {
  readonly number: number;
  readonly bytes: number;
  readonly extents: readonly WrittenExtent[];
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
    const { clock } = this.options;
    const startMs = clock.monotonicMs();
    const before = locationOf(throughFile + 1, 0);
    const segments: WrittenSegment[] = [];
    try {
      for (const file of planFiles(await this.plan(before))) {
        segments.push(await this.writeFile(file));
      }
    } catch (error) {
      for (const { number } of segments) await this.remove(number);
      throw error;
    }
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
      segments.add(segment.number, segment.bytes);
      bytes += segment.bytes;
      written.push(...segment.extents);
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
      planned.push(...planLog(log, before));
    }
    return planned;
  }

  private async writeFile(planned: PlannedFile): Promise<WrittenSegment> {
    const { fileSystem, clock, folder, clusterId, journalFiles, segments, aborted } = this.options;
    const number = segments.nextNumber++;
    const handle = await fileSystem.open(segments.pathOf(number), { create: true });
    try {
      // A crash may have left a longer file of that number behind.
      await handle.truncate(0);
      const header = encodeSegmentHeader({ clusterId, number, createdMs: clock.wallMs() });
      await handle.write([header], 0);
      const writer = new SegmentWriter({ clock, journalFiles, handle, number, aborted });
      const { extents, bytes } = await writer.write(planned);
      await handle.sync();
      await fileSystem.syncDirectory(folder);
      await handle.close();
      return { number, bytes, extents };
    } catch (error) {
      await handle.close();
      await this.remove(number);
      throw error;
    }
  }

  /** Removes a segment that nothing refers to. */
  private async remove(number: number): Promise<void> {
    const { fileSystem, segments, logger } = this.options;
    try {
      await fileSystem.remove(segments.pathOf(number));
    } catch (error) {
      // The next start removes it.
      logger.warn('storage.settle', 'an unfinished segment was left behind', { number, error });
    }
  }

  private nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.options.clock.defer(resolve);
    });
  }
}
