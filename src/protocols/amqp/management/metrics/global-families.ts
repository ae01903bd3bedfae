import type { MetricFamily, MetricSample } from '../../../../telemetry/metric-family.ts';
import type { Management } from '../management.ts';
import { family, single } from './family.ts';
import type { QueueType, TotalsByType } from './totals-by-type.ts';

const PROTOCOL = { protocol: 'amqp091' } as const;
const PREFIX = 'rabbitmq_global_';

/** Counters of the whole broker, by protocol and type of queue. */
export function* globalFamilies(
  management: Management,
  totals: TotalsByType,
): Iterable<MetricFamily> {
  const { counters } = management.services;
  const named = (name: string, help: string, value: number): MetricFamily =>
    single(PREFIX + name, help, value, PROTOCOL);
  yield named('messages_received_total', 'Messages published.', counters.published);
  yield named(
    'messages_received_confirm_total',
    'Messages published that wait for a confirm.',
    counters.publishedConfirm,
  );
  yield named('messages_confirmed_total', 'Messages confirmed.', counters.confirmed);
  yield named(
    'messages_routed_total',
    'Messages that a queue or stream took.',
    counters.published - counters.unroutable,
  );
  yield named(
    'messages_unroutable_dropped_total',
    'Messages that nobody took, and were dropped.',
    counters.unroutable - counters.returned,
  );
  yield named(
    'messages_unroutable_returned_total',
    'Messages that nobody took, and were returned.',
    counters.returned,
  );
  yield* clients(management);
  yield* deliveries(management, totals);
  yield* deadLetters(totals);
  const { sizes } = counters;
  const labels = PROTOCOL;
  yield {
    name: 'rabbitmq_message_size_bytes',
    help: 'Sizes of bodies published.',
    type: 'histogram',
    samples: sizes.samples(labels),
  };
}

function* clients(management: Management): Iterable<MetricFamily> {
  let publishers = 0;
  let consumers = 0;
  for (const { channels } of management.connections()) {
    for (const channel of channels.values()) {
      if (channel.published > 0) publishers++;
      consumers += channel.consumers.size;
    }
  }
  yield single(`${PREFIX}publishers`, 'Channels that have published.', publishers, PROTOCOL);
  yield single(`${PREFIX}consumers`, 'Consumers.', consumers, PROTOCOL);
}

function* deliveries(management: Management, totals: TotalsByType): Iterable<MetricFamily> {
  const { counters } = management.services;
  const now = totals.now();
  type Sums = (typeof now)[QueueType];
  /** What streams delivered is what the front-end delivered beyond queues. */
  const byType = (
    name: string,
    help: string,
    value: (sums: Sums) => number,
    all: number | null = null,
  ): MetricFamily => {
    const classic = value(now.classic);
    const quorum = value(now.quorum);
    const stream = all === null ? 0 : Math.max(0, all - classic - quorum);
    return family(`${PREFIX}${name}`, help, [
      typed('classic', classic),
      typed('quorum', quorum),
      typed('stream', stream),
    ]);
  };
  yield byType(
    'messages_delivered_total',
    'Messages delivered or got.',
    (s) => s.deliveredAck + s.deliveredNoAck + s.gotAck + s.gotNoAck,
    counters.delivered + counters.deliveredNoAck + counters.got + counters.gotNoAck,
  );
  yield byType(
    'messages_delivered_consume_manual_ack_total',
    'Messages delivered, to be acknowledged.',
    (s) => s.deliveredAck,
    counters.delivered,
  );
  yield byType(
    'messages_delivered_consume_auto_ack_total',
    'Messages delivered and settled by it.',
    (s) => s.deliveredNoAck,
  );
  yield byType(
    'messages_delivered_get_manual_ack_total',
    'Messages got, to be acknowledged.',
    (s) => s.gotAck,
  );
  yield byType(
    'messages_delivered_get_auto_ack_total',
    'Messages got and settled by it.',
    (s) => s.gotNoAck,
  );
  yield byType('messages_get_empty_total', 'Gets that found nothing.', (s) => s.gotEmpty);
  yield byType(
    'messages_redelivered_total',
    'Deliveries of messages delivered before.',
    (s) => s.redelivered,
  );
  yield byType(
    'messages_acknowledged_total',
    'Messages acknowledged.',
    (s) => s.acknowledged,
    counters.acknowledged,
  );
}

function typed(type: QueueType | 'stream', value: number): MetricSample {
  return { labels: { ...PROTOCOL, queue_type: `rabbit_${type}_queue` }, value };
}

/** Given up for each reason; whether another queue took them is not told apart. */
function* deadLetters(totals: TotalsByType): Iterable<MetricFamily> {
  const { classic, quorum } = totals.now();
  const reasons = [
    ['expired', 'Messages given up because their time was over.', 'expired'],
    ['rejected', 'Messages given up because a consumer rejected them.', 'rejected'],
    ['maxlen', 'Messages given up because their queue was full.', 'droppedMaxLength'],
    ['delivery_limit', 'Messages given up because they came back too often.', 'deliveryLimited'],
  ] as const;
  for (const [reason, help, name] of reasons) {
    yield family(`${PREFIX}messages_dead_lettered_${reason}_total`, help, [
      deadLettered('classic', 'at_most_once', classic[name]),
      deadLettered('quorum', 'at_least_once', quorum[name]),
    ]);
  }
  yield family(
    `${PREFIX}messages_dead_lettered_confirmed_total`,
    'Dead letters that a queue took: all of them, they move in one commit.',
    [
      deadLettered(
        'quorum',
        'at_least_once',
        quorum.expired + quorum.rejected + quorum.droppedMaxLength + quorum.deliveryLimited,
      ),
    ],
  );
}

function deadLettered(type: QueueType, strategy: string, value: number): MetricSample {
  return {
    labels: { queue_type: `rabbit_${type}_queue`, dead_letter_strategy: strategy },
    value,
  };
}
