import type { QueueConsumer, QueueView } from '../../../../core/queue-types.ts';
import type { AmqpChannel } from '../../channel.ts';
import { ChannelConsumer } from '../../consumer.ts';
import { vhostOf } from '../../vhost.ts';
import type { Json } from '../json.ts';
import type { Management } from '../management.ts';

/** A consumer of a queue, of whatever protocol. */
export function consumerDetails(
  management: Management,
  queue: QueueView,
  consumer: QueueConsumer,
): Json {
  const channel = consumer instanceof ChannelConsumer ? consumer.channel : null;
  const isActive = !queue.settings.singleActiveConsumer || queue.activeConsumer === consumer;
  return {
    ack_required: !consumer.noAck,
    active: isActive,
    activity_status: isActive
      ? queue.settings.singleActiveConsumer
        ? 'single_active'
        : 'up'
      : 'waiting',
    arguments: consumer.priority === 0 ? {} : { 'x-priority': consumer.priority },
    channel_details: channel === null ? {} : channelDetails(management, channel),
    consumer_tag: consumer.id,
    exclusive: consumer.exclusive,
    prefetch_count: consumer instanceof ChannelConsumer ? consumer.prefetch : 0,
    queue: { name: queue.name, vhost: vhostOf(queue.namespace) },
  };
}

export function channelName({ connection, number }: AmqpChannel): string {
  return `${connection.name} (${number})`;
}

function channelDetails({ nodeName }: Management, channel: AmqpChannel): Json {
  const { connection } = channel;
  return {
    connection_name: connection.name,
    name: channelName(channel),
    node: nodeName,
    number: channel.number,
    peer_host: connection.connection.remoteAddress,
    peer_port: connection.connection.remotePort,
    user: connection.user,
  };
}
