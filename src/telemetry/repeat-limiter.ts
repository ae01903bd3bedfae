/** Lines of one event that pass within the window; the others are counted. */
const LINES_PER_WINDOW = 10;
const WINDOW_MS = 10_000;
/** Events tracked at once; more pass unlimited until the window turns. */
const EVENTS_MAX = 1000;

interface Repeats {
  windowEndMs: number;
  lines: number;
  suppressed: number;
}

/** Keeps one event that repeats quickly from flooding the log: what is left out is told with the next line. */
export class RepeatLimiter {
  private readonly events = new Map<string, Repeats>();
  private readonly nowMs: () => number;

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  /** -1: leave the line out. Else how many of its kind were left out before it. */
  admit(event: string): number {
    const nowMs = this.nowMs();
    const known = this.events.get(event);
    if (known === undefined) {
      if (this.events.size >= EVENTS_MAX) this.forgetOld(nowMs);
      if (this.events.size < EVENTS_MAX) {
        this.events.set(event, { windowEndMs: nowMs + WINDOW_MS, lines: 1, suppressed: 0 });
      }
      return 0;
    }
    if (nowMs >= known.windowEndMs) {
      const { suppressed } = known;
      known.windowEndMs = nowMs + WINDOW_MS;
      known.lines = 1;
      known.suppressed = 0;
      return suppressed;
    }
    known.lines++;
    if (known.lines <= LINES_PER_WINDOW) return 0;
    known.suppressed++;
    return -1;
  }

  private forgetOld(nowMs: number): void {
    for (const [event, repeats] of this.events) {
      if (nowMs >= repeats.windowEndMs && repeats.suppressed === 0) this.events.delete(event);
    }
  }
}
