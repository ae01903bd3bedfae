const SIZE_BYTES = 4;
const NOTHING = Buffer.alloc(0);

/**
 * Cuts a stream of chunks into frames (an int32 size and so many bytes) and hands out the bytes behind each size.
 * A frame inside one chunk is not copied; one that spans chunks is copied once, into a buffer of its size.
 */
export class FrameAssembler {
  private readonly onFrame: (buffer: Buffer, start: number, end: number) => void;
  /** The frame under way, as large as the whole frame; empty while there is none. */
  private partial: Buffer = NOTHING;
  private filled = 0;
  /** The first bytes of a size that was cut. */
  private readonly sizeBytes = Buffer.alloc(SIZE_BYTES);
  private sizeFilled = 0;

  constructor(onFrame: (buffer: Buffer, start: number, end: number) => void) {
    this.onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.partial.length > 0) {
        at = this.fill(chunk, at);
      } else if (this.sizeFilled > 0 || chunk.length - at < SIZE_BYTES) {
        at = this.fillSize(chunk, at);
      } else {
        const size = checkedSize(chunk.readInt32BE(at));
        at += SIZE_BYTES;
        if (chunk.length - at >= size) {
          this.onFrame(chunk, at, at + size);
          at += size;
        } else {
          this.partial = Buffer.allocUnsafeSlow(size);
        }
      }
    }
  }

  private fillSize(chunk: Buffer, at: number): number {
    const take = Math.min(SIZE_BYTES - this.sizeFilled, chunk.length - at);
    chunk.copy(this.sizeBytes, this.sizeFilled, at, at + take);
    this.sizeFilled += take;
    if (this.sizeFilled === SIZE_BYTES) {
      this.sizeFilled = 0;
      this.partial = Buffer.allocUnsafeSlow(checkedSize(this.sizeBytes.readInt32BE(0)));
    }
    return at + take;
  }

  private fill(chunk: Buffer, at: number): number {
    const take = Math.min(this.partial.length - this.filled, chunk.length - at);
    chunk.copy(this.partial, this.filled, at, at + take);
    this.filled += take;
    if (this.filled === this.partial.length) {
      const frame = this.partial;
      this.partial = NOTHING;
      this.filled = 0;
      this.onFrame(frame, 0, frame.length);
    }
    return at + take;
  }
}

const FRAME_BYTES_MAX = 1024 * 1024 * 1024;

function checkedSize(size: number): number {
  if (size < SIZE_BYTES || size > FRAME_BYTES_MAX) throw new Error(`a frame of ${size} bytes`);
  return size;
}
