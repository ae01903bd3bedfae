import { locationFile, locationOf, locationPosition } from '../journal/format.ts';
import { RunIndex } from '../index/run-index.ts';

const CHUNK_BYTES_MIN = 4096;
const CHUNK_BYTES_MAX = 1 << 20;

/** The data of a log that is never written to disk: chunks of plain memory, indexed like the journal. */
export class MemoryRuns {
  readonly runs: RunIndex;
  private chunks: Buffer[];
  /** Number of chunks[0]; a run's location names chunk and position. */
  private firstChunk: number;
  private used: number;

  constructor() {
    this.runs = new RunIndex();
    this.chunks = [];
    this.firstChunk = 0;
    this.used = 0;
  }

  /** Room for bytes in one piece, as a location; see buffer(). */
  reserve(bytes: number): number {
    let chunk = this.chunks[this.chunks.length - 1];
    if (chunk === undefined || this.used + bytes > chunk.length) {
      const next = Math.min(CHUNK_BYTES_MAX, (chunk?.length ?? CHUNK_BYTES_MIN / 2) * 2);
      chunk = Buffer.allocUnsafeSlow(Math.max(bytes, next));
      this.chunks.push(chunk);
      this.used = 0;
    }
    const at = this.used;
    this.used += bytes;
    return locationOf(this.firstChunk + this.chunks.length - 1, at);
  }

  buffer(location: number): Buffer {
    return this.chunks[locationFile(location) - this.firstChunk]!;
  }

  position(location: number): number {
    return locationPosition(location);
  }

  /** Forgets the oldest runs and the chunks only they were in. */
  dropFirst(runs: number): void {
    this.runs.dropFirst(runs);
    const oldest =
      this.runs.length === 0
        ? this.firstChunk + this.chunks.length
        : locationFile(this.runs.location(0));
    const chunks = oldest - this.firstChunk;
    if (chunks <= 0) return;
    this.chunks = this.chunks.slice(chunks);
    this.firstChunk = oldest;
    if (this.chunks.length === 0) this.used = 0;
  }
}
