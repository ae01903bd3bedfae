import type { Lease } from '../storage/types.ts';
import type { BufferPool } from './buffer-pool.ts';

/** Small pieces are copied together into buffers that begin small, for the many idle peers, and end at this size. */
const CHUNK_BYTES_MAX = 64 * 1024;
const CHUNK_BYTES_MIN = 1024;
/** Shared bytes below this are copied: a piece of its own costs more than the copy. */
const SHARED_BYTES_MIN = 4 * 1024;
/** Below this a loop beats the call to Buffer.copy. */
const LOOP_BYTES_MAX = 12;

/** One coalesced write: what goes to the kernel, and what is let go of when the kernel has it. */
export class OutputBatch {
  readonly pieces: Buffer[] = [];
  readonly chunks: Buffer[] = [];
  readonly leases: Lease[] = [];
  bytes = 0;

  /** Gives buffers and leases back; once per use. */
  release(pool: BufferPool): void {
    for (let i = 0; i < this.chunks.length; i++) pool.give(this.chunks[i]!);
    for (let i = 0; i < this.leases.length; i++) this.leases[i]!.release();
    this.pieces.length = 0;
    this.chunks.length = 0;
    this.leases.length = 0;
    this.bytes = 0;
  }
}

/**
 * Collects the output of one connection until it is flushed: small pieces are copied next to each other into pooled
 * chunks, large shared ones are referred to.
 *
 *   pieces:  [chunk 0..140] [shared 70 KB] [chunk 140..180] [shared 64 KB]
 */
export class OutputQueue {
  private readonly pool: BufferPool;
  private batch: OutputBatch;
  private spare: OutputBatch | null = null;
  private chunk: Buffer | null = null;
  /** The bytes [pieceStart, fill) of the chunk belong to no piece yet. */
  private pieceStart = 0;
  private fill = 0;

  constructor(pool: BufferPool) {
    this.pool = pool;
    this.batch = new OutputBatch();
  }

  /** Bytes that wait for the next flush. */
  get bytes(): number {
    return this.batch.bytes;
  }

  /** Copies [start, end). */
  add(buffer: Buffer, start: number, end: number): void {
    const size = end - start;
    if (size === 0) return;
    let chunk = this.chunk;
    if (chunk === null || chunk.length - this.fill < size) chunk = this.nextChunk(size);
    const fill = this.fill;
    if (size <= LOOP_BYTES_MAX) {
      for (let i = 0; i < size; i++) chunk[fill + i] = buffer[start + i]!;
    } else {
      buffer.copy(chunk, fill, start, end);
    }
    this.fill = fill + size;
    this.batch.bytes += size;
  }

  /** Refers to [start, end) and retains the lease, or copies when that is cheaper. */
  addShared(buffer: Buffer, start: number, end: number, lease: Lease | null): void {
    const size = end - start;
    if (size < SHARED_BYTES_MIN) {
      this.add(buffer, start, end);
      return;
    }
    this.endPiece();
    const batch = this.batch;
    batch.pieces.push(buffer.subarray(start, end));
    batch.bytes += size;
    if (lease !== null) {
      lease.retain();
      batch.leases.push(lease);
    }
  }

  /** Everything collected so far, or null when there is nothing. Goes back with recycle, or release. */
  take(): OutputBatch | null {
    if (this.batch.bytes === 0) return null;
    this.endPiece();
    this.chunk = null;
    const taken = this.batch;
    this.batch = this.spare ?? new OutputBatch();
    this.spare = null;
    return taken;
  }

  recycle(batch: OutputBatch): void {
    batch.release(this.pool);
    this.spare ??= batch;
  }

  /** Drops what was not taken. */
  release(): void {
    this.chunk = null;
    this.pieceStart = this.fill = 0;
    this.batch.release(this.pool);
  }

  private endPiece(): void {
    const chunk = this.chunk;
    if (chunk === null || this.fill === this.pieceStart) return;
    this.batch.pieces.push(chunk.subarray(this.pieceStart, this.fill));
    this.pieceStart = this.fill;
  }

  private nextChunk(size: number): Buffer {
    this.endPiece();
    const { chunks } = this.batch;
    const usual = Math.min(CHUNK_BYTES_MAX, CHUNK_BYTES_MIN * 4 ** chunks.length);
    const chunk = this.pool.take(Math.max(size, usual));
    chunks.push(chunk);
    this.chunk = chunk;
    this.pieceStart = this.fill = 0;
    return chunk;
  }
}
