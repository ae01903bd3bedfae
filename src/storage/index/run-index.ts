/**
 * Where a log's batches lie in the journal: one packed run per piece that is contiguous there, in offset order.
 *
 * A run takes six float64 of one array, so that a log costs one typed array however many runs it has:
 *
 *   [ baseOffset | location | bytes | count * 4 + flags | maxTimestamp | maxTimestampDelta ]
 *
 * location is locationOf(file, position); maxTimestampDelta is the base offset of the batch with the largest
 * timestamp, counted from baseOffset. A shared run keeps its leader epoch (modulo 2^21) above the delta's 32 bits.
 */
const STRIDE = 6;
const INITIAL_RUNS = 2;

const TWO_32 = 0x1_0000_0000;
const EPOCHS = 1 << 21;

/** The last field of a shared run. */
export const packSharedEpoch = (maxTimestampDelta: number, epoch: number): number =>
  maxTimestampDelta + (Math.max(epoch, 0) % EPOCHS) * TWO_32;

/** The body belongs to another log as well and carries that log's offsets: stamp a copy before handing it out. */
export const RUN_SHARED = 1;

export class RunIndex {
  private fields: Float64Array;
  /** First and one past the last run, in runs. */
  private head: number;
  private tail: number;

  constructor() {
    this.fields = new Float64Array(INITIAL_RUNS * STRIDE);
    this.head = 0;
    this.tail = 0;
  }

  get length(): number {
    return this.tail - this.head;
  }

  /** Memory of the packed array. */
  get memoryBytes(): number {
    return this.fields.byteLength;
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
    if (this.tail * STRIDE === this.fields.length) this.makeRoom();
    const at = this.tail * STRIDE;
    const fields = this.fields;
    fields[at] = baseOffset;
    fields[at + 1] = location;
    fields[at + 2] = bytes;
    fields[at + 3] = count * 4 + flags;
    fields[at + 4] = maxTimestamp;
    fields[at + 5] = maxTimestampDelta;
    this.tail++;
  }

  baseOffset(run: number): number {
    return this.fields[(this.head + run) * STRIDE]!;
  }

  location(run: number): number {
    return this.fields[(this.head + run) * STRIDE + 1]!;
  }

  bytes(run: number): number {
    return this.fields[(this.head + run) * STRIDE + 2]!;
  }

  /** Number of offsets. */
  count(run: number): number {
    return Math.floor(this.fields[(this.head + run) * STRIDE + 3]! / 4);
  }

  flags(run: number): number {
    return this.fields[(this.head + run) * STRIDE + 3]! % 4;
  }

  maxTimestamp(run: number): number {
    return this.fields[(this.head + run) * STRIDE + 4]!;
  }

  maxTimestampDelta(run: number): number {
    return this.fields[(this.head + run) * STRIDE + 5]! % TWO_32;
  }

  /** The leader epoch to stamp on the batches of a shared run. */
  sharedEpoch(run: number): number {
    return Math.floor(this.fields[(this.head + run) * STRIDE + 5]! / TWO_32);
  }

  endOffset(run: number): number {
    const at = (this.head + run) * STRIDE;
    return this.fields[at]! + Math.floor(this.fields[at + 3]! / 4);
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

  /** The packed fields of runs [first, end), as bytes in the host's order; a view. */
  packed(first: number, end: number): Uint8Array {
    const { buffer, byteOffset } = this.fields;
    const from = byteOffset + (this.head + first) * STRIDE * 8;
    return new Uint8Array(buffer, from, (end - first) * STRIDE * 8);
  }

  /** A copy of the runs [first, end). */
  slice(first: number, end: number): RunIndex {
    const copy = new RunIndex();
    const from = (this.head + first) * STRIDE;
    copy.pushPacked(this.fields.subarray(from, from + (end - first) * STRIDE));
    return copy;
  }

  /** Adds runs as packed() gave them. */
  pushPacked(packed: Float64Array): void {
    const needed = this.tail * STRIDE + packed.length;
    if (needed > this.fields.length) {
      const grown = new Float64Array(Math.max(needed, this.fields.length * 2));
      grown.set(this.fields.subarray(0, this.tail * STRIDE));
      this.fields = grown;
    }
    this.fields.set(packed, this.tail * STRIDE);
    this.tail += packed.length / STRIDE;
  }

  /** Forgets the oldest runs. */
  dropFirst(runs: number): void {
    this.head += runs;
    if (this.head === this.tail) {
      this.head = 0;
      this.tail = 0;
      if (this.fields.length > 64 * STRIDE) this.fields = new Float64Array(INITIAL_RUNS * STRIDE);
    }
  }

  private makeRoom(): void {
    const kept = this.fields.subarray(this.head * STRIDE, this.tail * STRIDE);
    if (this.head * 2 >= this.tail && this.head > 0) {
      this.fields.copyWithin(0, this.head * STRIDE, this.tail * STRIDE);
    } else {
      const grown = new Float64Array(Math.max(INITIAL_RUNS * STRIDE, this.fields.length * 2));
      grown.set(kept);
      this.fields = grown;
    }
    this.tail -= this.head;
    this.head = 0;
  }
}
