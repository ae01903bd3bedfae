import type { Delivery } from '../queue-types.ts';
import { SEEK } from './lane-cursor.ts';
import { markBytes } from './lane-marks.ts';
import type { Queue } from './queue.ts';

interface Get {
  readonly noAck: boolean;
  readonly reply: (delivery: Delivery | null) => void;
}

/** Those who ask for one message: answered in order, at once unless the data is on disk. */
export class QueueGets {
  private readonly queue: Queue;
  private readonly waiting: Get[] = [];

  constructor(queue: Queue) {
    this.queue = queue;
  }

  get length(): number {
    return this.waiting.length;
  }

  add(options: { readonly noAck: boolean }, reply: Get['reply']): void {
    this.waiting.push({ noAck: options.noAck, reply });
    this.serve();
  }

  /** Answers who can be answered. */
  serve(): void {
    const { queue, waiting } = this;
    for (let next = waiting[0]; next !== undefined && !queue.gone; next = waiting[0]) {
      const lane = queue.firstReadyLane();
      const found = lane === null ? SEEK.lost : lane.head();
      if (found === SEEK.pending) return;
      if (lane === null || found === SEEK.lost) {
        waiting.shift();
        queue.totals.gotEmpty++;
        next.reply(null);
      } else if (!queue.expiry.dropIfExpired(lane)) {
        if (!lane.mayHandOut()) return;
        waiting.shift();
        this.answer(next);
      }
    }
  }

  /** The queue is gone: everybody gets nothing. */
  close(): void {
    for (const { reply } of this.waiting) reply(null);
    this.waiting.length = 0;
  }

  private answer({ noAck, reply }: Get): void {
    const { queue } = this;
    const lane = queue.firstReadyLane()!;
    const { message, envelopes } = queue.context;
    const { headReturned } = lane;
    lane.headWindow.read(message, envelopes);
    const offset = lane.handOut();
    const index = queue.lanes.indexOf(lane);
    const ref = offset * queue.lanes.length + index;
    const bytes = markBytes(lane.marks.get(offset));
    if (noAck) queue.totals.gotNoAck++;
    else queue.totals.gotAck++;
    const delivery = queue.describe(message, ref, bytes, headReturned, index);
    if (delivery.redelivered) queue.totals.redelivered++;
    reply(delivery);
    if (noAck && !queue.gone) lane.settle(offset);
  }
}
