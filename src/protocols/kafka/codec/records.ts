/** Keeps pooled memory from being reused while somebody still sends it; the shape of the storage layer's lease. */
export interface Lease {
  retain(): void;
  release(): void;
}

/** Bytes [start, end) of a buffer that nobody changes; the shape of the storage layer's slice. */
export interface Slice {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  readonly lease: Lease | null;
}

/**
 * Record batches on their way to a client: spliced into the output as they lie in memory, never copied.
 * bytes is the sum of the slices' lengths.
 */
export interface RecordsOut {
  readonly bytes: number;
  readonly slices: readonly Slice[];
}

/** A topic id or directory id that was not given. Shared: never write to it. */
export const ZERO_UUID: Buffer = Buffer.alloc(16);

/** The bytes field that was not given. */
export const NO_BYTES: Buffer = Buffer.alloc(0);

export function isZeroUuid(uuid: Buffer): boolean {
  return uuid === ZERO_UUID || uuid.equals(ZERO_UUID);
}
