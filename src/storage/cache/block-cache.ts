import type { Clock } from '../../base/clock.ts';
import type { FileHandle } from '../file-system.ts';
import type { Block } from './block.ts';
import { BlockPool } from './block-pool.ts';
import type { ReadBudget } from './read-budget.ts';

/** A file that cold reads come from. */
export interface ColdSource {
  /** Distinguishes the files of an engine: journal files are even, segment files odd. */
  readonly key: number;
  readonly handle: FileHandle;
  /** Reads in flight: the file is not closed before they are over. */
  readsInFlight: number;
  /** Called when the last of them is over. */
  onUnused: (() => void) | null;
}

/** Resolves when no read of the source is in flight. */
export function whenUnused(source: ColdSource): Promise<void> {
  if (source.readsInFlight === 0) return Promise.resolve();
  return new Promise((resolve) => {
    source.onUnused = resolve;
  });
}

/** To be called after each read that was counted. */
export function endRead(source: ColdSource): void {
  source.readsInFlight--;
  if (source.readsInFlight === 0) source.onUnused?.();
}

export const journalSourceKey = (fileNumber: number): number => fileNumber * 2;
export const segmentSourceKey = (fileNumber: number): number => fileNumber * 2 + 1;

export interface BlockCacheOptions {
  readonly blockBytes: number;
  readonly cacheBytes: number;
  /** Told of the blocks that readers hold. */
  readonly holders: ReadBudget;
  readonly clock: Clock;
}

/** A file has less than this many blocks. */
const BLOCKS_PER_FILE_MAX = 1 << 20;
const SPARE_BLOCKS_MAX = 4;
const PREFETCHES_MAX = 8;

/**
 * Blocks of cold files, least recently used first out; apart from the tail cache, so that reading old data never
 * pushes out new data. Several readers of one block share one read.
 */
export class BlockCache {
  readonly blockBytes: number;
  hits: number;
  misses: number;
  private readonly pool: BlockPool;
  /** In the order of last use. */
  private readonly blocks: Map<number, Block>;
  private readonly loading: Map<number, Promise<Block>>;
  private readonly blocksMax: number;

  constructor(options: BlockCacheOptions) {
    const { blockBytes, cacheBytes, holders, clock } = options;
    this.blockBytes = blockBytes;
    this.hits = 0;
    this.misses = 0;
    this.pool = new BlockPool({ clock, blockBytes, spareMax: SPARE_BLOCKS_MAX, holders });
    this.blocks = new Map();
    this.loading = new Map();
    this.blocksMax = Math.max(2, Math.floor(cacheBytes / blockBytes));
  }

  get bytes(): number {
    return this.blocks.size * this.blockBytes;
  }

  /** True when the block with that index of the file is here. */
  has(source: ColdSource, index: number): boolean {
    const key = source.key * BLOCKS_PER_FILE_MAX + index;
    return this.blocks.has(key) || this.loading.has(key);
  }

  /**
   * The block with that index of the file, filled at least up to `needed` bytes where the file is that long.
   * It is retained for the caller, who releases it.
   */
  async load(source: ColdSource, index: number, needed: number): Promise<Block> {
    const key = source.key * BLOCKS_PER_FILE_MAX + index;
    const cached = this.blocks.get(key);
    if (cached !== undefined && cached.used >= needed) {
      this.hits++;
      this.blocks.delete(key);
      this.blocks.set(key, cached);
      cached.retain();
      return cached;
    }
    this.misses++;
    let block = await (this.loading.get(key) ?? this.fill(source, index, key));
    // Whoever began that read may have done so before a growing file held what is needed here.
    if (block.used < needed) block = await this.fill(source, index, key);
    block.retain();
    return block;
  }

  /** Begins to read a block that will probably be wanted. */
  prefetch(source: ColdSource, index: number): void {
    const key = source.key * BLOCKS_PER_FILE_MAX + index;
    if (this.blocks.has(key) || this.loading.has(key)) return;
    if (this.loading.size >= PREFETCHES_MAX) return;
    this.fill(source, index, key).catch(() => {}); // a reader that wants the block reads again and reports
  }

  /** Forgets the blocks of a file that is about to be freed. */
  forget(sourceKey: number): void {
    const from = sourceKey * BLOCKS_PER_FILE_MAX;
    for (const [key, block] of this.blocks) {
      if (key < from || key >= from + BLOCKS_PER_FILE_MAX) continue;
      this.blocks.delete(key);
      block.evict();
    }
  }

  private fill(source: ColdSource, index: number, key: number): Promise<Block> {
    const pending = this.read(source, index, key);
    this.loading.set(key, pending);
    return pending;
  }

  private async read(source: ColdSource, index: number, key: number): Promise<Block> {
    const { blockBytes } = this;
    const block = this.pool.take(blockBytes, index * blockBytes);
    source.readsInFlight++;
    try {
      block.used = await source.handle.read(block.buffer, blockBytes, index * blockBytes);
    } catch (error) {
      block.evict();
      throw error;
    } finally {
      endRead(source);
      this.loading.delete(key);
    }
    this.blocks.get(key)?.evict();
    this.blocks.delete(key);
    this.blocks.set(key, block);
    while (this.blocks.size > this.blocksMax) this.dropOldest();
    return block;
  }

  private dropOldest(): void {
    const oldest = this.blocks.entries().next();
    if (oldest.done === true) return;
    const [key, block] = oldest.value;
    this.blocks.delete(key);
    block.evict();
  }
}
