/** Something that lies at a location, and may move to a later one while it is the first. */
export interface Located {
  readonly location: number;
}

/** The one with the smallest location first: a binary heap that is built once and never grows. */
export class LocationHeap<T extends Located> {
  private readonly items: T[];

  constructor(items: readonly T[]) {
    this.items = [...items];
    for (let i = (this.items.length >>> 1) - 1; i >= 0; i--) this.sink(i);
  }

  get first(): T | undefined {
    return this.items[0];
  }

  /** To be called after the first one's location has grown. */
  moved(): void {
    this.sink(0);
  }

  dropFirst(): void {
    const last = this.items.pop();
    if (last === undefined || this.items.length === 0) return;
    this.items[0] = last;
    this.sink(0);
  }

  private sink(from: number): void {
    const { items } = this;
    const item = items[from]!;
    const { location } = item;
    let at = from;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]!.location < items[child]!.location) child++;
      if (items[child]!.location >= location) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = item;
  }
}
