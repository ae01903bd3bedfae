import { endRead } from '../cache/block-cache.ts';
import type { RunIndex } from '../index/run-index.ts';
import { RUN_SHARED } from '../index/run-index.ts';
import { locationFile, locationPosition } from '../journal/format.ts';
import type { JournalFiles } from '../journal/journal-files.ts';

/** A run of which only its own bytes are read. */
export interface LonelyRun {
  readonly location: number;
  readonly baseOffset: number;
  readonly endOffset: number;
  /** Place of its bytes in the buffer that is read. */
  readonly start: number;
  readonly end: number;
}

/** Where the next run of the log is at least this share of a block away, the block is read for very few runs. */
const LONELY_GAP_SHARE = 1 / 16;
/** And longer runs are worth a block. */
const LONELY_RUN_SHARE = 1 / 32;
/** Runs read at the same time. */
const LONELY_RUNS_MAX = 16;

/**
 * The runs from the given one on that are read on their own, until they make up the bytes; none when they lie close
 * enough together for whole blocks. A log among many busy ones has little in each block of the journal.
 */
export function lonelyRuns(
  runs: RunIndex,
  first: number,
  limits: { readonly bytesMax: number; readonly blockBytes: number },
): LonelyRun[] {
  const { bytesMax, blockBytes } = limits;
  const found: LonelyRun[] = [];
  let bytes = 0;
  for (let run = first; run + 1 < runs.length && found.length < LONELY_RUNS_MAX; run++) {
    const runBytes = runs.bytes(run);
    const location = runs.location(run);
    const gap = runs.location(run + 1) - location - runBytes;
    const shared = (runs.flags(run) & RUN_SHARED) !== 0;
    if (shared || gap < blockBytes * LONELY_GAP_SHARE) break;
    if (runBytes > blockBytes * LONELY_RUN_SHARE) break;
    if (found.length > 0 && bytes + runBytes > bytesMax) break;
    const [baseOffset, endOffset] = [runs.baseOffset(run), runs.endOffset(run)];
    found.push({ location, baseOffset, endOffset, start: bytes, end: bytes + runBytes });
    bytes += runBytes;
  }
  return found;
}

/** Reads them into one buffer; what a file lacks is zero. Rejects when a file is gone. */
export async function readLonelyRuns(
  files: JournalFiles,
  runs: readonly LonelyRun[],
): Promise<Buffer> {
  const buffer = Buffer.alloc(runs[runs.length - 1]!.end);
  await Promise.all(
    runs.map(async ({ location, start, end }) => {
      const file = files.get(locationFile(location));
      if (file === undefined) throw new Error('a journal file is gone');
      file.readsInFlight++;
      try {
        await file.handle.read(
          buffer.subarray(start, end),
          end - start,
          locationPosition(location),
        );
      } finally {
        endRead(file);
      }
    }),
  );
  return buffer;
}
