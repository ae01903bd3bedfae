import { writeInt64 } from '../../base/record-batch.ts';

/** Appends big-endian fields to a buffer that grows. */
export class ByteWriter {
  private buffer: Buffer;
  private size: number;

  constructor(initialBytes = 1 << 16) {
    this.buffer = Buffer.allocUnsafe(initialBytes);
    this.size = 0;
  }

  get length(): number {
    return this.size;
  }

  uint8(value: number): void {
    const at = this.reserve(1); // may replace the buffer
    this.buffer[at] = value;
  }

  uint32(value: number): void {
    const at = this.reserve(4);
    this.buffer.writeUInt32BE(value, at);
  }

  int64(value: number): void {
    const at = this.reserve(8);
    writeInt64(this.buffer, value, at);
  }

  float64(value: number): void {
    const at = this.reserve(8);
    this.buffer.writeDoubleBE(value, at);
  }

  /** A length (uint32), then the bytes. */
  bytes(value: Buffer): void {
    this.uint32(value.length);
    this.raw(value);
  }

  /** A length in bytes (uint32), then UTF-8. */
  text(value: string): void {
    const bytes = Buffer.byteLength(value);
    this.uint32(bytes);
    const at = this.reserve(bytes);
    this.buffer.write(value, at);
  }

  raw(value: Uint8Array): void {
    const at = this.reserve(value.length);
    this.buffer.set(value, at);
  }

  /** What was written; valid until the next write. */
  view(): Buffer {
    return this.buffer.subarray(0, this.size);
  }

  /** Forgets what was written and goes on in the same memory. */
  clear(): void {
    this.size = 0;
  }

  private reserve(bytes: number): number {
    const at = this.size;
    const needed = at + bytes;
    if (needed > this.buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
      this.buffer.copy(grown, 0, 0, at);
      this.buffer = grown;
    }
    this.size = needed;
    return at;
  }
}
