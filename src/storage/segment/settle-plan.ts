import type { LogState } from '../index/log-state.ts';
import type { RunIndex } from '../index/run-index.ts';

/** The runs of one log that become one extent: a copy, for the index moves on meanwhile. */
export interface PlannedExtent {
  readonly log: LogState;
  readonly runs: RunIndex;
  readonly bytes: number;
}

/** Extents that go to one segment file. */
export type PlannedFile = PlannedExtent[];

/** A log with this much gets files of its own: its space is freed without waiting for other logs. */
const OWN_FILE_BYTES = 16 << 20;
const SHARED_FILE_BYTES = 64 << 20;

/** The extents of a log for its live runs before a location. */
export function planLog(log: LogState, before: number): PlannedExtent[] {
  const { runs } = log;
  if (runs === null) return [];
  const planned: PlannedExtent[] = [];
  const end = runs.findLocation(before);
  let first = 0;
  let bytes = 0;
  for (let run = 0; run < end; run++) {
    const gap = run > first && runs.endOffset(run - 1) !== runs.baseOffset(run);
    const full = run > first && bytes + runs.bytes(run) > log.spec.segmentBytes;
    if (gap || full) {
      planned.push({ log, runs: runs.slice(first, run), bytes });
      first = run;
      bytes = 0;
    }
    bytes += runs.bytes(run);
  }
  if (end > first) planned.push({ log, runs: runs.slice(first, end), bytes });
  return planned;
}

/** Spreads extents over files: large logs alone, the others together. */
export function planFiles(extents: readonly PlannedExtent[]): PlannedFile[] {
  const files: PlannedFile[] = [];
  let shared: PlannedFile = [];
  let sharedBytes = 0;
  for (const extent of extents) {
    if (extent.bytes >= OWN_FILE_BYTES) {
      files.push([extent]);
      continue;
    }
    if (sharedBytes + extent.bytes > SHARED_FILE_BYTES && shared.length > 0) {
      files.push(shared);
      shared = [];
      sharedBytes = 0;
    }
    shared.push(extent);
    sharedBytes += extent.bytes;
  }
  if (shared.length > 0) files.push(shared);
  return files;
}
