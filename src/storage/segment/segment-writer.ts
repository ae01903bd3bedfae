import type { Clock } from '../../base/clock.ts';
import {
  BATCH_HEADER_BYTES,
  batchBaseOffset,
  batchCrc,
  batchLastOffsetDelta,
  batchMaxTimestamp,
  batchTotalBytes,
  computeBatchCrc,
} from '../../base/record-batch.ts';
import { endRead } from '../cache/block-cache.ts';
import type { FileHandle } from '../file-system.ts';
import { stampBatches } from '../index/batch-walk.ts';
import { RUN_SHARED } from '../index/run-index.ts';
import { locationFile, locationPosition } from '../journal/format.ts';
import type { JournalFiles } from '../journal/journal-files.ts';
import { isHeaderSound } from '../read/batch-collector.ts';
import type { Extent } from './extent.ts';
import { SEGMENT_HEADER_BYTES, encodeFooter, encodeSparseIndex } from './segment-format.ts';
import type { PlannedExtent } from './settle-plan.ts';

export interface SegmentWriterOptions {
  readonly clock: Clock;
  readonly journalFiles: JournalFiles;
  readonly handle: FileHandle;
  readonly number: number;
  /** Asked between steps: true to give up. */
  readonly aborted: () => boolean;
}

export interface WrittenExtent {
  readonly planned: PlannedExtent;
  readonly extent: Extent;
  /** Offsets whose bytes are not what was written. */
  readonly damage: readonly { readonly from: number; readonly to: number }[];
}

/** A run on its way into the window. */
interface Move {
  readonly location: number;
  readonly bytes: number;
  /** Position in the window. */
  readonly to: number;
}

/** Output is collected in windows of about this size: the runs of a window are read in the order of the journal. */
const WINDOW_BYTES = 32 << 20;
/** Runs closer together than this are read with what lies between them. */
const READ_GAP_MAX = 32 << 10;
const READ_BYTES_MAX = 1 << 20;
const SPARSE_BYTES = 64 << 10;
/** Bytes checked before the event loop gets its turn. */
const BYTES_PER_TURN = 1 << 20;

/** Copies live runs out of journal files into one segment file, sorted by log, and checks every batch on the way. */
export class SegmentWriter {
  private readonly options: SegmentWriterOptions;
  private readonly scratch: Buffer;
  private window: Buffer;
  private windowBytes: number;
  private moves: Move[];
  /** File position of the window. */
  private position: number;
  private sinceTurn: number;

  constructor(options: SegmentWriterOptions) {
    this.options = options;
    this.scratch = Buffer.allocUnsafeSlow(READ_BYTES_MAX);
    this.window = Buffer.alloc(0);
    this.windowBytes = 0;
    this.moves = [];
    this.position = SEGMENT_HEADER_BYTES;
    this.sinceTurn = 0;
  }

  /** Writes everything but the header; resolves with the extents and the file's size. Not yet synced. */
  async write(
    planned: readonly PlannedExtent[],
  ): Promise<{ readonly extents: readonly WrittenExtent[]; readonly bytes: number }> {
    let total = 0;
    for (const { bytes } of planned) total += bytes;
    this.window = Buffer.allocUnsafeSlow(Math.min(total, WINDOW_BYTES));
    const builders = planned.map((extent) => new ExtentBuilder(extent));
    let checked = 0;
    for (let i = 0; i < builders.length; i++) {
      const builder = builders[i]!;
      builder.position = this.position + this.windowBytes;
      for (let run = 0; run < builder.planned.runs.length; run++) {
        const bytes = builder.planned.runs.bytes(run);
        if (this.windowBytes > 0 && this.windowBytes + bytes > this.window.length) {
          await this.flush(builders.slice(checked, i + 1));
          checked = i;
        }
        this.plan(builder, run, bytes);
      }
    }
    await this.flush(builders.slice(checked));
    return this.finish(builders);
  }

  private plan(builder: ExtentBuilder, run: number, bytes: number): void {
    if (bytes > this.window.length) this.window = Buffer.allocUnsafeSlow(bytes);
    this.moves.push({ location: builder.planned.runs.location(run), bytes, to: this.windowBytes });
    this.windowBytes += bytes;
    builder.plannedRuns = run + 1;
  }

  /** Fills the window, checks it, and writes it to the file. */
  private async flush(builders: readonly ExtentBuilder[]): Promise<void> {
    await this.fill();
    let at = 0;
    for (const builder of builders) {
      while (builder.checkedRuns < builder.plannedRuns) {
        at = builder.checkRun(this.window, at, this.position);
        await this.breathe(at);
      }
    }
    const { handle } = this.options;
    await handle.write([this.window.subarray(0, this.windowBytes)], this.position);
    // Syncing window by window keeps the journal's own syncs from waiting behind one large one.
    await handle.sync();
    this.position += this.windowBytes;
    this.windowBytes = 0;
    this.sinceTurn = 0;
    this.moves = [];
  }

