const SMALLEST_BYTES = 2048;
/** 2 KiB, 4 KiB ... 256 KiB. */
const CLASSES = 8;

/** Buffers for bundles, by size in powers of two; larger ones come from and go to the garbage collector. */
export class BufferPool {
  /** Memory of bundles that queues without a log keep. */
  keptBytes = 0;
  private readonly classes: Buffer[][];
  private readonly spareBytesMax: number;
  private spareBytes = 0;

  constructor(options: { readonly spareBytesMax: number }) {
    this.spareBytesMax = options.spareBytesMax;
    this.classes = Array.from({ length: CLASSES }, () => []);
  }

  /** A buffer of at least this many bytes. */
  take(bytes: number): Buffer {
    let size = SMALLEST_BYTES;
    for (const spares of this.classes) {
      if (size >= bytes) {
        const spare = spares.pop();
        if (spare === undefined) return Buffer.allocUnsafeSlow(size);
        this.spareBytes -= size;
        return spare;
      }
      size *= 2;
    }
    return Buffer.allocUnsafeSlow(bytes);
  }

  /** Takes a buffer back that nobody uses any more; any buffer may be given. */
  give(buffer: Buffer): void {
    const size = buffer.length;
    if (buffer.buffer.byteLength !== size || this.spareBytes + size > this.spareBytesMax) return;
    const spares = this.classes[Math.log2(size / SMALLEST_BYTES)];
    if (spares === undefined) return;
    spares.push(buffer);
    this.spareBytes += size;
  }
}
