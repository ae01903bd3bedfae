import type { LogState } from '../index/log-state.ts';
import type { RunIndex } from '../index/run-index.ts';

/** Runs of one log, in offset order, that become one extent. */
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
/** Output of an extent is collected up to this much before it is written. */
const EXTENT_BUFFER_BYTES = 128 << 10;
/** All extents that are written side by side collect up to this much. */
const PASS_BUFFER_BYTES = 16 << 20;
/** Files written side by side: each is open meanwhile. */
const PASS_FILES_MAX = 32;

export const bufferBytesOf = (extent: PlannedExtent): number =>
  Math.min(extent.bytes, EXTENT_BUFFER_BYTES);

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
  let bufferBytes = 0;
  for (const extent of extents) {
    if (extent.bytes >= OWN_FILE_BYTES) {
      files.push([extent]);
      continue;
    }
    const full = sharedBytes + extent.bytes > SHARED_FILE_BYTES;
    const wide = bufferBytes + bufferBytesOf(extent) > PASS_BUFFER_BYTES;
    if (shared.length > 0 && (full || wide)) {
      files.push(shared);
      shared = [];
      sharedBytes = 0;
      bufferBytes = 0;
    }
    shared.push(extent);
    sharedBytes += extent.bytes;
    bufferBytes += bufferBytesOf(extent);
  }
  if (shared.length > 0) files.push(shared);
  return files;
}

/** Files that are written side by side, while their sources are read once from beginning to end. */
export function planPasses(files: readonly PlannedFile[]): PlannedFile[][] {
  const passes: PlannedFile[][] = [];
  let pass: PlannedFile[] = [];
  let bufferBytes = 0;
  for (const file of files) {
    let needed = 0;
    for (const extent of file) needed += bufferBytesOf(extent);
    const full = bufferBytes + needed > PASS_BUFFER_BYTES || pass.length === PASS_FILES_MAX;
    if (full && pass.length > 0) {
      passes.push(pass);
      pass = [];
      bufferBytes = 0;
    }
    pass.push(file);
    bufferBytes += needed;
  }
  if (pass.length > 0) passes.push(pass);
  return passes;
}
