import type { Clock } from '../base/clock.ts';

/** Addresses watched; the one that failed longest ago is forgotten first. */
const ADDRESSES_MAX = 10_000;
const FAILURES_FREE = 3;
const DELAY_STEP_MS = 250;
const DELAY_MS_MAX = 3_000;
/** More failures from one address within the window, and it is refused without a look. */
const FAILURES_MAX = 100;
const WINDOW_MS = 60_000;

interface Failures {
  count: number;
  sinceMs: number;
}

/**
 * Makes guessing slow: answers to failed logins are held back longer and longer, and an address that goes on is
 * refused for the rest of a minute. Peers on this machine are delayed but never refused.
 */
export class LoginGuard {
  private readonly clock: Clock;
  private readonly failures = new Map<string, Failures>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** For how many ms the answer to a login that just failed is to be held back. */
  failed(address: string): number {
    const nowMs = this.clock.monotonicMs();
    const known = this.current(address, nowMs) ?? { count: 0, sinceMs: nowMs };
    known.count++;
    this.failures.delete(address);
    this.failures.set(address, known);
    if (this.failures.size > ADDRESSES_MAX) {
      for (const oldest of this.failures.keys()) {
        this.failures.delete(oldest);
        break;
      }
    }
    return Math.min(DELAY_MS_MAX, Math.max(0, known.count - FAILURES_FREE) * DELAY_STEP_MS);
  }

  /** Too many failures: not even the right password is taken. */
  isBarred(address: string): boolean {
    const known = this.current(address, this.clock.monotonicMs());
    return known !== null && known.count >= FAILURES_MAX;
  }

  private current(address: string, nowMs: number): Failures | null {
    const known = this.failures.get(address);
    if (known === undefined || nowMs - known.sinceMs >= WINDOW_MS) return null;
    return known;
  }
}
