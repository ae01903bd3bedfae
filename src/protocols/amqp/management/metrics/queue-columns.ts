import type { QueueCounts, QueueTotals, QueueView } from '../../../../core/queue-types.ts';
import { capacityOf } from '../views/queue-view.ts';
import type { Column } from './family.ts';

/** A queue at one moment: its counts are computed, so they are asked for once. */
export interface QueueMoment {
  readonly queue: QueueView;
  readonly counts: QueueCounts;
  readonly totals: QueueTotals;
}

export function momentOf(queue: QueueView): QueueMoment {
  return { queue, counts: queue.counts, totals: queue.totals };
}

type Row = readonly [
  group: string,
  name: string,
  help: string,
  value: (moment: QueueMoment) => number,
  onlyEach?: true,
];

const COARSE = 'queue_coarse_metrics';
const FINE = 'queue_metrics';
const DELIVERY = 'queue_delivery_metrics';
const none = (): number => 0;
const bytes = ({ counts }: QueueMoment): number => counts.readyBytes + counts.unsettledBytes;

const ROWS: readonly Row[] = [
  [COARSE, 'messages_ready', 'Messages that wait for a consumer.', ({ counts }) => counts.ready],
  [
    COARSE,
    'messages_unacked',
    'Messages delivered and not yet acknowledged.',
    ({ counts }) => counts.unsettled,
  ],
  [COARSE, 'messages', 'Messages, ready or not.', ({ counts }) => counts.ready + counts.unsettled],
  [COARSE, 'process_reductions_total', 'Nothing is counted here.', none],
  ['queue_consumer_count', 'consumers', 'Consumers.', ({ queue }) => queue.consumers.length],
  [
    FINE,
    'consumer_capacity',
    'Whether consumers could take more.',
    ({ queue }) => capacityOf(queue),
    true,
  ],
  [FINE, 'consumer_utilisation', 'The same.', ({ queue }) => capacityOf(queue), true],
  [FINE, 'process_memory_bytes', 'Memory of the queue.', ({ queue }) => queue.memoryBytes],
  [FINE, 'messages_ram', 'Messages that are in memory only because of the queue.', none],
  [FINE, 'messages_ram_bytes', 'Their bodies.', none],
  [FINE, 'messages_ready_ram', 'Of these, ready ones.', none],
  [FINE, 'messages_unacked_ram', 'Of these, ones not acknowledged.', none],
  [FINE, 'messages_persistent', 'Persistent messages.', ({ counts }) => counts.persistent],
  [
    FINE,
    'messages_persistent_bytes',
    'Bodies of persistent messages, as their share of all.',
    (moment) => {
      const { ready, unsettled, persistent } = moment.counts;
      const all = ready + unsettled;
      return all === 0 ? 0 : Math.round((bytes(moment) * persistent) / all);
    },
  ],
  [FINE, 'messages_bytes', 'Bodies of all messages.', bytes],
  [FINE, 'messages_ready_bytes', 'Bodies of ready messages.', ({ counts }) => counts.readyBytes],
  [
    FINE,
    'messages_unacked_bytes',
    'Bodies of messages not acknowledged.',
    ({ counts }) => counts.unsettledBytes,
  ],
  [FINE, 'messages_paged_out', 'Nothing is paged out.', none],
  [FINE, 'messages_paged_out_bytes', 'Nothing is paged out.', none],
  [
    FINE,
    'head_message_timestamp',
    'When the first ready message was published.',
    ({ queue }) =>
      queue.headPublishedMs === null ? NaN : Math.floor(queue.headPublishedMs / 1000),
    true,
  ],
  [FINE, 'disk_reads_total', 'Reads are counted for the whole broker.', none],
  [FINE, 'disk_writes_total', 'Writes are counted for the whole broker.', none],
  [FINE, 'messages_published_total', 'Messages routed to it.', ({ totals }) => totals.published],
  [DELIVERY, 'get_ack_total', 'Messages got, to be acknowledged.', ({ totals }) => totals.gotAck],
  [DELIVERY, 'get_total', 'Messages got and settled by it.', ({ totals }) => totals.gotNoAck],
  [
    DELIVERY,
    'messages_delivered_ack_total',
    'Messages delivered, to be acknowledged.',
    ({ totals }) => totals.deliveredAck,
  ],
  [
    DELIVERY,
    'messages_delivered_total',
    'Messages delivered and settled by it.',
    ({ totals }) => totals.deliveredNoAck,
  ],
  [
    DELIVERY,
    'messages_redelivered_total',
    'Deliveries of messages that had been delivered before.',
    ({ totals }) => totals.redelivered,
  ],
  [DELIVERY, 'messages_acked_total', 'Messages acknowledged.', ({ totals }) => totals.acknowledged],
  [DELIVERY, 'get_empty_total', 'Gets that found nothing.', ({ totals }) => totals.gotEmpty],
];

export const QUEUE_COLUMNS: readonly Column<QueueMoment>[] = ROWS.map(
  ([group, name, help, value, onlyEach]) => ({
    group,
    name: `queue_${name}`,
    help,
    value,
    ...(onlyEach === undefined ? {} : { onlyEach }),
  }),
);
