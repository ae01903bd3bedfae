/** A heap of offsets, smallest first, in one typed array. */
export class OffsetHeap {
  private items: Float64Array;
  private count = 0;

  constructor() {
    this.items = new Float64Array(16);
  }

  get length(): number {
    return this.count;
  }

  get memoryBytes(): number {
    return this.items.byteLength;
  }

  /** The smallest; only when there is one. */
  peek(): number {
    return this.items[0]!;
  }

  push(offset: number): void {
    if (this.count === this.items.length) {
      const grown = new Float64Array(this.count * 2);
      grown.set(this.items);
      this.items = grown;
    }
    const { items } = this;
    let at = this.count++;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (items[parent]! <= offset) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = offset;
  }

  /** Removes and returns the smallest; only when there is one. */
  pop(): number {
    const { items } = this;
    const smallest = items[0]!;
    const last = items[--this.count]!;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= this.count) break;
      if (child + 1 < this.count && items[child + 1]! < items[child]!) child++;
      if (items[child]! >= last) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    if (this.count === 0 && items.length > 4096) this.items = new Float64Array(16);
    return smallest;
  }
}
