/** Keys that one queue remembers; the oldest is forgotten first. */
const KEYS_MAX = 1_000_000;

/** The keys that came within the last so many ms. */
export class DeduplicationWindow {
  private windowMs = 0;
  /** Key -> when it came, oldest first. */
  private readonly keys = new Map<string, number>();

  get size(): number {
    return this.keys.size;
  }

  setWindow(windowMs: number): void {
    this.windowMs = windowMs;
  }

  has(key: string, nowMs: number): boolean {
    this.forgetBefore(nowMs - this.windowMs);
    return this.keys.has(key);
  }

  add(key: string, nowMs: number): void {
    if (this.keys.size >= KEYS_MAX) this.forgetOldest();
    this.keys.set(key, nowMs);
  }

  entries(): Iterable<[key: string, cameMs: number]> {
    return this.keys;
  }

  private forgetBefore(timeMs: number): void {
    for (const [key, cameMs] of this.keys) {
      if (cameMs > timeMs) return;
      this.keys.delete(key);
    }
  }

  private forgetOldest(): void {
    for (const key of this.keys.keys()) {
      this.keys.delete(key);
      return;
    }
  }
}
