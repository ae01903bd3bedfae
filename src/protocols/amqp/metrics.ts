import type { MetricFamily } from '../../net/protocol.ts';
import type { AmqpFrontend } from './frontend.ts';

/** What the front-end itself counts, in Lyrebird's own names; RabbitMQ's names are served by management/. */
export function* amqpMetrics({ connections, services }: AmqpFrontend): Iterable<MetricFamily> {
  const { counters } = services;
  let channels = 0;
  let consumers = 0;
  let unsettled = 0;
  let unconfirmed = 0;
  for (const connection of connections) {
    channels += connection.channels.size;
    for (const channel of connection.channels.values()) {
      consumers += channel.consumers.size;
      unsettled += channel.unsettled.size;
      unconfirmed += channel.confirms?.pending ?? 0;
    }
  }
  yield family('gauge', 'connections', 'Clients connected.', connections.size);
  yield family('gauge', 'channels', 'Channels open.', channels);
  yield family('gauge', 'consumers', 'Consumers of all channels.', consumers);
  yield family(
    'gauge',
    'unacknowledged',
    'Deliveries that wait for an acknowledgement.',
    unsettled,
  );
  yield family('gauge', 'unconfirmed', 'Publishes that wait for their confirm.', unconfirmed);
  yield family('counter', 'published_total', 'Messages published.', counters.published);
  yield family('counter', 'confirmed_total', 'Publishes confirmed.', counters.confirmed);
  yield family('counter', 'returned_total', 'Mandatory messages returned.', counters.returned);
  yield family('counter', 'unroutable_total', 'Messages that no queue took.', counters.unroutable);
  yield family(
    'counter',
    'delivered_total',
    'Messages delivered to consumers.',
    counters.delivered + counters.deliveredNoAck,
  );
  yield family(
    'counter',
    'got_total',
    'Messages got one by one.',
    counters.got + counters.gotNoAck,
  );
  yield family('counter', 'acknowledged_total', 'Deliveries acknowledged.', counters.acknowledged);
}

function family(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  value: number,
): MetricFamily {
  return { name: `lyrebird_amqp_${name}`, help, type, samples: [{ labels: {}, value }] };
}
