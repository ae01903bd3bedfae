import type { Clock, Timer } from './clock.ts';

const SLOT_COUNT = 512;
const SLOT_MASK = SLOT_COUNT - 1;
/** A timer that is on time may seem early by what is lost in adding fractions. */
const ROUNDING_MS = 1e-6;

/**
 * A timeout that can be started, moved and cancelled any number of times without allocating. Extend it, or hold
 * one per thing that can time out.
 */
export abstract class WheelTimeout {
  /** Links of the ring of the slot it waits in; null while it does not wait. Belong to the wheel. */
  next: WheelTimeout | null = null;
  previous: WheelTimeout | null = null;
  deadlineTick = 0;

  get pending(): boolean {
    return this.next !== null;
  }

  /** Called once per start, unless cancelled before. */
  abstract onTimeout(): void;
}

class SlotHead extends WheelTimeout {
  constructor() {
    super();
    this.next = this;
    this.previous = this;
  }

  override onTimeout(): void {}
}

/** A timeout that calls a function. */
export class CallbackTimeout extends WheelTimeout {
  private readonly callback: () => void;

  constructor(callback: () => void) {
    super();
    this.callback = callback;
  }

  override onTimeout(): void {
    this.callback();
  }
}

/**
 * Many timeouts on one timer of the clock: starting and cancelling is a few pointer writes. A hashed wheel: slot
 * i holds what is due at ticks i, i + 512, ...; a timeout fires at the first tick at or after its deadline, so up
 * to one tick late and never early. The clock's timer is armed only while something waits.
 */
export class TimerWheel {
  private readonly clock: Clock;
  private readonly tickMs: number;
  private readonly originMs: number;
  private readonly slots: SlotHead[];
  private readonly due: SlotHead;
  private readonly onTick: () => void;
  private count = 0;
  /** Everything up to this tick has fired. */
  private doneTick = 0;
  private armedTick = 0;
  private timer: Timer | null = null;
  private firing = false;
  private closed = false;

  constructor(clock: Clock, options: { readonly tickMs?: number } = {}) {
    this.clock = clock;
    this.tickMs = options.tickMs ?? 10;
    this.originMs = clock.monotonicMs();
    this.slots = Array.from({ length: SLOT_COUNT }, () => new SlotHead());
    this.due = new SlotHead();
    this.onTick = () => this.tick();
  }

  /** Timeouts that wait. */
  get size(): number {
    return this.count;
  }

  /** Fires after delayMs; a timeout that waits already is moved. On a closed wheel nothing ever fires. */
  start(timeout: WheelTimeout, delayMs: number): void {
    if (this.closed) return;
    if (timeout.next !== null) this.unlink(timeout);
    const elapsedMs = this.clock.monotonicMs() - this.originMs;
    if (this.count === 0 && !this.firing) this.doneTick = Math.floor(elapsedMs / this.tickMs);
    const dueTick = Math.ceil((elapsedMs + delayMs) / this.tickMs);
    const tick = dueTick > this.doneTick ? dueTick : this.doneTick + 1;
    timeout.deadlineTick = tick;
    link(this.slots[tick & SLOT_MASK]!, timeout);
    this.count++;
    if (!this.firing && (this.timer === null || tick < this.armedTick)) this.arm(tick);
  }

  cancel(timeout: WheelTimeout): void {
    if (timeout.next !== null) this.unlink(timeout);
  }

  /** Forgets everything that waits. Idempotent. */
  close(): void {
    this.closed = true;
    this.timer?.cancel();
    this.timer = null;
    for (const slot of this.slots) while (slot.next !== slot) this.unlink(slot.next!);
    while (this.due.next !== this.due) this.unlink(this.due.next!);
  }

  private unlink(timeout: WheelTimeout): void {
    timeout.previous!.next = timeout.next;
    timeout.next!.previous = timeout.previous;
    timeout.next = null;
    timeout.previous = null;
    this.count--;
  }

  private arm(tick: number): void {
    this.timer?.cancel();
    this.armedTick = tick;
    const delayMs = this.originMs + tick * this.tickMs - this.clock.monotonicMs();
    this.timer = this.clock.setTimer(Math.max(0, delayMs), this.onTick);
  }

  private tick(): void {
    this.timer = null;
    const elapsedMs = this.clock.monotonicMs() - this.originMs;
    const nowTick = Math.floor((elapsedMs + ROUNDING_MS) / this.tickMs);
    this.firing = true;
    try {
      this.collectDue(nowTick);
      this.fireDue();
    } finally {
      // A throwing timeout must not stop the others: the next tick goes on with what is left in `due`.
      this.firing = false;
      if (this.count > 0 && !this.closed) this.arm(this.nextTick());
    }
  }

  /** Moves what is due into one list first, so that callbacks may start and cancel anything. */
  private collectDue(nowTick: number): void {
    const last = Math.min(nowTick, this.doneTick + SLOT_COUNT);
    for (let tick = this.doneTick + 1; tick <= last; tick++) {
      const slot = this.slots[tick & SLOT_MASK]!;
      let timeout = slot.next!;
      while (timeout !== slot) {
        const following = timeout.next!;
        if (timeout.deadlineTick <= nowTick) {
          timeout.previous!.next = timeout.next;
          timeout.next!.previous = timeout.previous;
          link(this.due, timeout);
        }
        timeout = following;
      }
    }
    if (nowTick > this.doneTick) this.doneTick = nowTick;
  }

  private fireDue(): void {
    const { due } = this;
    while (due.next !== due) {
      const timeout = due.next!;
      this.unlink(timeout);
      timeout.onTimeout();
    }
  }

  /** The tick of the next slot that holds anything; what it holds may belong to a later turn of the wheel. */
  private nextTick(): number {
    if (this.due.next !== this.due) return this.doneTick + 1;
    for (let tick = this.doneTick + 1; tick < this.doneTick + SLOT_COUNT; tick++) {
      const slot = this.slots[tick & SLOT_MASK]!;
      if (slot.next !== slot) return tick;
    }
    return this.doneTick + SLOT_COUNT;
  }
}

function link(head: WheelTimeout, timeout: WheelTimeout): void {
  timeout.previous = head.previous;
  timeout.next = head;
  head.previous!.next = timeout;
  head.previous = timeout;
}
