import type { Clock, Timer } from '../../src/base/clock.ts';
import { ManualClock } from './manual-clock.ts';

/**
 * Time in the test's hand, turns of the event loop as they are: for code whose input and output are real while
 * its timers should fire when the test says so.
 */
export class SteppedClock implements Clock {
  private readonly timers = new ManualClock();

  wallMs(): number {
    return this.timers.wallMs();
  }

  monotonicMs(): number {
    return this.timers.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.timers.setTimer(delayMs, callback);
  }

  defer(callback: () => void): void {
    setImmediate(callback);
  }

  /** Moves time and fires what is due. */
  advance(ms: number): void {
    this.timers.advance(ms);
  }
}