  /** Reads all planned runs into the window, in the order in which they lie in the journal. */
  private async fill(): Promise<void> {
    const moves = mergeMoves(this.moves).sort((a, b) => a.location - b.location);
    let first = 0;
    while (first < moves.length) {
      if (this.options.aborted()) throw new Error('settling was given up');
      const start = moves[first]!.location;
      let end = start + moves[first]!.bytes;
      let next = first + 1;
      while (next < moves.length) {
        const move = moves[next]!;
        const close = move.location - end <= READ_GAP_MAX;
        if (!close || move.location + move.bytes - start > READ_BYTES_MAX) break;
        end = Math.max(end, move.location + move.bytes);
        next++;
      }
      if (next === first + 1) {
        const { to, bytes } = moves[first]!;
        await this.read(start, this.window.subarray(to, to + bytes));
      } else {
        await this.read(start, this.scratch.subarray(0, end - start));
        for (let i = first; i < next; i++) {
          const { location, bytes, to } = moves[i]!;
          this.scratch.copy(this.window, to, location - start, location - start + bytes);
        }
      }
      first = next;
    }
  }

  private async read(location: number, into: Buffer): Promise<void> {
    const file = this.options.journalFiles.get(locationFile(location));
    if (file === undefined) {
      into.fill(0); // found damaged when it is checked
      return;
    }
    file.readsInFlight++;
    try {
      const bytes = await file.handle.read(into, into.length, locationPosition(location));
      if (bytes < into.length) into.fill(0, bytes);
    } finally {
      endRead(file);
    }
  }

  private async finish(
    builders: readonly ExtentBuilder[],
  ): Promise<{ readonly extents: readonly WrittenExtent[]; readonly bytes: number }> {
    const { handle, number } = this.options;
    const extents: WrittenExtent[] = [];
    const tail: Buffer[] = [];
    let at = this.position;
    for (const builder of builders) {
      const index = encodeSparseIndex(builder.sparse);
      const place = { file: number, indexPosition: at, indexBytes: index.length };
      extents.push(builder.finish(place));
      tail.push(index);
      at += index.length;
    }
    const footer = encodeFooter(
      extents.map(({ planned, extent }) => ({ log: planned.log.id, extent })),
    );
    tail.push(footer);
    await handle.write([Buffer.concat(tail)], this.position);
    return { extents, bytes: at + footer.length };
  }

  private async breathe(at: number): Promise<void> {
    if (at - this.sinceTurn < BYTES_PER_TURN) return;
    this.sinceTurn = at;
    await new Promise<void>((resolve) => {
      this.options.clock.defer(resolve);
    });
  }
}

/** One extent while its runs pass through the window. */
class ExtentBuilder {
  readonly planned: PlannedExtent;
  /** File position of the first batch. */
  position: number;
  plannedRuns: number;
  checkedRuns: number;
  /** Triples; see SparseIndex. */
  readonly sparse: number[];
  private readonly damage: { from: number; to: number }[];
  private maxTimestamp: number;
  private maxTimestampOffset: number;
  private sparseBytes: number;

  constructor(planned: PlannedExtent) {
    this.planned = planned;
    this.position = 0;
    this.plannedRuns = 0;
    this.checkedRuns = 0;
    this.sparse = [];
    this.damage = [];
    this.maxTimestamp = -1;
    this.maxTimestampOffset = -1;
    this.sparseBytes = Infinity; // the first batch gets an entry
  }

  /** Checks the next run, which lies at `at` of the window, and returns where it ends. */
  checkRun(window: Buffer, at: number, windowPosition: number): number {
    const { runs } = this.planned;
    const run = this.checkedRuns++;
    const end = at + runs.bytes(run);
    const base = runs.baseOffset(run);
    const shared = (runs.flags(run) & RUN_SHARED) !== 0;
    // A shared body carries the offsets of the log it was stored for.
    const storedBase = shared ? batchBaseOffset(window, at) : base;
    const sound = this.walk(window, at, end, { storedBase, base, windowPosition });
    if (shared && sound) stampBatches(window, at, end, base, runs.sharedEpoch(run));
    return end;
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
    from: { storedBase: number; base: number; windowPosition: number },
  ): boolean {
    const { storedBase, base, windowPosition } = from;
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
        this.sparse.push(offset, windowPosition + at, -1);
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

/** Moves whose source and target both continue the one before become one. */
function mergeMoves(moves: readonly Move[]): Move[] {
  const merged: Move[] = [];
  for (const move of moves) {
    const last = merged[merged.length - 1];
    const touches =
      last !== undefined &&
      last.location + last.bytes === move.location &&
      last.to + last.bytes === move.to;
    if (touches) merged[merged.length - 1] = { ...last, bytes: last.bytes + move.bytes };
    else merged.push(move);
  }
  return merged;
}
