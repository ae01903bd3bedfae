import type { MetricFamily } from '../../../../telemetry/metric-family.ts';
import { namespaceOf, vhostOf } from '../../vhost.ts';
import type { Management } from '../management.ts';
import { channelName } from '../views/consumer-view.ts';
import { memoryBreakdown } from '../views/node-view.ts';
import { CHANNEL_COLUMNS, CONNECTION_COLUMNS } from './client-columns.ts';
import { each, family, single, summed } from './family.ts';
import { globalFamilies } from './global-families.ts';
import { churn, identity, logins, nodeFamilies, resources } from './node-families.ts';
import { momentOf, QUEUE_COLUMNS, type QueueMoment } from './queue-columns.ts';
import type { TotalsByType } from './totals-by-type.ts';

const PREFIX = 'rabbitmq_';
const DETAILED = 'rabbitmq_detailed_';

/** GET /metrics: sums, whatever there is. */
export function* aggregated(management: Management, totals: TotalsByType): Iterable<MetricFamily> {
  yield* nodeFamilies(management, 'aggregated');
  yield* objectCounts(management);
  yield* summed(PREFIX, QUEUE_COLUMNS, moments(management, null));
  yield* clientCounters(management);
  yield* summed(PREFIX, CONNECTION_COLUMNS, management.connections());
  yield* summed(PREFIX, CHANNEL_COLUMNS, channels(management));
  yield* globalFamilies(management, totals);
}

/** GET /metrics/per-object: each queue, channel and connection. */
export function* perObject(management: Management, totals: TotalsByType): Iterable<MetricFamily> {
  yield* nodeFamilies(management, 'per-object');
  yield* objectCounts(management);
  yield* queueFamilies(management, PREFIX, null, null);
  yield* clientCounters(management);
  yield* connectionFamilies(management, PREFIX, null);
  yield* channelFamilies(management, PREFIX, null);
  yield* globalFamilies(management, totals);
}

/** GET /metrics/detailed: the families that were asked for, of the virtual hosts that were asked for. */
export function* detailed(
  management: Management,
  asked: { readonly groups: ReadonlySet<string>; readonly vhosts: readonly string[] },
): Iterable<MetricFamily> {
  const { groups, vhosts } = asked;
  const namespaces = vhosts.length === 0 ? null : new Set(vhosts.map(namespaceOf));
  yield* identity(management, 'detailed');
  if (groups.has('node_metrics') || groups.has('node_coarse_metrics')) yield* resources(management);
  if (groups.has('connection_churn_metrics')) yield* churn(management);
  if (groups.has('auth_attempt_metrics')) yield* logins(management);
  yield* queueFamilies(management, DETAILED, namespaces, groups);
  yield* connectionFamilies(management, DETAILED, groups);
  yield* channelFamilies(management, DETAILED, groups);
  if (groups.has('vhost_status')) yield vhostStatus(management, namespaces);
  if (groups.has('exchange_names') || groups.has('exchange_bindings')) {
    yield* exchangeFamilies(management, namespaces, groups);
  }
}

/** GET /metrics/memory-breakdown */
export function* memoryFamilies(management: Management): Iterable<MetricFamily> {
  yield* identity(management, 'memory_breakdown');
  for (const [name, value] of Object.entries(memoryBreakdown(management))) {
    if (typeof value !== 'number') continue;
    yield single(`rabbitmq_memory_${name}_bytes`, 'Memory, by what it is for.', value);
  }
}

function* objectCounts(management: Management): Iterable<MetricFamily> {
  let connections = 0;
  let channelCount = 0;
  for (const connection of management.connections()) {
    connections++;
    channelCount += connection.channels.size;
  }
  let queues = 0;
  let consumers = 0;
  for (const namespace of namespaceNames(management, null)) {
    for (const queue of management.queuesIn(namespace)) {
      queues++;
      consumers += queue.consumers.length;
    }
    queues += management.streamsIn(namespace).length;
  }
  yield single('rabbitmq_connections', 'Connections open.', connections);
  yield single('rabbitmq_channels', 'Channels open.', channelCount);
  yield single('rabbitmq_consumers', 'Consumers of queues.', consumers);
  yield single('rabbitmq_queues', 'Queues and streams.', queues);
}

