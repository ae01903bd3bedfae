/** Runs of a chunk at most. */
const RUNS_MAX = 256;
const RUNS_MIN = 2;
/** A chunk without runs keeps room for this many. */
const KEPT_RUNS_MAX = 64;
/** A chunk that is too narrow for a run while it is shorter than this becomes wide; a longer one is followed by another. */
const WIDEN_BELOW = 16;
export const STRIDE = 6;
const TWO_31 = 0x8000_0000;
const TWO_32 = 0x1_0000_0000;

/**
 * Some runs of one log; see RunIndex for the fields. A narrow chunk keeps each field in 32 bits, as the distance from
 * a value that its runs share: 24 bytes per run. A wide one keeps them as they are, for values that lie too far apart.
 * What was pushed never changes, so that a copy of an index may share its chunks.
 */
export class RunChunk {
  /** Number of its first run, counted over the life of the index. */
  first: number;
  length: number;
  /** Another index refers to it, too. */
  shared: boolean;
  private fields: Uint32Array | Float64Array;
  private narrow: boolean;
  private offsets: number;
  private locations: number;
  private timestamps: number;
  private deltas: number;

  constructor(first: number, capacity: number) {
    this.first = first;
    this.length = 0;
    this.shared = false;
    this.fields = new Uint32Array(Math.max(RUNS_MIN, Math.min(capacity, RUNS_MAX)) * STRIDE);
    this.narrow = true;
    this.offsets = 0;
    this.locations = 0;
    this.timestamps = 0;
    this.deltas = 0;
  }

  get end(): number {
    return this.first + this.length;
  }

  /** Adds a run; false when it needs another chunk. */
  push(
    baseOffset: number,
    location: number,
    bytes: number,
    countAndFlags: number,
    maxTimestamp: number,
    lastField: number,
  ): boolean {
    if (this.length === RUNS_MAX) return false;
    if (this.narrow) {
      if (this.length === 0) {
        this.offsets = baseOffset;
        this.locations = location;
        this.timestamps = maxTimestamp - TWO_31; // later ones may be earlier
        this.deltas = lastField - (lastField % TWO_32);
      }
      const fits =
        isUint32(baseOffset - this.offsets) &&
        isUint32(location - this.locations) &&
        isUint32(bytes) &&
        isUint32(countAndFlags) &&
        isUint32(maxTimestamp - this.timestamps) &&
        isUint32(lastField - this.deltas);
      if (!fits) {
        if (this.length >= WIDEN_BELOW) return false;
        this.widen();
      }
    }
    if (this.length * STRIDE === this.fields.length) this.grow();
    const { fields } = this;
    const at = this.length * STRIDE;
    fields[at] = baseOffset - this.offsets;
    fields[at + 1] = location - this.locations;
    fields[at + 2] = bytes;
    fields[at + 3] = countAndFlags;
    fields[at + 4] = maxTimestamp - this.timestamps;
    fields[at + 5] = lastField - this.deltas;
    this.length++;
    return true;
  }

  /** Forgets its runs, to be filled again. Not for one that is shared. */
  reset(first: number): void {
    this.first = first;
    this.length = 0;
    if (this.fields.length <= KEPT_RUNS_MAX * STRIDE) return;
    this.fields = new Uint32Array(RUNS_MIN * STRIDE);
    this.narrow = true;
  }

  baseOffset(run: number): number {
    return this.offsets + this.fields[(run - this.first) * STRIDE]!;
  }

  location(run: number): number {
    return this.locations + this.fields[(run - this.first) * STRIDE + 1]!;
  }

  bytes(run: number): number {
    return this.fields[(run - this.first) * STRIDE + 2]!;
  }

  countAndFlags(run: number): number {
    return this.fields[(run - this.first) * STRIDE + 3]!;
  }

  maxTimestamp(run: number): number {
    return this.timestamps + this.fields[(run - this.first) * STRIDE + 4]!;
  }

  lastField(run: number): number {
    return this.deltas + this.fields[(run - this.first) * STRIDE + 5]!;
  }

  endOffset(run: number): number {
    const at = (run - this.first) * STRIDE;
    return this.offsets + this.fields[at]! + Math.floor(this.fields[at + 3]! / 4);
  }

  private grow(): void {
    const { fields } = this;
    const size = Math.min(fields.length * 2, RUNS_MAX * STRIDE);
    const grown = this.narrow ? new Uint32Array(size) : new Float64Array(size);
    grown.set(fields);
    this.fields = grown;
  }

  private widen(): void {
    const wide = new Float64Array(this.fields.length);
    const end = this.first + this.length;
    for (let run = this.first; run < end; run++) {
      const at = (run - this.first) * STRIDE;
      wide[at] = this.baseOffset(run);
      wide[at + 1] = this.location(run);
      wide[at + 2] = this.bytes(run);
      wide[at + 3] = this.countAndFlags(run);
      wide[at + 4] = this.maxTimestamp(run);
      wide[at + 5] = this.lastField(run);
    }
    this.fields = wide;
    this.narrow = false;
    this.offsets = 0; // distances from zero: the values themselves
    this.locations = 0;
    this.timestamps = 0;
    this.deltas = 0;
  }
}

const isUint32 = (value: number): boolean => value >>> 0 === value;
