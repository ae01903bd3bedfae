import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** How many messages are due when, at a steady rate; Infinity: always all. Times in ms of performance.now(). */
export class Pace {
  private readonly ratePerMs: number;
  private readonly startMs: number;

  constructor(ratePerSecond: number, startMs: number) {
    this.ratePerMs = ratePerSecond / 1000;
    this.startMs = startMs;
  }

  get isLimited(): boolean {
    return this.ratePerMs !== Infinity;
  }

  /** How many of the messages, counted from the start, should have been sent by now. */
  dueAt(nowMs: number): number {
    return this.isLimited ? Math.floor((nowMs - this.startMs) * this.ratePerMs) + 1 : Infinity;
  }

  /** When message number index was meant to be sent: latency counts from then, so that a stall is not hidden. */
  intendedMs(index: number, nowMs: number): number {
    return this.isLimited ? this.startMs + index / this.ratePerMs : nowMs;
  }

  /** Waits until the message is due: by timer, and for less than its resolution by turns of the event loop. */
  async untilDue(index: number): Promise<void> {
    const remaining = this.startMs + index / this.ratePerMs - performance.now();
    if (remaining >= 2) await sleep(remaining - 1);
    else await nextTurn();
  }
}
