import type { MetaStore } from '../storage/meta-store.ts';

const KEY = 'producer-ids/next';
const BLOCK_SIZE = 1000;

/** Hands out producer ids that were never handed out before, also not before a crash: whole blocks are reserved. */
export class ProducerIds {
  private readonly meta: MetaStore;
  private next = 0;
  private blockEnd = 0;
  private reserving: Promise<void> | null = null;

  constructor(meta: MetaStore) {
    this.meta = meta;
  }

  /** Rejects when the reservation of a block cannot be made durable. */
  async allocate(): Promise<number> {
    while (this.next === this.blockEnd) {
      this.reserving ??= this.reserve().finally(() => {
        this.reserving = null;
      });
      await this.reserving;
    }
    return this.next++;
  }

  private async reserve(): Promise<void> {
    for (;;) {
      const entry = this.meta.get(KEY);
      const first = entry === null ? 0 : Number(entry.value);
      const end = first + BLOCK_SIZE;
      const { succeeded } = await this.meta.txn({
        compares: [{ key: KEY, modRevision: entry?.modRevision ?? 0 }],
        then: [{ op: 'put', key: KEY, value: String(end) }],
      });
      // Otherwise another broker took the block: try for the next one.
      if (!succeeded) continue;
      this.next = first;
      this.blockEnd = end;
      return;
    }
  }
}
