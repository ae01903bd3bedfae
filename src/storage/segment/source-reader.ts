import { endRead } from '../cache/block-cache.ts';
import type { ColdSource } from '../cache/block-cache.ts';
import { locationFile, locationPosition } from '../journal/format.ts';

const READ_BYTES_MIN = 64 << 10;
const READ_BYTES_MAX = 1 << 20;

/**
 * Reads pieces of files at growing locations, many of them by one read. How far it reads ahead follows how much of
 * that was wanted: between pieces may lie what nobody needs any more.
 */
export class SourceReader {
  private readonly sourceOf: (file: number) => ColdSource | undefined;
  private buffer: Buffer;
  /** Location range in the buffer. */
  private start: number;
  private end: number;
  private wanted: number;
  private readBytes: number;

  constructor(sourceOf: (file: number) => ColdSource | undefined) {
    this.sourceOf = sourceOf;
    this.buffer = Buffer.allocUnsafeSlow(READ_BYTES_MAX);
    this.start = 0;
    this.end = 0;
    this.wanted = 0;
    this.readBytes = READ_BYTES_MAX;
  }

  /** True when the bytes are there already. */
  has(location: number, bytes: number): boolean {
    return location >= this.start && location + bytes <= this.end;
  }

  /** Has the bytes read. What the file lacks is zero: no batch, so it is found damaged when it is checked. */
  async load(location: number, bytes: number): Promise<void> {
    const read = this.end - this.start;
    if (this.wanted * 2 > read) this.readBytes = Math.min(this.readBytes * 2, READ_BYTES_MAX);
    else if (this.wanted * 8 < read) this.readBytes = Math.max(this.readBytes / 2, READ_BYTES_MIN);
    const length = Math.max(bytes, this.readBytes);
    if (length > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(length);
    this.start = location;
    this.end = location + length;
    this.wanted = 0;
    const have = await this.read(location, length);
    this.buffer.fill(0, have, length);
  }

  /** Copies loaded bytes. */
  copy(location: number, bytes: number, to: Buffer, at: number): void {
    const from = location - this.start;
    this.buffer.copy(to, at, from, from + bytes);
    this.wanted += bytes;
  }

  private async read(location: number, length: number): Promise<number> {
    const file = this.sourceOf(locationFile(location));
    if (file === undefined) return 0;
    file.readsInFlight++;
    try {
      return await file.handle.read(this.buffer, length, locationPosition(location));
    } finally {
      endRead(file);
    }
  }
}
