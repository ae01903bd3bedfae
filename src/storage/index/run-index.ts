import { RunChunk, STRIDE } from './run-chunk.ts';

/**
 * Where a log's batches lie in the journal: one run per piece that is contiguous there, in offset order.
 *
 * A run has six fields:
 *
 *   baseOffset | location | bytes | count * 4 + flags | maxTimestamp | maxTimestampDelta
 *
 * location is locationOf(file, position); maxTimestampDelta is the base offset of the batch with the largest
 * timestamp, counted from baseOffset. A shared run keeps its leader epoch (modulo 2^21) above the delta's 32 bits.
 *
 * They are kept in chunks (run-chunk.ts), so that an index neither copies itself as it grows nor keeps memory of runs
 * that were dropped.
 */
const TWO_32 = 0x1_0000_0000;
const EPOCHS = 1 << 21;
/** The first chunk of an index begins small, for most logs have few runs; a later one with room for this many. */
const LATER_CHUNK_RUNS = 64;

/** Memory of one run in a chunk, for those who have to guess. */
export const RUN_BYTES = 24;

/** The last field of a shared run. */
export const packSharedEpoch = (maxTimestampDelta: number, epoch: number): number =>
  maxTimestampDelta + (Math.max(epoch, 0) % EPOCHS) * TWO_32;

/** The body belongs to another log as well and carries that log's offsets: stamp a copy before handing it out. */
export const RUN_SHARED = 1;

export class RunIndex {
  private chunks: RunChunk[];
  /** The chunk that was used last: most accesses go to the same one again. */
  private recent: RunChunk | null;
  /** First and one past the last run, counted over the life of the index. */
  private head: number;
  private tail: number;

  constructor() {
    this.chunks = [];
    this.recent = null;
    this.head = 0;
    this.tail = 0;
  }

  get length(): number {
    return this.tail - this.head;
  }

  push(
    baseOffset: number,
    location: number,
    bytes: number,
    count: number,
    flags: number,
    maxTimestamp: number,
    maxTimestampDelta: number,
  ): void {
    this.add(baseOffset, location, bytes, count * 4 + flags, maxTimestamp, maxTimestampDelta);
  }

  baseOffset(run: number): number {
    return this.chunk(run).baseOffset(this.head + run);
  }

  location(run: number): number {
    return this.chunk(run).location(this.head + run);
  }

  bytes(run: number): number {
    return this.chunk(run).bytes(this.head + run);
  }

  /** Number of offsets. */
  count(run: number): number {
    return Math.floor(this.chunk(run).countAndFlags(this.head + run) / 4);
  }

  flags(run: number): number {
    return this.chunk(run).countAndFlags(this.head + run) % 4;
  }

  maxTimestamp(run: number): number {
    return this.chunk(run).maxTimestamp(this.head + run);
  }

  maxTimestampDelta(run: number): number {
    return this.chunk(run).lastField(this.head + run) % TWO_32;
  }

  /** The leader epoch to stamp on the batches of a shared run. */
  sharedEpoch(run: number): number {
    return Math.floor(this.chunk(run).lastField(this.head + run) / TWO_32);
  }

  endOffset(run: number): number {
    return this.chunk(run).endOffset(this.head + run);
  }

  /** The first run that ends after the offset; length when none does. */
  find(offset: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.endOffset(middle) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first run at or after a journal location; length when all lie before it. */
  findLocation(location: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.location(middle) < location) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The six fields of each of the runs [first, end). */
  packed(first: number, end: number): Float64Array {
    const packed = new Float64Array((end - first) * STRIDE);
    let at = 0;
    for (let run = first; run < end; run++) {
      const chunk = this.chunk(run);
      const number = this.head + run;
      packed[at] = chunk.baseOffset(number);
      packed[at + 1] = chunk.location(number);
      packed[at + 2] = chunk.bytes(number);
      packed[at + 3] = chunk.countAndFlags(number);
      packed[at + 4] = chunk.maxTimestamp(number);
      packed[at + 5] = chunk.lastField(number);
      at += STRIDE;
    }
    return packed;
  }

  /** The runs [first, end) as an index of their own, to be read only. It shares their memory. */
  slice(first: number, end: number): RunIndex {
    const copy = new RunIndex();
    copy.head = this.head + first;
    copy.tail = this.head + end;
    for (const chunk of this.chunks) {
      if (chunk.end <= copy.head || chunk.first >= copy.tail) continue;
      chunk.shared = true;
      copy.chunks.push(chunk);
    }
    return copy;
  }

  /** Adds runs as packed() gave them. */
  pushPacked(packed: Float64Array): void {
    for (let at = 0; at < packed.length; at += STRIDE) {
      this.add(
        packed[at]!,
        packed[at + 1]!,
        packed[at + 2]!,
        packed[at + 3]!,
        packed[at + 4]!,
        packed[at + 5]!,
      );
    }
  }

  /** Forgets the oldest runs. */
  dropFirst(runs: number): void {
    this.head += runs;
    const { chunks, head } = this;
    let dropped = 0;
    while (dropped < chunks.length && chunks[dropped]!.end <= head) dropped++;
    if (dropped === 0) return;
    const last = chunks[dropped - 1]!;
    chunks.splice(0, dropped);
    this.recent = null;
    if (chunks.length > 0 || last.shared) return;
    // A log that is consumed as it is filled comes here again and again.
    last.reset(head);
    chunks.push(last);
  }

  private add(
    baseOffset: number,
    location: number,
    bytes: number,
    countAndFlags: number,
    maxTimestamp: number,
    lastField: number,
  ): void {
    const { chunks } = this;
    let chunk = chunks.length > 0 ? chunks[chunks.length - 1]! : this.newChunk(0);
    if (!chunk.push(baseOffset, location, bytes, countAndFlags, maxTimestamp, lastField)) {
      chunk = this.newChunk(LATER_CHUNK_RUNS);
      chunk.push(baseOffset, location, bytes, countAndFlags, maxTimestamp, lastField);
    }
    this.tail++;
  }

  private newChunk(capacity: number): RunChunk {
    const chunk = new RunChunk(this.tail, capacity);
    this.chunks.push(chunk);
    return chunk;
  }

  /** The chunk that has a run. */
  private chunk(run: number): RunChunk {
    const number = this.head + run;
    const { recent } = this;
    if (recent !== null && number >= recent.first && number < recent.end) return recent;
    const { chunks } = this;
    let low = 0;
    let high = chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (chunks[middle]!.first <= number) low = middle;
      else high = middle - 1;
    }
    const chunk = chunks[low]!;
    this.recent = chunk;
    return chunk;
  }
}
