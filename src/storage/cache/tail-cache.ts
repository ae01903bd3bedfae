import type { Clock } from '../../base/clock.ts';
import type { Block } from './block.ts';
import { BlockPool } from './block-pool.ts';

export interface TailCacheOptions {
  /** Size of a pooled block. */
  readonly blockBytes: number;
  /** Memory of all blocks; exceeded only while blocks wait to be written. */
  readonly cacheBytes: number;
  readonly clock: Clock;
}

/** The newest part of the journal in memory: the blocks that appends fill, oldest evicted first. */
export class TailCache {
  private readonly cacheBytesMax: number;
  private readonly pool: BlockPool;
  /** In journal order. */
  private readonly blocks: Block[];
  private bytes: number;

  constructor(options: TailCacheOptions) {
    const { clock, blockBytes, cacheBytes } = options;
    this.cacheBytesMax = cacheBytes;
    this.pool = new BlockPool({ clock, blockBytes, spareMax: 2 });
    this.blocks = [];
    this.bytes = 0;
  }

  get cacheBytes(): number {
    return this.bytes;
  }

  /** A fresh block for at least size bytes, found from now on by its location. */
  allocate(size: number, location: number): Block {
    const block = this.pool.take(size, location);
    this.blocks.push(block);
    this.bytes += block.buffer.length;
    return block;
  }

  /** The block that holds the byte at the location, or null. */
  find(location: number): Block | null {
    const blocks = this.blocks;
    let low = 0;
    let high = blocks.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const block = blocks[middle]!;
      if (block.location > location) high = middle - 1;
      else if (block.location + block.used <= location) low = middle + 1;
      else return block;
    }
    return null;
  }

  /** Evicts what exceeds the limit. Blocks with bytes of groups after writtenThrough stay. */
  shrink(writtenThrough: number): void {
    while (this.bytes > this.cacheBytesMax && this.blocks.length > 1) {
      const block = this.blocks[0]!;
      if (block.lastSequence > writtenThrough) break;
      this.bytes -= block.buffer.length;
      this.blocks.shift();
      block.evict();
    }
  }
}
