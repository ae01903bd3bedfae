import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ColdSource } from '../cache/block-cache.ts';
import type { FileSystem } from '../file-system.ts';
import type { WrittenExtent } from './extent-builder.ts';
import { encodeSegmentHeader } from './segment-format.ts';
import type { SegmentSet } from './segment-set.ts';
import { SegmentWriter } from './segment-writer.ts';
import type { OpenSegment } from './segment-writer.ts';
import { planFiles, planPasses } from './settle-plan.ts';
import type { PlannedExtent, PlannedFile } from './settle-plan.ts';

export interface SegmentBuilderOptions {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly folder: string;
  readonly clusterId: Buffer;
  readonly segments: SegmentSet;
  /** Asked between steps: true to give up. */
  readonly aborted: () => boolean;
}

/** What is to be copied, and from where. */
export interface CopyJob {
  readonly extents: readonly PlannedExtent[];
  readonly sourceOf: (file: number) => ColdSource | undefined;
  /** Nothing in it was appended later than this. */
  readonly writtenMs: number;
}

/** A segment file that is complete and durable; nothing refers to it yet. */
export interface WrittenSegment {
  readonly number: number;
  readonly bytes: number;
  readonly writtenMs: number;
  readonly extents: readonly WrittenExtent[];
}

/** Makes segment files: for data that leaves the journal, and for what is left of other segments. */
export class SegmentBuilder {
  private readonly options: SegmentBuilderOptions;

  constructor(options: SegmentBuilderOptions) {
    this.options = options;
  }

  /** Resolves with files that are synced. When it fails, there are none. */
  async build(job: CopyJob): Promise<WrittenSegment[]> {
    const written: WrittenSegment[] = [];
    try {
      for (const pass of planPasses(planFiles(job.extents))) {
        written.push(...(await this.writePass(pass, job)));
      }
    } catch (error) {
      await this.discard(written);
      throw error;
    }
    return written;
  }

  /** Removes segments that nothing refers to. */
  async discard(segments: Iterable<{ readonly number: number }>): Promise<void> {
    const { fileSystem, segments: set, logger } = this.options;
    for (const { number } of segments) {
      try {
        await fileSystem.remove(set.pathOf(number));
      } catch (error) {
        // The next start removes it.
        logger.warn('storage.settle', 'an unfinished segment was left behind', { number, error });
      }
    }
  }

  private async writePass(files: readonly PlannedFile[], job: CopyJob): Promise<WrittenSegment[]> {
    const { fileSystem, clock, folder, aborted } = this.options;
    const { sourceOf, writtenMs } = job;
    const open: OpenSegment[] = [];
    try {
      for (const planned of files) open.push(await this.create(planned, writtenMs));
      const results = await new SegmentWriter({ clock, sourceOf, aborted }).write(open);
      for (const { handle } of open) await handle.sync();
      await fileSystem.syncDirectory(folder);
      for (const { handle } of open) await handle.close();
      return results.map((result, i) => ({ ...result, writtenMs, number: open[i]!.number }));
    } catch (error) {
      await Promise.allSettled(open.map(({ handle }) => handle.close()));
      await this.discard(open);
      throw error;
    }
  }

  private async create(planned: PlannedFile, writtenMs: number): Promise<OpenSegment> {
    const { fileSystem, clusterId, segments } = this.options;
    const number = segments.nextNumber++;
    const handle = await fileSystem.open(segments.pathOf(number), { create: true });
    try {
      // A crash may have left a longer file of that number behind.
      await handle.truncate(0);
      await handle.write([encodeSegmentHeader({ clusterId, number, writtenMs })], 0);
    } catch (error) {
      await handle.close();
      await this.discard([{ number }]);
      throw error;
    }
    return { number, handle, planned };
  }
}
