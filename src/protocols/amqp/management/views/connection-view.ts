import type { AmqpChannel } from '../../channel.ts';
import { objectOf, type PlainValue } from '../../codec/field-object.ts';
import type { AmqpConnection } from '../../connection.ts';
import type { Json } from '../json.ts';
import { isObject } from '../json.ts';
import type { Management } from '../management.ts';
import { channelName, consumerDetails } from './consumer-view.ts';

export function connectionRow(management: Management, connection: AmqpConnection): Json {
  const { connection: net } = connection;
  const properties = clientProperties(connection);
  const name = properties['connection_name'];
  return {
    auth_mechanism: connection.mechanism,
    channel_max: connection.channelMax,
    channels: connection.channels.size,
    client_properties: properties,
    connected_at: Math.round(net.openedAtMs),
    frame_max: connection.scanner.frameBytesMax,
    host: net.localAddress,
    name: connection.name,
    node: management.nodeName,
    peer_cert_issuer: null,
    peer_cert_subject: null,
    peer_cert_validity: null,
    peer_host: net.remoteAddress,
    peer_port: net.remotePort,
    port: net.localPort,
    protocol: 'AMQP 0-9-1',
    ...management.rates.stats(connection, 'octets', {
      recv_oct: net.bytesIn,
      send_oct: net.bytesOut,
    }),
    send_pend: net.outputPending,
    ssl: net.tls !== null,
    ssl_cipher: null,
    ssl_hash: null,
    ssl_key_exchange: null,
    ssl_protocol: null,
    state: connection.phase,
    timeout: connection.heartbeatSeconds,
    type: 'network',
    user: connection.user,
    user_provided_name: typeof name === 'string' ? name : null,
    user_who_performed_action: connection.user,
    vhost: connection.vhost,
  };
}

/** What the client told of itself, as JSON has it. */
export function clientProperties({ clientProperties: table }: AmqpConnection): Json {
  const plain = plainJson(objectOf(table));
  return isObject(plain) ? plain : {};
}

/** Bytes become text, integers beyond 2^53 decimal text. */
export function plainJson(value: PlainValue): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  if (Array.isArray(value)) return value.map((part: PlainValue) => plainJson(part));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Readonly<Record<string, PlainValue>>);
  return Object.fromEntries(entries.map(([name, part]) => [name, plainJson(part)]));
}

export function channelRow(management: Management, channel: AmqpChannel): Json {
  const { connection, transaction } = channel;
  return {
    acks_uncommitted: transaction?.settlements.length ?? 0,
    confirm: channel.confirms !== null,
    connection_details: {
      name: connection.name,
      peer_host: connection.connection.remoteAddress,
      peer_port: connection.connection.remotePort,
    },
    consumer_count: channel.consumers.size,
    global_prefetch_count: channel.globalPrefetch,
    message_stats: management.rates.stats(channel, 'message_stats', channelCounters(channel)),
    messages_unacknowledged: channel.unsettled.size,
    messages_uncommitted: transaction?.publishes.length ?? 0,
    messages_unconfirmed: channel.confirms?.pending ?? 0,
    name: channelName(channel),
    node: management.nodeName,
    number: channel.number,
    prefetch_count: channel.prefetch,
    state: channel.phase === 'open' ? 'running' : channel.phase,
    transactional: transaction !== null,
    user: connection.user,
    user_who_performed_action: connection.user,
    vhost: connection.vhost,
  };
}

export function channelDetail(management: Management, channel: AmqpChannel): Json {
  const { queues } = management;
  const { namespace } = channel.connection;
  const consumers = [...channel.consumers.values()].flatMap(({ id, queueName }) => {
    const queue = queues.byName(namespace, queueName);
    const consumer = queue?.consumers.find((one) => one.id === id);
    return queue === null || consumer === undefined
      ? []
      : [consumerDetails(management, queue, consumer)];
  });
  return {
    consumer_details: consumers,
    deliveries: [],
    publishes: [],
    ...channelRow(management, channel),
  };
}

function channelCounters(channel: AmqpChannel): Readonly<Record<string, number>> {
  const confirmed =
    channel.confirms === null ? 0 : channel.confirms.last - channel.confirms.pending;
  return {
    confirm: confirmed,
    publish: channel.published,
  };
}
