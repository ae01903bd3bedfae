import type { Clock } from '../../base/clock.ts';
import { Block } from './block.ts';
import type { ReadBudget } from './read-budget.ts';

/**
 * Memory blocks of one size, used again and again.
 *
 * A slice of a block may be used until the end of the turn without a lease, so a block that became free rests
 * until a later turn before it is filled again; one that was leased meanwhile comes back with its last release.
 */
export class BlockPool {
  readonly blockBytes: number;
  private readonly clock: Clock;
  private readonly spareMax: number;
  private readonly holders: ReadBudget | null;
  private readonly free: Block[];
  private resting: Block[];
  private readonly endRest: () => void;

  constructor(options: {
    clock: Clock;
    blockBytes: number;
    spareMax: number;
    holders?: ReadBudget;
  }) {
    this.blockBytes = options.blockBytes;
    this.holders = options.holders ?? null;
    this.clock = options.clock;
    this.spareMax = options.spareMax;
    this.free = [];
    this.resting = [];
    this.endRest = () => {
      for (const block of this.resting) {
        block.resting = false;
        if (!block.leased && this.free.length < this.spareMax) this.free.push(block);
      }
      this.resting.length = 0;
    };
  }

  /** A block for at least size bytes: a pooled one, or one of its own when it is larger than those. */
  take(size: number, location: number): Block {
    const pooled = size <= this.blockBytes;
    let block = pooled ? this.free.pop() : undefined;
    if (block === undefined) {
      const buffer = Buffer.allocUnsafeSlow(pooled ? this.blockBytes : size);
      block = new Block(buffer, pooled ? (idle) => this.rest(idle) : null, this.holders);
    }
    block.reset(location);
    return block;
  }

  private rest(block: Block): void {
    if (block.resting) return;
    block.resting = true;
    this.resting.push(block);
    if (this.resting.length === 1) this.clock.defer(this.endRest);
  }
}
