/** Keeps bytes from being reused while they are being sent. */
export interface Lease {
  retain(): void;
  release(): void;
}

/** Chunks of output between uses. */
export interface OutputPoolOptions {
  readonly chunkBytes: number;
  /** Unused chunks that are kept; others are left to the garbage collector. */
  readonly unusedMax: number;
}

const DEFAULTS: OutputPoolOptions = { chunkBytes: 16 * 1024, unusedMax: 256 };

/** Lends chunks to the outputs of all connections of a front-end. */
export class OutputPool {
  private readonly chunkBytes: number;
  private readonly unusedMax: number;
  private readonly unused: OutputChunk[] = [];

  constructor(options: OutputPoolOptions = DEFAULTS) {
    this.chunkBytes = options.chunkBytes;
    this.unusedMax = options.unusedMax;
  }

  /** A chunk of at least that many bytes, retained once for the taker. */
  take(bytes: number): OutputChunk {
    const kept = bytes <= this.chunkBytes ? this.unused.pop() : undefined;
    const chunk = kept ?? new OutputChunk(Math.max(bytes, this.chunkBytes), this);
    chunk.retain();
    return chunk;
  }

  /** Called by the chunk when nobody retains it any more. */
  give(chunk: OutputChunk): void {
    if (chunk.buffer.length === this.chunkBytes && this.unused.length < this.unusedMax) {
      this.unused.push(chunk);
    }
  }
}

/** Memory that returns to its pool when its writer and everything that still sends it have released it. */
export class OutputChunk implements Lease {
  readonly buffer: Buffer;
  /** The buffer again: a DataView's stores are faster than a Buffer's. */
  readonly view: DataView;
  private readonly pool: OutputPool | null;
  private references = 0;

  constructor(bytes: number, pool: OutputPool | null) {
    this.buffer = Buffer.allocUnsafeSlow(bytes);
    this.view = new DataView(this.buffer.buffer, this.buffer.byteOffset, bytes);
    this.pool = pool;
  }

  retain(): void {
    this.references++;
  }

  release(): void {
    if (--this.references === 0 && this.pool !== null) this.pool.give(this);
  }
}
