import type { Clock, Timer } from '../../src/base/clock.ts';

/** One run of the broker's process: what it started dies with it. */
export interface SimProcess {
  readonly number: number;
  alive: boolean;
}

/** Setting callback to null cancels it. */
interface Cancellable {
  callback: (() => void) | null;
}

interface SimEvent extends Cancellable {
  readonly atMs: number;
  readonly order: number;
  /** Null for what is not part of a process: the workload. */
  readonly process: SimProcess | null;
}

/** No operation takes as long as this. Timers further away are not waited for. */
const IDLE_MS = 60_000;

/**
 * Virtual time. Everything that happens is an event; one event runs, then everything that follows from it in
 * microtasks, then the next. A crash between any two of them is a crash between any two steps.
 */
export class Scheduler {
  nowMs: number;
  /** Events run so far. */
  steps: number;
  private readonly heap: SimEvent[];
  private order: number;

  constructor() {
    this.nowMs = 0;
    this.steps = 0;
    this.heap = [];
    this.order = 0;
  }

  /** Runs the callback delayMs from now, unless the process dies before. */
  schedule(delayMs: number, process: SimProcess | null, callback: () => void): Cancellable {
    const event: SimEvent = { atMs: this.nowMs + delayMs, order: this.order++, process, callback };
    this.push(event);
    return event;
  }

  /**
   * Runs events until done() holds. False when that did not come about: too many events, or none for so long that
   * nothing can be under way any more.
   */
  async runUntil(done: () => boolean, stepsMax: number): Promise<boolean> {
    const end = this.steps + stepsMax;
    await settleMicrotasks();
    while (!done()) {
      if (this.steps === end) return false;
      const event = this.heap[0];
      if (event === undefined) return false;
      if (event.callback === null || event.process?.alive === false) {
        this.pop();
        continue;
      }
      if (event.atMs - this.nowMs > IDLE_MS) return false;
      this.pop();
      this.nowMs = event.atMs;
      this.steps++;
      event.callback();
      await settleMicrotasks();
    }
    return true;
  }

  private push(event: SimEvent): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  /** Takes the next event out of the heap. */
  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** A turn of the real event loop: every microtask, however long the chain, has run by then. */
function settleMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The clock of one simulated process. */
export class SimClock implements Clock {
  private readonly scheduler: Scheduler;
  private readonly process: SimProcess;
  private readonly wallOriginMs: number;

  constructor(scheduler: Scheduler, process: SimProcess, wallOriginMs: number) {
    this.scheduler = scheduler;
    this.process = process;
    this.wallOriginMs = wallOriginMs;
  }

  wallMs(): number {
    return Math.floor(this.wallOriginMs + this.scheduler.nowMs);
  }

  monotonicMs(): number {
    return this.scheduler.nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const event = this.scheduler.schedule(delayMs, this.process, callback);
    return { cancel: () => void (event.callback = null) };
  }

  defer(callback: () => void): void {
    this.scheduler.schedule(0, this.process, callback);
  }
}
