import { RingBuffer } from '../../../base/ring-buffer.ts';

/**
 * What a socket brought and no whole frame was found in yet. Chunks are joined only when they hold as much as the
 * frame under way needs, so that a large frame is copied once.
 */
export class ReceiveBuffer {
  private readonly chunks = new RingBuffer<Buffer>(4);
  private bytes = 0;
  private bytesWanted = 0;

  /** The bytes to look at now, or null when those of the frame under way are not there yet. */
  push(chunk: Buffer): Buffer | null {
    if (this.bytes === 0) return chunk;
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    if (this.bytes < this.bytesWanted) return null;
    const joined = Buffer.allocUnsafe(this.bytes);
    let at = 0;
    for (let part = this.chunks.shift(); part !== undefined; part = this.chunks.shift()) {
      at += part.copy(joined, at);
    }
    this.bytes = 0;
    return joined;
  }

  /** Keeps the rest of what push gave, to be looked at again with so many bytes. */
  keep(rest: Buffer, bytesWanted: number): void {
    if (rest.length === 0) return;
    this.chunks.push(rest);
    this.bytes = rest.length;
    this.bytesWanted = bytesWanted;
  }
}
