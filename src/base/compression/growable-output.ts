/** Output of unknown size, up to a limit. */
export class GrowableOutput {
  buffer: Buffer;
  length: number;
  private readonly maxBytes: number;

  constructor(initialBytes: number, maxBytes: number) {
    this.buffer = Buffer.allocUnsafe(Math.max(1, Math.min(initialBytes, maxBytes)));
    this.length = 0;
    this.maxBytes = maxBytes;
  }

  /** Makes room for more bytes; false when they would exceed the limit. */
  reserve(bytes: number): boolean {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return true;
    if (needed > this.maxBytes) return false;
    const size = Math.min(this.maxBytes, Math.max(needed, this.buffer.length * 2));
    const grown = Buffer.allocUnsafe(size);
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
    return true;
  }

  finish(): Buffer {
    return this.buffer.subarray(0, this.length);
  }
}
