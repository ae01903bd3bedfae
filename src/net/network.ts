import { BufferPool } from './buffer-pool.ts';
import { FlushScheduler } from './flush-scheduler.ts';
import { ReadArea, type InputMemory } from './input-feed.ts';
import { DEFAULT_HELD_BYTES_TOTAL } from './limits.ts';

const READ_BYTES = 256 * 1024;
const POOL_BYTES_KEPT = 16 * 1024 * 1024;

/** What all listeners of one broker share: read area, buffer pool, end-of-turn flush, connection numbers. */
export class Network {
  readonly memory: InputMemory;
  readonly scheduler = new FlushScheduler();
  private lastConnectionId = 0;

  constructor(options: { readonly heldBytesMax?: number; readonly readBytes?: number } = {}) {
    this.memory = {
      area: new ReadArea(options.readBytes ?? READ_BYTES),
      pool: new BufferPool(POOL_BYTES_KEPT),
      heldBytesMax: options.heldBytesMax ?? DEFAULT_HELD_BYTES_TOTAL,
      heldBytes: 0,
    };
  }

  nextConnectionId(): number {
    return ++this.lastConnectionId;
  }
}