/** What the front-end counts for all channels together. */
function* clientCounters({ services }: Management): Iterable<MetricFamily> {
  const { counters } = services;
  const rows: readonly (readonly [string, string, number])[] = [
    ['messages_published', 'Messages published.', counters.published],
    ['messages_confirmed', 'Messages confirmed.', counters.confirmed],
    ['messages_unroutable_returned', 'Unroutable messages returned.', counters.returned],
    [
      'messages_unroutable_dropped',
      'Unroutable messages dropped.',
      counters.unroutable - counters.returned,
    ],
    ['get_ack', 'Messages got, to be acknowledged.', counters.got],
    ['get', 'Messages got and settled by it.', counters.gotNoAck],
    ['get_empty', 'Gets that found nothing.', counters.gotEmpty],
    ['messages_delivered_ack', 'Messages delivered, to be acknowledged.', counters.delivered],
    ['messages_delivered', 'Messages delivered and settled by it.', counters.deliveredNoAck],
    ['messages_redelivered', 'Deliveries of messages delivered before.', counters.redelivered],
    ['messages_acked', 'Messages acknowledged.', counters.acknowledged],
    ['process_reductions', 'Nothing is counted here.', 0],
  ];
  for (const [name, help, value] of rows) {
    yield single(`rabbitmq_channel_${name}_total`, help, value);
  }
}

function namespaceNames(
  { broker }: Management,
  wanted: ReadonlySet<string> | null,
): readonly string[] {
  const all = broker.namespaces.list().map(({ name }) => name);
  return wanted === null ? all : all.filter((name) => wanted.has(name));
}

function* moments(
  management: Management,
  wanted: ReadonlySet<string> | null,
): Iterable<QueueMoment> {
  for (const namespace of namespaceNames(management, wanted)) {
    for (const queue of management.queuesIn(namespace)) yield momentOf(queue);
  }
}

function* channels(management: Management) {
  for (const connection of management.connections()) yield* connection.channels.values();
}

function columnsIn<T extends { readonly group: string }>(
  columns: readonly T[],
  groups: ReadonlySet<string> | null,
): readonly T[] {
  return groups === null ? columns : columns.filter(({ group }) => groups.has(group));
}

function* queueFamilies(
  management: Management,
  prefix: string,
  namespaces: ReadonlySet<string> | null,
  groups: ReadonlySet<string> | null,
): Iterable<MetricFamily> {
  const columns = columnsIn(QUEUE_COLUMNS, groups);
  if (columns.length === 0) return;
  const objects = Array.from(moments(management, namespaces), (object) => ({
    labels: { vhost: vhostOf(object.queue.namespace), queue: object.queue.name },
    object,
  }));
  yield* each(prefix, columns, objects);
}

function* connectionFamilies(
  management: Management,
  prefix: string,
  groups: ReadonlySet<string> | null,
): Iterable<MetricFamily> {
  const columns = columnsIn(CONNECTION_COLUMNS, groups);
  if (columns.length === 0) return;
  const objects = Array.from(management.connections(), (object) => ({
    labels: { connection: object.name },
    object,
  }));
  yield* each(prefix, columns, objects);
}

function* channelFamilies(
  management: Management,
  prefix: string,
  groups: ReadonlySet<string> | null,
): Iterable<MetricFamily> {
  const columns = columnsIn(CHANNEL_COLUMNS, groups);
  if (columns.length === 0) return;
  const objects = Array.from(channels(management), (object) => ({
    labels: { channel: channelName(object) },
    object,
  }));
  yield* each(prefix, columns, objects);
}

function vhostStatus(management: Management, wanted: ReadonlySet<string> | null): MetricFamily {
  return family(
    'rabbitmq_cluster_vhost_status',
    '1 for each virtual host.',
    namespaceNames(management, wanted).map((name) => ({
      labels: { vhost: vhostOf(name) },
      value: 1,
    })),
  );
}

function* exchangeFamilies(
  management: Management,
  wanted: ReadonlySet<string> | null,
  groups: ReadonlySet<string>,
): Iterable<MetricFamily> {
  const { router } = management;
  const all = namespaceNames(management, wanted).flatMap((name) => router.exchanges(name));
  const samples = (value: (exchange: (typeof all)[number]) => number) =>
    all.map((exchange) => ({
      labels: {
        vhost: vhostOf(exchange.namespace),
        exchange: exchange.name,
        type: exchange.type,
      },
      value: value(exchange),
    }));
  if (groups.has('exchange_names')) {
    yield family(
      'rabbitmq_cluster_exchange_name',
      '1 for each exchange.',
      samples(() => 1),
    );
  }
  if (groups.has('exchange_bindings')) {
    yield family(
      'rabbitmq_cluster_exchange_bindings',
      'Bindings of each exchange.',
      samples(({ namespace, name }) => router.bindings(namespace, { source: name }).length),
    );
  }
}
