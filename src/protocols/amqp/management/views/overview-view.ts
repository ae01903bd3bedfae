import type { QueueView } from '../../../../core/queue-types.ts';
import type { Json } from '../json.ts';
import type { Management } from '../management.ts';
import { exchangeTypes } from './node-view.ts';
import { sumQueues } from './sums.ts';

/** Deleted queues take their counters with them, so those of the whole broker are the front-end's. */
function brokerCounters({ services }: Management): Readonly<Record<string, number>> {
  const { counters } = services;
  const { delivered, deliveredNoAck, got, gotNoAck } = counters;
  return {
    ack: counters.acknowledged,
    confirm: counters.confirmed,
    deliver: delivered,
    deliver_get: delivered + deliveredNoAck + got + gotNoAck,
    deliver_no_ack: deliveredNoAck,
    drop_unroutable: counters.unroutable - counters.returned,
    get: got,
    get_empty: counters.gotEmpty,
    get_no_ack: gotNoAck,
    publish: counters.published,
    redeliver: counters.redelivered,
    return_unroutable: counters.returned,
  };
}

/** Everything about the broker that the user may see, in one answer. */
export function overview(management: Management, namespaces: readonly string[]): Json {
  const { services, rates, broker, router, nodeName, announcedVersion } = management;
  const { counters } = services;
  const sums = sumQueues(queuesOf(management, namespaces));
  const visible = new Set(namespaces);
  let connections = 0;
  let channels = 0;
  for (const connection of management.connections()) {
    if (!visible.has(connection.namespace)) continue;
    connections++;
    channels += connection.channels.size;
  }
  let exchanges = 0;
  for (const namespace of namespaces) exchanges += router.exchanges(namespace).length;
  return {
    management_version: announcedVersion,
    rates_mode: 'basic',
    sample_retention_policies: { global: [600], basic: [600], detailed: [600] },
    exchange_types: exchangeTypes(),
    product_version: announcedVersion,
    product_name: 'RabbitMQ',
    rabbitmq_version: announcedVersion,
    cluster_name: management.clusterName,
    cluster_tags: {},
    node_tags: {},
    default_queue_type: 'classic',
    erlang_version: `node ${process.versions.node}`,
    erlang_full_version: `Lyrebird ${management.ports.version} on Node.js ${process.versions.node}`,
    release_series_support_status: 'supported',
    disable_stats: false,
    is_op_policy_updating_enabled: true,
    enable_queue_totals: false,
    message_stats: rates.stats(services, 'message_stats', brokerCounters(management)),
    churn_rates: rates.stats(services, 'churn', {
      channel_closed: counters.channelsClosed,
      channel_created: counters.channelsOpened,
      connection_closed: counters.connectionsClosed,
      connection_created: counters.connectionsOpened,
      queue_created: counters.queuesCreated,
      queue_declared: counters.queuesDeclared,
      queue_deleted: counters.queuesDeleted,
    }),
    queue_totals: rates.stats(services, 'queue_totals', {
      messages: sums.ready + sums.unsettled,
      messages_ready: sums.ready,
      messages_unacknowledged: sums.unsettled,
    }),
    object_totals: {
      channels,
      connections,
      consumers: sums.consumers,
      exchanges,
      queues: sums.queues,
    },
    statistics_db_event_queue: 0,
    node: nodeName,
    listeners: listenerRows(management),
    contexts: contextRows(management),
    cluster_id: broker.clusterId,
  };
}

export function* queuesOf(
  management: Management,
  namespaces: readonly string[],
): Iterable<QueueView> {
  for (const namespace of namespaces) yield* management.queuesIn(namespace);
}

export function listenerRows({ ports, nodeName }: Management): readonly Json[] {
  return ports.listeners().map(({ protocol, address, port }) => ({
    node: nodeName,
    protocol,
    ip_address: address,
    port,
    socket_opts: { nodelay: true },
  }));
}

function contextRows({ ports, nodeName }: Management): readonly Json[] {
  return ports
    .listeners()
    .filter(({ protocol }) => protocol.startsWith('http'))
    .map(({ protocol, address, port, tls }) => ({
      ssl_opts: [],
      node: nodeName,
      description: protocol === 'http/prometheus' ? 'RabbitMQ Prometheus' : 'RabbitMQ Management',
      path: '/',
      ip: address,
      port: String(port),
      ...(tls ? { ssl: 'true' } : {}),
    }));
}
