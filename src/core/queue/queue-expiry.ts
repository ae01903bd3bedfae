import { CallbackTimeout } from '../../base/timer-wheel.ts';
import { ENVELOPE } from '../message/envelope.ts';
import type { Message } from '../message/message.ts';
import { DeadlineHeap } from './deadline-heap.ts';
import type { Lane } from './lane.ts';
import { SEEK } from './lane-cursor.ts';
import { packMark } from './lane-marks.ts';
import type { Queue } from './queue.ts';

/** Messages looked at before the event loop gets its turn. */
const SLICE = 4096;
/** Timers of the platform reach no further; what is due later is looked at again then. */
const TIMER_MAX_MS = 2 ** 30;

/**
 * Deadlines of a queue: of its messages, of their retries, and its own. Times to live of single messages are in a heap, so
 * that one expires whatever is before it; the queue's own time to live is the same for all, so that only heads are looked
 * at.
 */
export class QueueExpiry {
  private readonly queue: Queue;
  private readonly messages: CallbackTimeout;
  private readonly idle: CallbackTimeout;
  /** When the timeout of messages is due, wall clock; Infinity: it does not wait. */
  private dueMs = Infinity;
  /** Handed out when their time was over, as lane and offset. */
  private overdue: Map<Lane, Set<number>> | null = null;

  constructor(queue: Queue) {
    this.queue = queue;
    this.messages = new CallbackTimeout(() => this.expire());
    this.idle = new CallbackTimeout(() => this.expireQueue());
  }

  /** A message with a time to live of its own was stored. */
  added(lane: Lane, offset: number, message: Message, bytes: number): void {
    const time = message.publishedMs + message.ttlMs;
    lane.addDeadline(time, offset, packMark(bytes, message.persistent));
    this.schedule(time);
  }

  /** The queue has a time to live, and a message waits. */
  watchHead(): void {
    if (this.dueMs !== Infinity) return;
    const { nowMs } = this.queue.context.turn;
    this.schedule(nowMs + this.queue.settings.messageTtlMs);
  }

  /** A message with some age came back. */
  cameBack(): void {
    if (this.queue.hasTimeToLive) this.schedule(this.queue.context.turn.nowMs);
  }

  retryLater(lane: Lane, offset: number, delayMs: number): void {
    const time = this.queue.context.turn.nowMs + delayMs;
    lane.retries ??= new DeadlineHeap();
    lane.retries.push(time, offset, 0);
    lane.delayedCount++;
    this.schedule(time);
  }

  /** True when the message's time was over while it was handed out; asked once. */
  isOverdue(lane: Lane, offset: number): boolean {
    return this.overdue?.get(lane)?.delete(offset) === true;
  }

  forget(lane: Lane, offset: number): void {
    this.overdue?.get(lane)?.delete(offset);
  }

  /** Gives the head up when its time is over. */
  dropIfExpired(lane: Lane): boolean {
    const deadline = this.headDeadline(lane);
    if (deadline > this.queue.context.turn.nowMs) return false;
    this.queue.totals.expired++;
    this.queue.dropHead(lane, 'expired');
    return true;
  }

  settingsChanged(): void {
    if (!this.queue.context.running) return;
    if (this.queue.settings.expiresMs !== Infinity) this.becameIdle();
    else this.queue.context.timers.cancel(this.idle);
    const { lanes } = this.queue;
    if (
      lanes.some((lane) => lane.deadlines !== null || (this.queue.hasTimeToLive && lane.ready > 0))
    ) {
      this.schedule(this.queue.context.turn.nowMs);
    }
  }

  /** Nobody consumes (any more). */
  becameIdle(): void {
    const { settings, context, idleSinceMs } = this.queue;
    if (settings.expiresMs === Infinity || idleSinceMs === null) return;
    const elapsedMs = context.clock.monotonicMs() - idleSinceMs;
    context.timers.start(
      this.idle,
      Math.min(TIMER_MAX_MS, Math.max(0, settings.expiresMs - elapsedMs)),
    );
  }

