import type { Unsubscribe } from '../../storage/types.ts';
import type { DataWaiter } from '../types.ts';

/**
 * Readers that wait for a partition to grow. The log is watched from the first waiter on until it grows while
 * nobody waits, so that a steady long poll does not subscribe each time.
 */
export class WaiterList {
  private waiting: DataWaiter[] = [];
  private waking: DataWaiter[] = [];
  private running = false;
  private again = false;
  private unsubscribe: Unsubscribe | null = null;
  private readonly subscribe: (onAdvance: () => void) => Unsubscribe;
  private readonly onAdvance: () => void;

  constructor(subscribe: (onAdvance: () => void) => Unsubscribe) {
    this.subscribe = subscribe;
    this.onAdvance = () => {
      if (this.waiting.length === 0) this.stop();
      else this.wakeAll();
    };
  }

  add(waiter: DataWaiter): void {
    this.waiting.push(waiter);
    this.unsubscribe ??= this.subscribe(this.onAdvance);
  }

  remove(waiter: DataWaiter): void {
    const index = this.waiting.indexOf(waiter);
    if (index !== -1) {
      const last = this.waiting.pop()!;
      if (last !== waiter) this.waiting[index] = last;
      return;
    }
    // Cancelled by another waiter that is being woken right now.
    const turn = this.waking.indexOf(waiter);
    if (turn !== -1) this.waking[turn] = NOBODY;
  }

  /** Wakes everybody who waits now, once; who waits again while being woken waits for the next time. */
  wakeAll(): void {
    if (this.running) {
      this.again = true;
      return;
    }
    this.running = true;
    try {
      do {
        this.again = false;
        this.wakeOnce();
      } while (this.again);
    } finally {
      this.running = false;
    }
  }

  stop(): void {
    this.unsubscribe?.();
    this.unsubscribe = null;
  }

  private wakeOnce(): void {
    const woken = this.waiting;
    this.waiting = this.waking;
    this.waking = woken;
    let next = 0;
    try {
      while (next < woken.length) woken[next++]!.onData();
    } finally {
      // Who comes after a waiter that threw still waits.
      while (next < woken.length) this.waiting.push(woken[next++]!);
      woken.length = 0;
    }
  }
}

const NOBODY: DataWaiter = { onData: () => {} };
