import { batchBaseOffset } from '../../base/record-batch.ts';
import type { TailCache } from '../cache/tail-cache.ts';
import { cutBatches, seekBatch, stampBatches } from '../index/batch-walk.ts';
import { damageAfter, damageAt } from '../index/damage.ts';
import type { LogState } from '../index/log-state.ts';
import { RUN_SHARED } from '../index/run-index.ts';
import type { RunIndex } from '../index/run-index.ts';
import type { Lease, ReadOptions, ReadResult } from '../types.ts';
import { addSlice } from './batch-collector.ts';
import type { ReadTarget } from './batch-collector.ts';
import type { ColdReader } from './cold-reader.ts';

export interface ReadCounters {
  cacheHits: number;
  cacheMisses: number;
}

const NOTHING: ReadResult = { status: 'ok', slices: [], bytes: 0 };

/** Answers reads: from memory at once, else from files. */
export class LogReader {
  readonly counters: ReadCounters;
  private readonly cache: TailCache;
  private readonly cold: ColdReader;

  constructor(options: { cache: TailCache; cold: ColdReader }) {
    this.counters = { cacheHits: 0, cacheMisses: 0 };
    this.cache = options.cache;
    this.cold = options.cold;
  }

  /** Resolves when no read waits for a file. */
  idle(): Promise<void> {
    return this.cold.idle();
  }

  read(log: LogState, from: number, options: ReadOptions): ReadResult | Promise<ReadResult> {
    if (from < log.start || from > log.committedEnd) {
      return { status: 'out-of-range', start: log.start, committedEnd: log.committedEnd };
    }
    let endOffset = Math.min(options.endOffset ?? Infinity, log.committedEnd);
    if (from >= endOffset) return NOTHING;
    if (log.damage !== null) {
      const damage = damageAt(log.damage, from);
      if (damage !== null) return { status: 'corrupt', resumeOffset: damage.to };
      endOffset = Math.min(endOffset, damageAfter(log.damage, from));
    }
    const target: ReadTarget = {
      offset: from,
      endOffset,
      bytesMax: options.maxBytes,
      atLeastOne: options.atLeastOneBatch,
      signal: options.signal ?? null,
      bytes: 0,
      slices: [],
    };
    if (log.memory !== null) this.readMemory(log, target);
    else if (!this.readTail(log, target)) {
      this.counters.cacheMisses++;
      return this.cold.read(log, target);
    }
    this.counters.cacheHits++;
    return { status: 'ok', slices: target.slices, bytes: target.bytes };
  }

  /** Collects from the tail cache; false when the first wanted batch is not there. */
  private readTail(log: LogState, target: ReadTarget): boolean {
    const { runs } = log;
    if (runs === null || runs.length === 0 || target.offset < runs.baseOffset(0)) return false;
    for (let run = runs.find(target.offset); run < runs.length; run++) {
      if (runs.baseOffset(run) >= target.endOffset) return true;
      const location = runs.location(run);
      const block = this.cache.find(location);
      if (block === null) return target.slices.length > 0;
      const start = location - block.location;
      if (!takeRun(target, runs, run, block.buffer, start, block, log)) return true;
    }
    return true;
  }

  private readMemory(log: LogState, target: ReadTarget): void {
    const memory = log.memory!;
    const { runs } = memory;
    for (let run = runs.find(target.offset); run < runs.length; run++) {
      if (runs.baseOffset(run) >= target.endOffset) return;
      const location = runs.location(run);
      const buffer = memory.buffer(location);
      if (!takeRun(target, runs, run, buffer, memory.position(location), null, log)) return;
    }
  }
}

/** Adds what is wanted of a run that lies at start of the buffer; false when the read is full. */
function takeRun(
  target: ReadTarget,
  runs: RunIndex,
  run: number,
  buffer: Buffer,
  start: number,
  lease: Lease | null,
  log: LogState,
): boolean {
  const end = start + runs.bytes(run);
  if ((runs.flags(run) & RUN_SHARED) !== 0) {
    const copy = Buffer.from(buffer.subarray(start, end));
    stampBatches(copy, 0, copy.length, runs.baseOffset(run), runs.sharedEpoch(run));
    const first = seekBatch(copy, 0, copy.length, target.offset);
    return takeBatches(target, copy, first, copy.length, false, null) === copy.length;
  }
  let first = start;
  if (target.offset > runs.baseOffset(run)) {
    // A reader that goes on where it stopped need not walk the run from its beginning.
    const skipped = log.hintLocation - runs.location(run);
    const hinted = log.hintOffset === target.offset && skipped > 0 && skipped < end - start;
    first = hinted ? start + skipped : seekBatch(buffer, start, end, target.offset);
  }
  const whole = runs.endOffset(run) <= target.endOffset;
  const cut = takeBatches(target, buffer, first, end, whole, lease);
  if (cut === end) return true;
  log.hintOffset = batchBaseOffset(buffer, cut);
  log.hintLocation = runs.location(run) + (cut - start);
  return false;
}

/**
 * Adds the batches [start, end) as far as they are wanted and returns where they were cut. whole: all of them
 * lie before the read's end offset.
 */
function takeBatches(
  target: ReadTarget,
  buffer: Buffer,
  start: number,
  end: number,
  whole: boolean,
  lease: Lease | null,
): number {
  const room = target.bytesMax - target.bytes;
  let cut = end;
  if (!whole || end - start > room) {
    const atLeastOne = target.atLeastOne && target.bytes === 0;
    const limit = { bytesMax: room, endOffset: target.endOffset, atLeastOne };
    cut = cutBatches(buffer, start, end, limit);
  }
  if (cut > start) addSlice(target, buffer, start, cut, lease);
  return cut;
}