  close(): void {
    const { timers } = this.queue.context;
    timers.cancel(this.messages);
    timers.cancel(this.idle);
  }

  private expireQueue(): void {
    const { queue } = this;
    const { settings, context, idleSinceMs } = queue;
    if (idleSinceMs === null) return;
    if (context.clock.monotonicMs() - idleSinceMs < settings.expiresMs) this.becameIdle();
    else context.discard(queue, 'expired');
  }

  /** ms since the Unix epoch; Infinity: never. */
  private headDeadline(lane: Lane): number {
    const { settings, context } = this.queue;
    const window = lane.headWindow;
    let { messageTtlMs } = settings;
    if ((window.buffer[window.keyStart]! & ENVELOPE.ttl) !== 0) {
      window.read(context.message, context.envelopes);
      messageTtlMs = Math.min(messageTtlMs, context.message.ttlMs);
    }
    return window.timestamp + messageTtlMs;
  }

  private schedule(timeMs: number): void {
    if (timeMs >= this.dueMs || timeMs === Infinity) return;
    this.dueMs = timeMs;
    const { timers, clock } = this.queue.context;
    timers.start(this.messages, Math.min(TIMER_MAX_MS, Math.max(0, timeMs - clock.wallMs())));
  }

  private expire(): void {
    this.dueMs = Infinity;
    const { queue } = this;
    const nowMs = queue.context.clock.wallMs();
    let left = SLICE;
    for (const lane of queue.lanes) {
      left -= this.retry(lane, nowMs);
      left -= this.expireOwn(lane, nowMs, left);
      if (queue.hasTimeToLive) left -= this.expireHeads(lane, nowMs, left);
    }
  }

  private retry(lane: Lane, nowMs: number): number {
    const { retries } = lane;
    let count = 0;
    if (retries === null) return 0;
    while (retries.length > 0) {
      if (retries.time > nowMs) {
        this.schedule(retries.time);
        break;
      }
      const { offset } = retries;
      retries.pop();
      if (lane.isSettled(offset)) continue;
      count++;
      lane.delayedCount--;
      this.queue.putBack(lane, offset);
    }
    return count;
  }

  /** Messages whose own time is over, wherever they are. */
  private expireOwn(lane: Lane, nowMs: number, most: number): number {
    const { deadlines } = lane;
    let count = 0;
    if (deadlines === null) return 0;
    while (deadlines.length > 0) {
      if (deadlines.time > nowMs || count >= most) {
        this.schedule(deadlines.time);
        break;
      }
      const { offset, mark } = deadlines;
      deadlines.pop();
      count++;
      if (lane.isSettled(offset)) continue;
      if (!lane.isWaiting(offset)) this.noteOverdue(lane, offset);
      else this.expireOne(lane, offset, mark);
    }
    if (deadlines.length === 0) lane.deadlines = null;
    return count;
  }

  private expireOne(lane: Lane, offset: number, mark: number): void {
    this.queue.totals.expired++;
    if (this.queue.settings.deadLetterExchange === null) lane.settleWaiting(offset, mark);
    else this.queue.giveUp(lane, offset, 'expired');
  }

  private expireHeads(lane: Lane, nowMs: number, most: number): number {
    let count = 0;
    while (lane.ready > 0) {
      const found = lane.head();
      if (found === SEEK.lost) break;
      if (found === SEEK.pending || count >= most) {
        // What is being read is there soon.
        this.schedule(nowMs + 1);
        break;
      }
      const deadline = this.headDeadline(lane);
      if (deadline > nowMs) {
        this.schedule(deadline);
        break;
      }
      count++;
      this.queue.totals.expired++;
      this.queue.dropHead(lane, 'expired');
    }
    return count;
  }

  private noteOverdue(lane: Lane, offset: number): void {
    this.overdue ??= new Map();
    const offsets = this.overdue.get(lane);
    if (offsets === undefined) this.overdue.set(lane, new Set([offset]));
    else offsets.add(offset);
  }
}
