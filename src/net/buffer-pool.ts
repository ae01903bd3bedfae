import assert from 'node:assert/strict';

const SMALLEST_BITS = 10;
const LARGEST_BITS = 31;

/**
 * Buffers in sizes of powers of two, kept for reuse up to a total. A buffer that was taken is given back at most
 * once, by whoever holds it, and not touched afterwards; one that never comes back is left to the collector.
 */
export class BufferPool {
  /** Bytes of all buffers that are taken now. */
  takenBytes = 0;
  /** Bytes of the buffers that wait for reuse. */
  keptBytes = 0;
  private readonly keptBytesMax: number;
  private readonly free: Buffer[][];

  constructor(keptBytesMax: number) {
    this.keptBytesMax = keptBytesMax;
    this.free = Array.from({ length: LARGEST_BITS + 1 }, () => []);
  }

  /** A buffer of at least size bytes, with arbitrary content. */
  take(size: number): Buffer {
    const bits = sizeBits(size);
    const bytes = 2 ** bits;
    this.takenBytes += bytes;
    const kept = this.free[bits]!.pop();
    if (kept === undefined) return Buffer.allocUnsafeSlow(bytes);
    this.keptBytes -= bytes;
    return kept;
  }

  give(buffer: Buffer): void {
    const bytes = buffer.length;
    const bits = sizeBits(bytes);
    assert(bytes === 2 ** bits, 'only buffers of a pool are given back');
    this.takenBytes -= bytes;
    if (this.keptBytes + bytes > this.keptBytesMax) return;
    this.keptBytes += bytes;
    this.free[bits]!.push(buffer);
  }

  /** The bytes that take(size) would hand out. */
  static roundUp(size: number): number {
    return 2 ** sizeBits(size);
  }
}

function sizeBits(size: number): number {
  assert(size >= 0 && size <= 2 ** LARGEST_BITS, 'buffer size within bounds');
  if (size <= 2 ** SMALLEST_BITS) return SMALLEST_BITS;
  return 32 - Math.clz32(size - 1);
}
