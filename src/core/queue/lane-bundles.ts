import type { Bundle } from '../message/bundle.ts';

const NONE = -1;

/** The bundles of a lane that are in memory, in the order of their offsets. */
export class LaneBundles {
  /** Index that find() found. */
  found = NONE;
  private bundles: (Bundle | null)[] = [];
  private bases: number[] = [];
  /** Messages of the bundle that are not settled; only kept for lanes without a log. */
  private left: number[] = [];
  private head = 0;

  get length(): number {
    return this.bundles.length - this.head;
  }

  push(bundle: Bundle, baseOffset: number): void {
    this.bundles.push(bundle);
    this.bases.push(baseOffset);
    this.left.push(0);
  }

  get first(): Bundle | null {
    return this.bundles[this.head] ?? null;
  }

  /** The newest bundle got one more message. */
  grew(): void {
    this.left[this.left.length - 1]!++;
  }

  /** The bundle that holds the offset, or null; `base` then tells where it begins. */
  find(offset: number): Bundle | null {
    let low = this.head;
    let high = this.bundles.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.bases[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    const bundle = this.bundles[low];
    const base = this.bases[low];
    if (bundle === null || bundle === undefined || base === undefined) return null;
    if (offset < base || offset >= base + bundle.count) return null;
    this.found = low;
    return bundle;
  }

  get base(): number {
    return this.bases[this.found]!;
  }

  /** One more message of the bundle just found is settled; true when none is left. */
  settled(): boolean {
    return --this.left[this.found]! === 0;
  }

  /** Nothing of the bundle at the index is left. */
  get isSpent(): boolean {
    return this.left[this.found] === 0;
  }

  /** Forgets the bundle just found. */
  removeFound(): void {
    this.bundles[this.found] = null;
    while (this.head < this.bundles.length && this.bundles[this.head] === null) this.head++;
    this.compact();
  }

  shift(): Bundle | null {
    const bundle = this.bundles[this.head] ?? null;
    this.bundles[this.head++] = null;
    this.compact();
    return bundle;
  }

  private compact(): void {
    if (this.head === this.bundles.length) {
      this.bundles.length = 0;
      this.bases.length = 0;
      this.left.length = 0;
      this.head = 0;
    } else if (this.head > 32 && this.head * 2 > this.bundles.length) {
      this.bundles.splice(0, this.head);
      this.bases.splice(0, this.head);
      this.left.splice(0, this.head);
      this.head = 0;
    }
  }
}
