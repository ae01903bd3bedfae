import { performance, type EventLoopUtilization } from 'node:perf_hooks';

const WINDOW_MS = 30_000;

/** How much of its time the event loop has nothing to do. */
export class EventLoopIdle {
  private older: EventLoopUtilization = performance.eventLoopUtilization();
  private newer: EventLoopUtilization = this.older;

  /** Share of the time spent waiting, 0 to 1, over the last 30 s or since the reading before, whichever is longer. */
  share(): number {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.older);
    if (lifetimeMs(now) - lifetimeMs(this.newer) >= WINDOW_MS) {
      this.older = this.newer;
      this.newer = now;
    }
    // Before the loop has begun to turn nothing is known.
    return Number.isFinite(utilization) ? Math.min(1, Math.max(0, 1 - utilization)) : 1;
  }
}

function lifetimeMs({ idle, active }: EventLoopUtilization): number {
  return idle + active;
}
