/**
 * Variable-length integers of record batches: 7 bits a byte, least significant first, the high bit says that more
 * follow; signed values are zigzag encoded (0, -1, 1, -2 ... become 0, 1, 2, 3 ...).
 */

/** Reads such integers from [position, end) of a buffer. After the first defect `failed` stays true and reads give 0. */
export class VarintReader {
  readonly buffer: Buffer;
  position: number;
  end: number;
  failed: boolean;

  constructor(buffer: Buffer, position: number, end: number) {
    this.buffer = buffer;
    this.position = position;
    this.end = end;
    this.failed = false;
  }

  /** An int32. */
  readVarint(): number {
    const { buffer } = this;
    let value = 0;
    let shift = 0;
    while (this.position < this.end && shift < 35) {
      const byte = buffer[this.position++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break;
        return (value >>> 1) ^ -(value & 1);
      }
      shift += 7;
    }
    this.failed = true;
    return 0;
  }

  /** An int64; one that is no safe integer counts as a defect. */
  readVarlong(): number {
    const { buffer } = this;
    let low = 0;
    let high = 0;
    let shift = 0;
    while (this.position < this.end && shift < 70) {
      const byte = buffer[this.position++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else high += bits * 2 ** (shift - 28);
      if (byte < 0x80) return this.zigzag(low, high);
      shift += 7;
    }
    this.failed = true;
    return 0;
  }

  /** The value of raw = high * 2^28 + low. */
  private zigzag(low: number, high: number): number {
    const half = high * 2 ** 27 + (low >>> 1);
    const value = low & 1 ? -half - 1 : half;
    if (Number.isSafeInteger(value)) return value;
    this.failed = true;
    return 0;
  }
}

/** Bytes that writeVarint needs for a safe integer. */
export function varintBytes(value: number): number {
  let rest = value < 0 ? -value * 2 - 1 : value * 2;
  let bytes = 1;
  while (rest >= 0x80) {
    rest = Math.floor(rest / 0x80);
    bytes++;
  }
  return bytes;
}

/** Writes a safe integer of magnitude below 2^52 and returns the position behind it. */
export function writeVarint(buffer: Buffer, value: number, position: number): number {
  let rest = value < 0 ? -value * 2 - 1 : value * 2;
  while (rest >= 0x80) {
    const next = Math.floor(rest / 0x80);
    buffer[position++] = (rest - next * 0x80) | 0x80;
    rest = next;
  }
  buffer[position++] = rest;
  return position;
}
