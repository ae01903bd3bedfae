import type { LogId, SnapshotStore } from './types.ts';

/**
 * The newest snapshot of each state machine. What is saved counts for the next checkpoint, which takes the changes;
 * load gives what the last durable checkpoint had, or, within one run, what was saved since.
 */
export class LocalSnapshotStore implements SnapshotStore {
  private readonly snapshots: Map<LogId, Buffer>;
  private readonly dirty: Set<LogId>;

  constructor() {
    this.snapshots = new Map();
    this.dirty = new Set();
  }

  save(log: LogId, bytes: Buffer): void {
    // A copy of its own: the caller may reuse the buffer, and a slice would keep a larger one alive.
    const copy = Buffer.allocUnsafeSlow(bytes.length);
    bytes.copy(copy);
    this.snapshots.set(log, copy);
    this.dirty.add(log);
  }

  load(log: LogId): Buffer | null {
    return this.snapshots.get(log) ?? null;
  }

  remove(log: LogId): void {
    if (this.snapshots.delete(log)) this.dirty.add(log);
  }

  /** Takes over what a manifest says: the bytes, or that there are none. */
  restore(log: LogId, bytes: Buffer | null): void {
    if (bytes === null) this.snapshots.delete(log);
    else this.snapshots.set(log, bytes);
  }

  keys(): IterableIterator<LogId> {
    return this.snapshots.keys();
  }

  /** Logs whose snapshot was saved or removed since the last call. */
  takeDirty(): LogId[] {
    const taken = [...this.dirty];
    this.dirty.clear();
    return taken;
  }
}
