import {
  BATCH_HEADER_BYTES,
  batchBaseOffset,
  batchCrc,
  batchLastOffsetDelta,
  batchMaxTimestamp,
  batchTotalBytes,
  computeBatchCrc,
} from '../../base/record-batch.ts';
import { stampBatches } from '../index/batch-walk.ts';
import { RUN_SHARED } from '../index/run-index.ts';
import { isHeaderSound } from '../read/batch-collector.ts';
import type { Extent } from './extent.ts';
import type { PlannedExtent } from './settle-plan.ts';

export interface WrittenExtent {
  readonly planned: PlannedExtent;
  readonly extent: Extent;
  /** Offsets whose bytes are not what was written. */
  readonly damage: readonly { readonly from: number; readonly to: number }[];
}

const SPARSE_BYTES = 64 << 10;

/** Checks the runs of one extent, in order, as they are copied, and collects what its index says about them. */
export class ExtentBuilder {
  readonly planned: PlannedExtent;
  /** File position of the first batch. */
  readonly position: number;
  /** Runs checked so far. */
  checkedRuns: number;
  /** Triples; see SparseIndex. */
  readonly sparse: number[];
  private readonly damage: { from: number; to: number }[];
  private maxTimestamp: number;
  private maxTimestampOffset: number;
  private sparseBytes: number;

  constructor(planned: PlannedExtent, position: number) {
    this.planned = planned;
    this.position = position;
    this.checkedRuns = 0;
    this.sparse = [];
    this.damage = [];
    this.maxTimestamp = -1;
    this.maxTimestampOffset = -1;
    this.sparseBytes = Infinity; // the first batch gets an entry
  }

  get done(): boolean {
    return this.checkedRuns === this.planned.runs.length;
  }

  /** Where the next run lies. */
  get location(): number {
    return this.planned.runs.location(this.checkedRuns);
  }

  get bytes(): number {
    return this.planned.runs.bytes(this.checkedRuns);
  }

  /** Checks the next run, a copy of which lies at `at` of b; byte 0 of b goes to that position of the file. */
  checkRun(b: Buffer, at: number, filePosition: number): void {
    const { runs } = this.planned;
    const run = this.checkedRuns++;
    const end = at + runs.bytes(run);
    const base = runs.baseOffset(run);
    const shared = (runs.flags(run) & RUN_SHARED) !== 0;
    // A shared body carries the offsets of the log it was stored for.
    const storedBase = shared ? batchBaseOffset(b, at) : base;
    const sound = this.walk(b, at, end, { storedBase, base, filePosition });
    if (shared && sound) stampBatches(b, at, end, base, runs.sharedEpoch(run));
  }

  finish(place: { file: number; indexPosition: number; indexBytes: number }): WrittenExtent {
    const { planned, position } = this;
    const { runs, bytes } = planned;
    const baseOffset = runs.baseOffset(0);
    const extent: Extent = {
      ...place,
      position,
      bytes,
      baseOffset,
      endOffset: runs.endOffset(runs.length - 1),
      maxTimestamp: this.maxTimestamp,
      maxTimestampOffset: this.maxTimestampOffset === -1 ? baseOffset : this.maxTimestampOffset,
    };
    return { planned, extent, damage: this.damage };
  }

  private walk(
    b: Buffer,
    start: number,
    end: number,
    from: { storedBase: number; base: number; filePosition: number },
  ): boolean {
    const { storedBase, base, filePosition } = from;
    const runEnd = this.planned.runs.endOffset(this.checkedRuns - 1);
    let stored = storedBase;
    let at = start;
    let sound = true;
    while (at < end) {
      const bytes = end - at < BATCH_HEADER_BYTES ? 0 : batchTotalBytes(b, at);
      const offset = base + (stored - storedBase);
      if (bytes === 0 || !isHeaderSound(b, at, stored) || bytes > end - at) {
        this.damaged(offset, runEnd);
        return false;
      }
      const next = offset + batchLastOffsetDelta(b, at) + 1;
      if (this.sparseBytes >= SPARSE_BYTES) {
        this.sparse.push(offset, filePosition + at, -1);
        this.sparseBytes = 0;
      }
      this.sparseBytes += bytes;
      if (computeBatchCrc(b, at, bytes) === batchCrc(b, at)) {
        this.sawTimestamp(batchMaxTimestamp(b, at), offset);
      } else {
        this.damaged(offset, next);
        sound = false;
      }
      stored += batchLastOffsetDelta(b, at) + 1;
      at += bytes;
    }
    return sound;
  }

  private sawTimestamp(timestamp: number, offset: number): void {
    const last = this.sparse.length - 1;
    if (timestamp > this.sparse[last]!) this.sparse[last] = timestamp;
    if (this.maxTimestampOffset !== -1 && timestamp <= this.maxTimestamp) return;
    this.maxTimestamp = timestamp;
    this.maxTimestampOffset = offset;
  }

  private damaged(from: number, to: number): void {
    this.damage.push({ from, to });
    // A reader resumes behind the damage: the next batch gets an entry of its own.
    this.sparseBytes = Infinity;
  }
}
