import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { FileHandle, FileSystem } from '../file-system.ts';
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
   * Settles all journal files up to a number. Their groups are synced. When it resolves, logs refer to the
   * segments; a checkpoint then makes that durable and frees the files. Never called twice at once.
   */
  async settle(throughFile: number): Promise<void> {
    const { clock, logger } = this.options;
    const startMs = clock.monotonicMs();
    const before = locationOf(throughFile + 1, 0);
    const planned = await this.plan(before);
    const written: WrittenExtent[] = [];
    for (const file of planFiles(planned)) written.push(...(await this.writeFile(file)));
    this.publish(written, before);
    let bytes = 0;
    for (const { extent } of written) bytes += extent.bytes;
    this.settledBytes += bytes;
    logger.info('storage.settled', 'journal files were settled into segments', {
      throughFile,
      bytes,
      ms: Math.round(clock.monotonicMs() - startMs),
    });
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

  private async writeFile(planned: PlannedFile): Promise<readonly WrittenExtent[]> {
    const { fileSystem, clock, folder, clusterId, journalFiles, segments, aborted } = this.options;
    const number = segments.nextNumber++;
    const path = segments.pathOf(number);
    const handle = await fileSystem.open(path, { create: true });
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
      segments.add(number, bytes);
      return extents;
    } catch (error) {
      await this.abandon(path, handle);
      throw error;
    }
  }

  private async abandon(path: string, handle: FileHandle): Promise<void> {
    try {
      await handle.close();
      await this.options.fileSystem.remove(path);
    } catch (error) {
      // Nothing refers to the file: the next start removes it.
      const facts = { path, error };
      this.options.logger.warn('storage.settle', 'an unfinished segment was left behind', facts);
    }
  }

  /** Lets each log refer to its extents instead of the runs they were made of. */
  private publish(written: readonly WrittenExtent[], before: number): void {
    const { trimmer, onDamage } = this.options;
    const touched = new Set<LogState>();
    // Shared files are written after those of large extents.
    const inOrder = [...written].sort((a, b) => a.extent.baseOffset - b.extent.baseOffset);
    for (const { planned, extent, damage } of inOrder) {
      const { log } = planned;
      if (log.deleted || extent.endOffset <= log.start) continue;
      trimmer.addExtent(log, extent);
      touched.add(log);
      for (const { from, to } of damage) if (to > log.start) onDamage(log, from, to);
    }
    for (const log of touched) trimmer.dropSettledRuns(log, before);
  }

  private nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.options.clock.defer(resolve);
    });
  }
}
