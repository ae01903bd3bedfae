/**
 * The primitives of notes and snapshots:
 *
 *   uint     LEB128, at most 5 bytes, 0 to 2^32 - 1
 *   int64    8 bytes, big endian, two's complement, a safe integer
 *   bytes    uint length, then as many bytes
 *   text     UTF-8 as bytes
 *   x?       uint 0 for null, else uint length + 1, then the bytes
 */
export class ByteWriter {
  private buffer: Buffer;
  private end = 0;

  constructor(initialSize = 512) {
    this.buffer = Buffer.allocUnsafe(initialSize);
  }

  get length(): number {
    return this.end;
  }

  reset(): void {
    this.end = 0;
  }

  /** A copy of what was written. */
  take(): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.end);
    this.buffer.copy(copy, 0, 0, this.end);
    return copy;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.end++] = value;
  }

  uint(value: number): void {
    this.reserve(5);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.end++] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.end++] = rest;
  }

  int32(value: number): void {
    this.reserve(4);
    this.end = this.buffer.writeInt32BE(value, this.end);
  }

  int64(value: number): void {
    this.reserve(8);
    const high = Math.floor(value / 0x1_0000_0000);
    this.end = this.buffer.writeInt32BE(high, this.end);
    this.end = this.buffer.writeUInt32BE(value - high * 0x1_0000_0000, this.end);
  }

  raw(value: Buffer): void {
    this.reserve(value.length);
    this.end += value.copy(this.buffer, this.end);
  }

  bytes(value: Buffer): void {
    this.uint(value.length);
    this.raw(value);
  }

  text(value: string): void {
    const size = Buffer.byteLength(value);
    this.uint(size);
    this.reserve(size);
    this.end += this.buffer.write(value, this.end, size, 'utf8');
  }

  nullableText(value: string | null): void {
    if (value === null) {
      this.uint(0);
      return;
    }
    const size = Buffer.byteLength(value);
    this.uint(size + 1);
    this.reserve(size);
    this.end += this.buffer.write(value, this.end, size, 'utf8');
  }

  private reserve(size: number): void {
    if (this.end + size <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.end + size));
    this.buffer.copy(grown, 0, 0, this.end);
    this.buffer = grown;
  }
}

/** The bytes are not what a writer of this format makes. */
export class MalformedBytes extends Error {
  override readonly name = 'MalformedBytes';
}

/** Reads what ByteWriter wrote; throws MalformedBytes instead of reading past the end. */
export class ByteReader {
  private readonly buffer: Buffer;
  private position: number;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
    this.position = 0;
  }

  get left(): number {
    return this.buffer.length - this.position;
  }

  byte(): number {
    const value = this.buffer[this.position];
    if (value === undefined) throw new MalformedBytes('ends too early');
    this.position++;
    return value;
  }

  uint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 5; count++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new MalformedBytes('number is too long');
  }

  /** A count of things of which each takes at least size bytes: bounded by what is there. */
  count(size: number): number {
    const value = this.uint();
    if (value * size > this.left) throw new MalformedBytes('count exceeds the bytes that follow');
    return value;
  }

  int32(): number {
    const start = this.skip(4);
    return this.buffer.readInt32BE(start);
  }

  int64(): number {
    const start = this.skip(8);
    const value =
      this.buffer.readInt32BE(start) * 0x1_0000_0000 + this.buffer.readUInt32BE(start + 4);
    if (!Number.isSafeInteger(value)) throw new MalformedBytes('number is not a safe integer');
    return value;
  }

  /** A copy of the next size bytes. */
  raw(size: number): Buffer {
    const start = this.skip(size);
    return Buffer.from(this.buffer.subarray(start, start + size));
  }

  bytes(): Buffer {
    return this.raw(this.uint());
  }

  text(): string {
    return this.utf8(this.uint());
  }

  nullableText(): string | null {
    const size = this.uint();
    return size === 0 ? null : this.utf8(size - 1);
  }

  private utf8(size: number): string {
    const start = this.skip(size);
    return this.buffer.toString('utf8', start, start + size);
  }

  private skip(size: number): number {
    const start = this.position;
    if (size > this.left) throw new MalformedBytes('ends too early');
    this.position += size;
    return start;
  }
}
