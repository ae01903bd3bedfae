import type { Lease } from '../types.ts';
import type { ReadBudget } from './read-budget.ts';

/**
 * A piece of memory that holds a contiguous range of a file: byte i of the buffer is the byte at location + i.
 * In the tail cache it is filled by appends, written to disk from here, and read from here until it is evicted.
 */
export class Block implements Lease {
  readonly buffer: Buffer;
  /** Journal location of the first byte; see locationOf. */
  location: number;
  /** Bytes filled. */
  used: number;
  /** Newest commit group with bytes in here: the block stays until that is written. */
  lastSequence: number;
  /** Owned by the pool: waits for the end of the turn. */
  resting: boolean;
  private leases: number;
  private evicted: boolean;
  /** Called when nobody can find or uses the block any more; null for one that is left to the collector. */
  private readonly onIdle: ((block: Block) => void) | null;
  /** Told when somebody begins and when nobody goes on to hold the block. */
  private readonly holders: ReadBudget | null;

  constructor(
    buffer: Buffer,
    onIdle: ((block: Block) => void) | null,
    holders: ReadBudget | null = null,
  ) {
    this.buffer = buffer;
    this.location = 0;
    this.used = 0;
    this.lastSequence = 0;
    this.resting = false;
    this.leases = 0;
    this.evicted = false;
    this.onIdle = onIdle;
    this.holders = holders;
  }

  get leased(): boolean {
    return this.leases > 0;
  }

  retain(): void {
    this.leases++;
    if (this.leases === 1) this.holders?.hold(this.buffer.length);
  }

  release(): void {
    if (this.leases === 0) return;
    this.leases--;
    if (this.leases > 0) return;
    if (this.evicted) this.onIdle?.(this);
    this.holders?.letGo(this.buffer.length);
  }

  /** Nobody can find the block any more; it becomes free with the last lease. */
  evict(): void {
    this.evicted = true;
    if (this.leases === 0) this.onIdle?.(this);
  }

  reset(location: number): void {
    this.location = location;
    this.used = 0;
    this.lastSequence = 0;
    this.evicted = false;
  }
}
