import type { QueueTotals, QueueView } from '../../../../core/queue-types.ts';
import { messageCounters } from './queue-view.ts';

/** What many queues have together. */
export interface QueueSums {
  readonly queues: number;
  readonly consumers: number;
  readonly ready: number;
  readonly unsettled: number;
  readonly counters: Readonly<Record<string, number>>;
}

export function sumQueues(all: Iterable<QueueView>): QueueSums {
  const totals: QueueTotals = {
    published: 0,
    deliveredAck: 0,
    deliveredNoAck: 0,
    gotAck: 0,
    gotNoAck: 0,
    gotEmpty: 0,
    redelivered: 0,
    acknowledged: 0,
    expired: 0,
    rejected: 0,
    droppedMaxLength: 0,
    deliveryLimited: 0,
    deduplicated: 0,
  };
  const names = Object.keys(totals) as (keyof QueueTotals)[]; // all of them, above
  let queues = 0;
  let consumers = 0;
  let ready = 0;
  let unsettled = 0;
  for (const queue of all) {
    queues++;
    consumers += queue.consumers.length;
    const { counts } = queue;
    ready += counts.ready;
    unsettled += counts.unsettled;
    for (const name of names) totals[name] += queue.totals[name];
  }
  return { queues, consumers, ready, unsettled, counters: messageCounters(totals) };
}
