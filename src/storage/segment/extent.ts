/** A piece of one log that was settled: contiguous in a segment file, batches in offset order. Immutable. */
export interface Extent {
  /** Number of the segment file. */
  readonly file: number;
  /** Position of the first batch. */
  readonly position: number;
  readonly bytes: number;
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly maxTimestamp: number;
  /** Base offset of the batch with that timestamp. */
  readonly maxTimestampOffset: number;
  /** Where the sparse index lies in the file; see segment-format.ts. */
  readonly indexPosition: number;
  readonly indexBytes: number;
}
