/** Something to look at again because data arrived. */
export interface Wakeable {
  /** True while it is in the list. */
  woken: boolean;
  onWake(): void;
}

/**
 * Collects what data arrived for and looks at each once, right after the work under way: a commit of many partitions
 * that one fetch waits for is answered as one.
 */
export class WakeList {
  private waiting: Wakeable[] = [];
  private running: Wakeable[] = [];
  private scheduled = false;
  private readonly run: () => void;

  constructor() {
    this.run = () => this.drain();
  }

  add(item: Wakeable): void {
    if (item.woken) return;
    item.woken = true;
    this.waiting.push(item);
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(this.run);
  }

  private drain(): void {
    this.scheduled = false;
    const items = this.waiting;
    this.waiting = this.running;
    this.running = items;
    for (const item of items) {
      item.woken = false;
      item.onWake();
    }
    items.length = 0;
  }
}
