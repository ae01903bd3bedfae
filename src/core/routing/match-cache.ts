/**
 * Results by key, bounded: two maps, of which the older is dropped when the younger is full. What was used since the
 * last drop survives the next one, and nothing has to be counted per use.
 */
export class MatchCache<Value> {
  private readonly youngMax: number;
  private young = new Map<string, Value>();
  private old = new Map<string, Value>();

  /** At most entriesMax results are kept. */
  constructor(entriesMax: number) {
    this.youngMax = Math.max(1, Math.floor(entriesMax / 2));
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  get(key: string): Value | undefined {
    const value = this.young.get(key);
    if (value !== undefined || this.old.size === 0) return value;
    return this.promote(key);
  }

  set(key: string, value: Value): void {
    if (this.young.size >= this.youngMax) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(key, value);
    this.old.delete(key);
  }

  delete(key: string): void {
    this.young.delete(key);
    this.old.delete(key);
  }

  clear(): void {
    if (this.young.size > 0) this.young = new Map();
    if (this.old.size > 0) this.old = new Map();
  }

  private promote(key: string): Value | undefined {
    const value = this.old.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }
}
