import { CallbackTimeout } from '../../base/timer-wheel.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Message } from '../message/message.ts';
import type { Lane, LaneOwner } from '../queue/lane.ts';
import { NO_LOG } from '../queue/lane.ts';
import { LaneReads } from '../queue/lane-reads.ts';
import { packMark } from '../queue/lane-marks.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { LaneSet } from '../queue/target-set.ts';
import type { DelayedMessage } from './schedule.ts';

/** Logs of a namespace: for delays of less than 1 s, 10 s, 100 s, 1000 s, 10,000 s, and for longer ones. */
export const LANES = 6;
/** Messages routed before the event loop gets its turn. */
const SLICE = 4096;
const TIMER_MAX_MS = 2 ** 30;

/**
 * What waits in one namespace. A lane for each order of magnitude of the delay, so that those that wait long do not keep
 * the space of those that wait briefly; the last lane, without a log, is for messages that are not persistent.
 */
export class NamespaceSchedule implements LaneOwner {
  private readonly store: QueueStore;
  private readonly logger: Logger;
  private readonly namespace: string;
  private readonly lanes: readonly Lane[];
  private readonly sets: readonly LaneSet[];
  private readonly reads: LaneReads;
  private readonly timeout: CallbackTimeout;
  private dueMs = Infinity;
  private started = false;
  private closed = false;

  constructor(options: {
    readonly store: QueueStore;
    readonly logger: Logger;
    readonly namespace: string;
    readonly firstLog: number;
    readonly restore: boolean;
  }) {
    const { store, logger, namespace, firstLog, restore } = options;
    this.store = store;
    this.logger = logger;
    this.namespace = namespace;
    const logs = Array.from({ length: LANES }, (_, i) => firstLog + i);
    this.lanes = [...logs, NO_LOG].map((log) => store.addGuest(log, this, { restore }));
    this.sets = this.lanes.map((lane) => new LaneSet([lane]));
    this.reads = new LaneReads(store.turn);
    this.timeout = new CallbackTimeout(() => this.publishDue());
  }

  get count(): number {
    let count = 0;
    for (const lane of this.lanes) count += lane.ready;
    return count;
  }

  get logs(): readonly number[] {
    return this.lanes.filter(({ log }) => log !== NO_LOG).map(({ log }) => log);
  }

  add(exchange: string, message: Message, dueMs: number): void {
    const { turn } = this.store;
    const delayMs = dueMs - turn.nowMs;
    const index = message.persistent ? magnitude(delayMs) : LANES;
    const lane = this.lanes[index]!;
    message.publishedMs = turn.nowMs;
    turn.add(this.sets[index]!, message, { dueMs, exchange });
    const bytes = message.bodyEnd - message.bodyStart;
    const offset = lane.stored(bytes, message.persistent);
    lane.addDeadline(dueMs, offset, packMark(bytes, message.persistent));
    this.schedule(dueMs);
    turn.added();
  }

  cancel(id: number): Promise<boolean> {
    const lane = this.lanes[id % this.lanes.length]!;
    const offset = Math.floor(id / this.lanes.length);
    if (offset >= lane.tail || !lane.isWaiting(offset)) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.reads.fetch(lane, offset, (window) => {
        const waits = window !== null && lane.isWaiting(offset);
        if (waits) {
          const { message, envelopes } = this.store.context;
          window.read(message, envelopes);
          const bytes = message.bodyEnd - message.bodyStart;
          lane.settleWaiting(offset, packMark(bytes, message.persistent));
        }
        resolve(waits);
      });
    });
  }

  async list(visit: (delayed: DelayedMessage) => boolean): Promise<void> {
    let wanted = true;
    for (const [index, lane] of this.lanes.entries()) {
      if (!wanted) return;
      await this.reads.scan(lane, (window) => {
        const { message, envelopes } = this.store.context;
        window.read(message, envelopes);
        const id = window.offset * this.lanes.length + index;
        const { dueMs, delayedBy: exchange } = envelopes;
        wanted = visit({ id, dueMs, exchange, message });
        return wanted;
      });
    }
  }

  /** Finds the deadlines of what was stored. */
  async load(): Promise<void> {
    const { message, envelopes } = this.store.context;
    for (const lane of this.lanes) {
      await this.reads.scan(lane, (window) => {
        window.read(message, envelopes);
        const mark = packMark(message.bodyEnd - message.bodyStart, message.persistent);
        lane.addDeadline(envelopes.dueMs, window.offset, mark);
        return true;
      });
    }
  }

  start(): void {
    this.started = true;
    for (const { deadlines } of this.lanes) {
      if (deadlines !== null && deadlines.length > 0) this.schedule(deadlines.time);
    }
  }

  close(): void {
    this.closed = true;
    this.store.context.timers.cancel(this.timeout);
    this.reads.close();
  }

  /** Forgets everything. */
  drop(): void {
    this.close();
    for (const lane of this.lanes) this.store.removeGuest(lane);
  }

  /** Only fetches look at lanes here, and those are told themselves. */
  onReadable(): void {}

  onReadFailed(error: unknown): void {
    const { namespace } = this;
    this.logger.error('schedule.read-failed', 'delayed messages cannot be read', {
      namespace,
      error,
    });
  }

  onLost(from: number, to: number): void {
    const { namespace } = this;
    this.logger.error('schedule.messages-lost', 'delayed messages are damaged', {
      namespace,
      from,
      count: to - from,
    });
  }

  private schedule(timeMs: number): void {
    if (!this.started || this.closed || timeMs >= this.dueMs) return;
    this.dueMs = timeMs;
    const { timers, clock } = this.store.context;
    const delayMs = Math.max(0, timeMs - clock.wallMs());
    timers.start(this.timeout, Math.min(delayMs, TIMER_MAX_MS));
  }

  private publishDue(): void {
    this.dueMs = Infinity;
    const nowMs = this.store.context.clock.wallMs();
    let left = SLICE;
    for (const lane of this.lanes) {
      for (;;) {
        const { deadlines } = lane;
        if (deadlines === null || deadlines.length === 0) break;
        if (deadlines.time > nowMs || left === 0) {
          this.schedule(deadlines.time);
          break;
        }
        const { offset } = deadlines;
        deadlines.pop();
        left--;
        if (lane.isWaiting(offset)) this.publishOne(lane, offset);
      }
    }
  }

  /** Routes a message as if it were published now; that and its settlement are one commit. */
  private publishOne(lane: Lane, offset: number): void {
    this.reads.fetch(lane, offset, (window) => {
      if (this.closed || !lane.isWaiting(offset)) return;
      const { turn, context } = this.store;
      if (window === null) {
        this.onLost(offset, offset + 1);
        lane.settleWaiting(offset, 0);
        return;
      }
      turn.together(() => {
        const { message, envelopes } = context;
        window.read(message, envelopes);
        const mark = packMark(message.bodyEnd - message.bodyStart, message.persistent);
        this.store.publishDue(this.namespace, envelopes.delayedBy, message);
        lane.settleWaiting(offset, mark);
      });
    });
  }
}

function magnitude(delayMs: number): number {
  let index = 0;
  for (let limitMs = 1000; index < LANES - 1 && delayMs >= limitMs; limitMs *= 10) index++;
  return index;
}
