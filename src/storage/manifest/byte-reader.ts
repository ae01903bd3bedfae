import { readInt64 } from '../../base/record-batch.ts';

/** Takes big-endian fields from a buffer. Throws RangeError where the bytes end too early. */
export class ByteReader {
  private readonly buffer: Buffer;
  private position: number;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
    this.position = 0;
  }

  get atEnd(): boolean {
    return this.position >= this.buffer.length;
  }

  uint8(): number {
    return this.buffer.readUInt8(this.take(1));
  }

  uint32(): number {
    return this.buffer.readUInt32BE(this.take(4));
  }

  int64(): number {
    return readInt64(this.buffer, this.take(8));
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8));
  }

  /** A view of the buffer. */
  bytes(): Buffer {
    return this.raw(this.uint32());
  }

  text(): string {
    const bytes = this.uint32();
    const at = this.take(bytes);
    return this.buffer.toString('utf8', at, at + bytes);
  }

  raw(bytes: number): Buffer {
    const at = this.take(bytes);
    return this.buffer.subarray(at, at + bytes);
  }

  private take(bytes: number): number {
    const at = this.position;
    if (at + bytes > this.buffer.length) throw new RangeError('the bytes end inside a field');
    this.position = at + bytes;
    return at;
  }
}
