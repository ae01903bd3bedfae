/** Something with output to hand over at the end of the turn. */
export interface Flushable {
  flush(): void;
}

/**
 * Runs flush() of every connection that wrote something once per turn of the event loop, after all ready sockets
 * were read: many small answers to one peer become one write, whatever produced them.
 */
export class FlushScheduler {
  private dirty: Flushable[] = [];
  private flushing: Flushable[] = [];
  private scheduled = false;
  private readonly run: () => void;

  constructor() {
    this.run = () => this.flushAll();
  }

  /** The caller sees to it that it is added once per turn. */
  add(item: Flushable): void {
    this.dirty.push(item);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.run);
  }

  private flushAll(): void {
    const items = this.dirty;
    this.dirty = this.flushing;
    this.flushing = items;
    this.scheduled = false;
    for (let i = 0; i < items.length; i++) items[i]!.flush();
    items.length = 0;
  }
}
