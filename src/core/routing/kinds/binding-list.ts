import type { Binding } from '../binding.ts';

/** Bindings in an order that only depends on which there are: by destination, then by key. */
export class BindingList {
  private readonly sorted: Binding[] = [];

  get length(): number {
    return this.sorted.length;
  }

  at(index: number): Binding | undefined {
    return this.sorted[index];
  }

  all(): readonly Binding[] {
    return this.sorted;
  }

  add(binding: Binding): void {
    this.sorted.splice(this.placeOf(binding), 0, binding);
  }

  remove(binding: Binding): void {
    const index = this.placeOf(binding);
    if (this.sorted[index] === binding) this.sorted.splice(index, 1);
  }

  private placeOf(binding: Binding): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sorted[middle]!.identity < binding.identity) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
