import type { AmqpChannel } from '../../channel.ts';
import type { AmqpConnection } from '../../connection.ts';
import type { Column } from './family.ts';

const none = (): number => 0;

type ConnectionRow = readonly [string, string, (connection: AmqpConnection) => number];

const CONNECTION_ROWS: readonly ConnectionRow[] = [
  ['incoming_bytes_total', 'Bytes from the client.', ({ connection }) => connection.bytesIn],
  ['outgoing_bytes_total', 'Bytes to the client.', ({ connection }) => connection.bytesOut],
  ['process_reductions_total', 'Nothing is counted here.', none],
  ['incoming_packets_total', 'Packets are not counted.', none],
  ['outgoing_packets_total', 'Packets are not counted.', none],
  ['pending_packets', 'Bytes that wait to be sent.', ({ connection }) => connection.outputPending],
  ['channels', 'Channels open.', ({ channels }) => channels.size],
];

export const CONNECTION_COLUMNS: readonly Column<AmqpConnection>[] = CONNECTION_ROWS.map(
  ([name, help, value], i) => ({
    group: i < 3 ? 'connection_coarse_metrics' : 'connection_metrics',
    name: `connection_${name}`,
    help,
    value,
  }),
);

type ChannelRow = readonly [string, string, (channel: AmqpChannel) => number];

const CHANNEL_ROWS: readonly ChannelRow[] = [
  ['channel_consumers', 'Consumers.', ({ consumers }) => consumers.size],
  [
    'channel_messages_unacked',
    'Deliveries that wait for an acknowledgement.',
    ({ unsettled }) => unsettled.size,
  ],
  [
    'channel_messages_unconfirmed',
    'Publishes that wait for their confirm.',
    ({ confirms }) => confirms?.pending ?? 0,
  ],
  [
    'channel_messages_uncommitted',
    'Publishes of an open transaction.',
    ({ transaction }) => transaction?.publishes.length ?? 0,
  ],
  [
    'channel_acks_uncommitted',
    'Acknowledgements of an open transaction.',
    ({ transaction }) => transaction?.settlements.length ?? 0,
  ],
  ['consumer_prefetch', 'Prefetch of consumers to come.', ({ prefetch }) => prefetch],
  [
    'channel_prefetch',
    'Prefetch of all consumers together.',
    ({ globalPrefetch }) => globalPrefetch,
  ],
];

export const CHANNEL_COLUMNS: readonly Column<AmqpChannel>[] = CHANNEL_ROWS.map(
  ([name, help, value]) => ({ group: 'channel_metrics', name, help, value }),
);
