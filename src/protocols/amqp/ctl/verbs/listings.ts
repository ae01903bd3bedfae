import { findBindings } from '../../management/bindings-lookup.ts';
import { consumerDetails } from '../../management/views/consumer-view.ts';
import { exchangeRow } from '../../management/views/exchange-view.ts';
import { queueRow } from '../../management/views/queue-view.ts';
import { streamRow } from '../../management/views/stream-view.ts';
import { ChannelConsumer } from '../../consumer.ts';
import type { CtlCall, CtlReply, Verb } from '../verb.ts';
import { columnsFor } from './columns.ts';
import { namespaceIn } from './outcomes.ts';
import { channelPid, ownPid } from './pids.ts';

const QUEUE_COLUMNS = [
  'name',
  'durable',
  'auto_delete',
  'arguments',
  'policy',
  'operator_policy',
  'effective_policy_definition',
  'pid',
  'owner_pid',
  'exclusive',
  'exclusive_consumer_pid',
  'exclusive_consumer_tag',
  'messages_ready',
  'messages_unacknowledged',
  'messages',
  'messages_ready_ram',
  'messages_unacknowledged_ram',
  'messages_ram',
  'messages_persistent',
  'message_bytes',
  'message_bytes_ready',
  'message_bytes_unacknowledged',
  'message_bytes_ram',
  'message_bytes_persistent',
  'head_message_timestamp',
  'consumers',
  'consumer_capacity',
  'consumer_utilisation',
  'memory',
  'state',
  'type',
  'vhost',
  'leader',
  'members',
  'online',
  'slave_pids',
  'synchronised_slave_pids',
  'single_active_consumer_tag',
];
const EXCHANGE_COLUMNS = [
  'name',
  'type',
  'durable',
  'auto_delete',
  'internal',
  'arguments',
  'policy',
  'vhost',
];
const BINDING_COLUMNS = [
  'source_name',
  'source_kind',
  'destination_name',
  'destination_kind',
  'routing_key',
  'arguments',
];
const CONSUMER_COLUMNS = [
  'queue_name',
  'channel_pid',
  'consumer_tag',
  'ack_required',
  'prefetch_count',
  'active',
  'activity_status',
  'arguments',
];

/** Lists of what is in a virtual host. */
export const LISTING_VERBS: readonly Verb[] = [
  {
    name: 'list_queues',
    usage: '[--vhost <vhost>] [--online] [--offline] [--local] [--no-table-headers] [<column> ...]',
    arguments: { min: 0, max: 100 },
    run: listQueues,
  },
  {
    name: 'list_exchanges',
    usage: '[--vhost <vhost>] [--no-table-headers] [<column> ...]',
    arguments: { min: 0, max: 100 },
    run: listExchanges,
  },
  {
    name: 'list_bindings',
    usage: '[--vhost <vhost>] [--no-table-headers] [<column> ...]',
    arguments: { min: 0, max: 100 },
    run: listBindings,
  },
  {
    name: 'list_consumers',
    usage: '[--vhost <vhost>] [--no-table-headers] [<column> ...]',
    arguments: { min: 0, max: 100 },
    run: listConsumers,
  },
  {
    name: 'list_unresponsive_queues',
    usage: '[--vhost <vhost>]',
    arguments: { min: 0, max: 100 },
    // All of them answer, or none: there is one event loop.
    run: () => ({
      kind: 'table',
      banner: 'Listing unresponsive queues ...',
      columns: ['name'],
      rows: [],
    }),
  },
];

function listQueues(call: CtlCall): CtlReply {
  const { management, options } = call;
  const columns = columnsFor(call, { known: QUEUE_COLUMNS, usual: ['name', 'messages'] });
  const banner = `Timeout: ${Number(options.values.get('timeout') ?? 60).toFixed(1)} seconds ...\nListing queues for vhost ${options.vhost} ...`;
  const namespace = namespaceIn(call, banner);
  if (options.flags.has('offline')) return { kind: 'table', banner, columns, rows: [] };
  const pid = ownPid(call);
  const rows = [
    ...management.queuesIn(namespace).map((queue) => ({ ...queueRow(management, queue), pid })),
    ...management.streamsIn(namespace).map((topic) => ({ ...streamRow(management, topic), pid })),
  ];
  return { kind: 'table', banner, columns, rows };
}

function listExchanges(call: CtlCall): CtlReply {
  const { management, options } = call;
  const columns = columnsFor(call, { known: EXCHANGE_COLUMNS, usual: ['name', 'type'] });
  const banner = `Listing exchanges for vhost ${options.vhost} ...`;
  const namespace = namespaceIn(call, banner);
  const rows = management.router
    .exchanges(namespace)
    .map((exchange) => exchangeRow(management, exchange));
  return { kind: 'table', banner, columns, rows };
}

function listBindings(call: CtlCall): CtlReply {
  const columns = columnsFor(call, { known: BINDING_COLUMNS, usual: BINDING_COLUMNS });
  const banner = `Listing bindings for vhost ${call.options.vhost}...`;
  const namespace = namespaceIn(call, banner);
  const rows = findBindings(call.management, namespace).map((binding) => ({
    source_name: binding.source,
    source_kind: 'exchange',
    destination_name: binding.destination,
    destination_kind: binding.destinationKind === 'exchange' ? 'exchange' : 'queue',
    routing_key: binding.routingKey,
    arguments: binding.arguments,
  }));
  return { kind: 'table', banner, columns, rows };
}

function listConsumers(call: CtlCall): CtlReply {
  const { management } = call;
  const columns = columnsFor(call, {
    known: CONSUMER_COLUMNS,
    usual: CONSUMER_COLUMNS.filter((name) => name !== 'activity_status'),
  });
  const banner = `Listing consumers in vhost ${call.options.vhost} ...`;
  const namespace = namespaceIn(call, banner);
  const rows = management.queuesIn(namespace).flatMap((queue) =>
    queue.consumers.map((consumer) => ({
      ...consumerDetails(management, queue, consumer),
      queue_name: queue.name,
      channel_pid:
        consumer instanceof ChannelConsumer
          ? channelPid(call, consumer.channel.connection, consumer.channel.number)
          : ownPid(call),
    })),
  );
  return { kind: 'table', banner, columns, rows };
}
