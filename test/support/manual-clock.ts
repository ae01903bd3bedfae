import type { Clock, Timer } from '../../src/base/clock.ts';

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Time that stands still until it is moved. Deferred calls run when time is moved, even by 0. */
export class ManualClock implements Clock {
  private nowMs = 0;
  private order = 0;
  private readonly timers = new Set<Pending>();
  private deferred: (() => void)[] = [];
  private readonly epochMs: number;

  constructor(epochMs = 1_700_000_000_000) {
    this.epochMs = epochMs;
  }

  wallMs(): number {
    return this.epochMs + this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { dueMs: this.nowMs + delayMs, order: this.order++, callback };
    this.timers.add(timer);
    return { cancel: () => void this.timers.delete(timer) };
  }

  defer(callback: () => void): void {
    this.deferred.push(callback);
  }

  get timerCount(): number {
    return this.timers.size;
  }

  /** Moves time, firing what is due in order; what becomes due on the way fires, too. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    this.runDeferred();
    for (let timer = this.nextDue(endMs); timer !== null; timer = this.nextDue(endMs)) {
      this.timers.delete(timer);
      this.nowMs = Math.max(this.nowMs, timer.dueMs);
      timer.callback();
      this.runDeferred();
    }
    this.nowMs = endMs;
  }

  private runDeferred(): void {
    while (this.deferred.length > 0) {
      const callbacks = this.deferred;
      this.deferred = [];
      for (const callback of callbacks) callback();
    }
  }

  private nextDue(endMs: number): Pending | null {
    let next: Pending | null = null;
    for (const timer of this.timers) {
      if (timer.dueMs > endMs) continue;
      const sooner =
        next === null ||
        timer.dueMs < next.dueMs ||
        (timer.dueMs === next.dueMs && timer.order < next.order);
      if (sooner) next = timer;
    }
    return next;
  }
}
