import { corruptIf } from './zstd-error.ts';

/** Number of the highest set bit of a positive integer. */
export function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}

/**
 * The bits of a zstd stream, which is read from its end: the last byte's highest set bit marks where it begins.
 * Reading beyond the first byte gives zeros and makes bitsLeft negative.
 */
export class BackwardBits {
  bitsLeft: number;
  private readonly bytes: Buffer;
  private readonly start: number;

  constructor(bytes: Buffer, start: number, end: number) {
    corruptIf(end <= start);
    const last = bytes[end - 1]!;
    corruptIf(last === 0);
    this.bytes = bytes;
    this.start = start;
    this.bitsLeft = (end - start - 1) * 8 + highestBit(last);
  }

  /** The next count bits (0 to 31). */
  read(count: number): number {
    this.bitsLeft -= count;
    return this.extract(this.bitsLeft, count);
  }

  /** What read would give, without moving. */
  peek(count: number): number {
    return this.extract(this.bitsLeft - count, count);
  }

  private extract(position: number, count: number): number {
    if (position < 0) {
      const real = count + position;
      return real <= 0 ? 0 : this.extract(0, real) << -position;
    }
    const { bytes } = this;
    const at = this.start + (position >>> 3);
    const shift = position & 7;
    // Bytes behind the stream are cut off by the mask, those behind the buffer read as 0.
    const word =
      bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    let value = word >>> shift;
    if (shift + count > 32) value |= bytes[at + 4]! << (32 - shift);
    return value & ((1 << count) - 1);
  }
}

/** Bits from the start, least significant first; used for the description of tables. */
export class ForwardBits {
  private readonly bytes: Buffer;
  private readonly end: number;
  private bit: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.end = end;
    this.bit = start * 8;
  }

  /** Position of the first byte that was not touched. */
  get bytePosition(): number {
    return Math.ceil(this.bit / 8);
  }

  /** The next count bits (0 to 16). */
  read(count: number): number {
    const at = Math.floor(this.bit / 8);
    const shift = this.bit % 8;
    corruptIf(this.bit + count > this.end * 8);
    this.bit += count;
    const word =
      (this.bytes[at] ?? 0) | ((this.bytes[at + 1] ?? 0) << 8) | ((this.bytes[at + 2] ?? 0) << 16);
    return (word >>> shift) & ((1 << count) - 1);
  }

  rewind(count: number): void {
    this.bit -= count;
  }
}
