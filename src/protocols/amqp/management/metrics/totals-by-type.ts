import type { QueueTotals, QueueView } from '../../../../core/queue-types.ts';
import type { Management } from '../management.ts';
import { queueTypeOf } from '../views/queue-view.ts';

export type QueueType = 'classic' | 'quorum';
type Sums = { -readonly [Name in keyof QueueTotals]: number };

/**
 * What queues of each type have counted since the start, with those that are gone: counters must not fall when a queue
 * is deleted. Made when the broker starts.
 */
export class TotalsByType {
  private readonly management: Management;
  private readonly gone: Readonly<Record<QueueType, Sums>> = { classic: zero(), quorum: zero() };

  constructor(management: Management) {
    this.management = management;
    management.broker.events.on('queue-deleted', ({ queue }) => {
      add(this.gone[typeOf(queue)], queue.totals);
    });
  }

  now(): Readonly<Record<QueueType, Sums>> {
    const sums = { classic: { ...this.gone.classic }, quorum: { ...this.gone.quorum } };
    const { management } = this;
    for (const { name } of management.broker.namespaces.list()) {
      for (const queue of management.queuesIn(name)) add(sums[typeOf(queue)], queue.totals);
    }
    return sums;
  }
}

function typeOf(queue: QueueView): QueueType {
  return queueTypeOf(queue) === 'quorum' ? 'quorum' : 'classic';
}

function zero(): Sums {
  return {
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
}

const NAMES = Object.keys(zero()) as (keyof Sums)[]; // all of them, above

function add(sums: Sums, totals: QueueTotals): void {
  for (const name of NAMES) sums[name] += totals[name];
}
