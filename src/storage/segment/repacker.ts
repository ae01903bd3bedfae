import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { endRead } from '../cache/block-cache.ts';
import type { ColdSource } from '../cache/block-cache.ts';
import type { LogState } from '../index/log-state.ts';
import type { LogTable } from '../index/log-table.ts';
import { RunIndex } from '../index/run-index.ts';
import { locationOf } from '../journal/format.ts';
import type { LogTrimmer } from '../log-trimmer.ts';
import type { Extent } from './extent.ts';
import type { SegmentBuilder, WrittenSegment } from './segment-builder.ts';
import type { SparseIndex } from './segment-format.ts';
import type { SegmentSet } from './segment-set.ts';
import type { PlannedExtent } from './settle-plan.ts';

export interface RepackerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly table: LogTable;
  readonly segments: SegmentSet;
  readonly builder: SegmentBuilder;
  readonly trimmer: LogTrimmer;
  readonly onDamage: (log: LogState, from: number, to: number) => void;
}

interface Repacked {
  readonly segments: readonly WrittenSegment[];
  /** The extent that each planned one is a copy of. */
  readonly originals: ReadonlyMap<PlannedExtent, Extent>;
  readonly files: number;
}

/** A segment file of which less than this share is still needed is copied to be freed. */
const REPACK_LIVE_SHARE = 0.5;
/** Copied in one go, about. */
const REPACK_BYTES_MAX = 64 << 20;
/** Logs looked at before the event loop gets its turn. */
const LOGS_PER_TURN = 10_000;

/**
 * Copies what logs still need of segment files that they share and that are mostly dead into new ones: a file is
 * deleted as a whole, so a single log could keep the space of all others.
 */
export class Repacker {
  private readonly options: RepackerOptions;
  repackedBytes: number;

  constructor(options: RepackerOptions) {
    this.options = options;
    this.repackedBytes = 0;
  }

  /** The files that are worth it now. */
  candidates(): number[] {
    return this.options.segments.sparse(REPACK_LIVE_SHARE, REPACK_BYTES_MAX);
  }

  /** Copies the files' live extents; nothing refers to the copies before publish(). */
  async copy(files: readonly number[]): Promise<Repacked> {
    const { segments, builder } = this.options;
    const found = await this.find(new Set(files));
    const extents: PlannedExtent[] = [];
    const originals = new Map<PlannedExtent, Extent>();
    const sources = new Map<number, ColdSource>();
    let writtenMs = 0;
    try {
      for (const { log, extent } of found) {
        const { source, index } = await segments.load(extent);
        if (index === null) {
          segments.leaveAlone(extent.file);
          continue;
        }
        if (!sources.has(extent.file)) {
          sources.set(extent.file, source);
          source.readsInFlight++; // keeps the file open
        }
        writtenMs = Math.max(writtenMs, segments.writtenMs(extent.file) ?? 0);
        const planned = { log, runs: runsOf(extent, index), bytes: extent.bytes };
        extents.push(planned);
        originals.set(planned, extent);
      }
      extents.sort((a, b) => a.runs.location(0) - b.runs.location(0));
      const sourceOf = (file: number): ColdSource | undefined => sources.get(file);
      const built = await builder.build({ extents, sourceOf, writtenMs });
      return { segments: built, originals, files: files.length };
    } finally {
      for (const source of sources.values()) endRead(source);
    }
  }

  /** Lets logs refer to the copies; a checkpoint then makes that durable and frees the old files. */
  publish(repacked: Repacked): void {
    const { segments, trimmer, onDamage, logger } = this.options;
    let bytes = 0;
    for (const segment of repacked.segments) {
      segments.add(segment);
      bytes += segment.bytes;
      for (const { planned, extent, damage } of segment.extents) {
        const { log } = planned;
        const original = repacked.originals.get(planned);
        if (log.deleted || original === undefined) continue;
        if (!trimmer.replaceExtent(log, original, extent)) continue;
        for (const { from, to } of damage) if (to > log.start) onDamage(log, from, to);
      }
    }
    this.repackedBytes += bytes;
    const facts = { files: repacked.files, bytes };
    logger.info('storage.repacked', 'what is left of mostly dead segment files was copied', facts);
  }

  private async find(files: ReadonlySet<number>): Promise<{ log: LogState; extent: Extent }[]> {
    const found: { log: LogState; extent: Extent }[] = [];
    let count = 0;
    for (const log of this.options.table.values()) {
      if (++count % LOGS_PER_TURN === 0) await this.nextTurn();
      for (const extent of log.extents ?? []) {
        if (files.has(extent.file)) found.push({ log, extent });
      }
    }
    return found;
  }

  private nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.options.clock.defer(resolve);
    });
  }
}

/** An extent as runs: one per entry of its sparse index. */
function runsOf(extent: Extent, index: SparseIndex): RunIndex {
  const runs = new RunIndex();
  const fileEnd = extent.position + extent.bytes;
  for (let at = 0; at < index.length; at += 3) {
    const last = at + 3 === index.length;
    const [offset, position, timestamp] = [index[at]!, index[at + 1]!, index[at + 2]!];
    const end = last ? fileEnd : index[at + 4]!;
    const endOffset = last ? extent.endOffset : index[at + 3]!;
    const location = locationOf(extent.file, position);
    runs.push(offset, location, end - position, endOffset - offset, 0, timestamp, 0);
  }
  return runs;
}
