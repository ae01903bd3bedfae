import type { AmqpConnection } from '../../connection.ts';
import { REPLY_CODE } from '../../codec/generated/reply-codes.ts';
import { channelRow, connectionRow } from '../../management/views/connection-view.ts';
import { namespaceOf } from '../../vhost.ts';
import { CTL_EXIT, CtlError, lines, type CtlCall, type CtlReply, type Verb } from '../verb.ts';
import { columnsFor } from './columns.ts';
import { channelPid, connectionPid, findConnection } from './pids.ts';

const CONNECTION_COLUMNS = [
  'pid',
  'name',
  'port',
  'host',
  'peer_port',
  'peer_host',
  'ssl',
  'ssl_protocol',
  'ssl_key_exchange',
  'ssl_cipher',
  'ssl_hash',
  'peer_cert_subject',
  'peer_cert_issuer',
  'peer_cert_validity',
  'state',
  'channels',
  'protocol',
  'auth_mechanism',
  'user',
  'vhost',
  'timeout',
  'frame_max',
  'channel_max',
  'client_properties',
  'connected_at',
  'recv_oct',
  'recv_cnt',
  'send_oct',
  'send_cnt',
  'send_pend',
];

const CHANNEL_COLUMNS = [
  'pid',
  'connection',
  'name',
  'number',
  'user',
  'vhost',
  'transactional',
  'confirm',
  'consumer_count',
  'messages_unacknowledged',
  'messages_uncommitted',
  'acks_uncommitted',
  'messages_unconfirmed',
  'prefetch_count',
  'global_prefetch_count',
];

export const CONNECTION_VERBS: readonly Verb[] = [
  {
    name: 'list_connections',
    usage: '[--no-table-headers] [<column> ...]',
    arguments: { min: 0, max: 100 },
    run: listConnections,
  },
  {
    name: 'list_channels',
    usage: '[--vhost <vhost>] [--no-table-headers] [<column> ...]',
    arguments: { min: 0, max: 100 },
    run: listChannels,
  },
  {
    name: 'close_connection',
    usage: '<connectionpid> <explanation>',
    arguments: { min: 2, max: 2 },
    run: (call) => {
      const [pid = '', reason = ''] = call.args;
      const banner = `Closing connection ${pid}, reason: ${reason}...`;
      const connection = findConnection(call, pid);
      // One that is gone is as good as closed.
      if (connection !== null) close(connection, reason);
      return lines(banner);
    },
  },
  {
    name: 'close_all_connections',
    usage: '[--vhost <vhost> --limit <limit>] [--global] <explanation>',
    arguments: { min: 1, max: 1 },
    run: (call) => {
      const [reason = ''] = call.args;
      const vhost = call.options.values.get('vhost');
      const isMeant = (connection: AmqpConnection): boolean =>
        vhost === undefined || connection.namespace === namespaceOf(vhost);
      const closed = closeAll(call, isMeant, reason);
      const where = vhost === undefined ? '' : ` in vhost ${vhost}`;
      return lines(`Closing all connections${where} (limit ${closed}), reason: ${reason}...`);
    },
  },
  {
    name: 'close_all_user_connections',
    usage: '<username> <explanation>',
    arguments: { min: 2, max: 2 },
    run: (call) => {
      const [user = '', reason = ''] = call.args;
      closeAll(call, (connection) => connection.user === user, reason);
      return lines(`Closing connections of user ${user}, reason: ${reason}...`);
    },
  },
];

function listConnections(call: CtlCall): CtlReply {
  const columns = columnsFor(call, {
    known: CONNECTION_COLUMNS,
    usual: ['user', 'peer_host', 'peer_port', 'state'],
  });
  const { management } = call;
  return {
    kind: 'table',
    banner: 'Listing connections ...',
    columns,
    rows: Array.from(management.connections(), (connection) => ({
      ...connectionRow(management, connection),
      pid: connectionPid(call, connection),
      protocol: '{0,9,1}',
    })),
  };
}

function listChannels(call: CtlCall): CtlReply {
  const columns = columnsFor(call, {
    known: CHANNEL_COLUMNS,
    usual: ['pid', 'user', 'consumer_count', 'messages_unacknowledged'],
  });
  const { management } = call;
  const rows = [...management.connections()].flatMap((connection) =>
    Array.from(connection.channels.values(), (channel) => ({
      ...channelRow(management, channel),
      pid: channelPid(call, connection, channel.number),
      connection: connectionPid(call, connection),
    })),
  );
  return { kind: 'table', banner: 'Listing channels ...', columns, rows };
}

function closeAll(
  { management, options }: CtlCall,
  isMeant: (connection: AmqpConnection) => boolean,
  reason: string,
): number {
  const limit = Number(options.values.get('limit') ?? 0);
  if (!Number.isSafeInteger(limit) || limit < 0) {
    throw new CtlError(CTL_EXIT.usage, 'Error (argument validation): invalid limit');
  }
  const meant = [...management.connections()].filter(isMeant);
  const closed = limit === 0 ? meant : meant.slice(0, limit);
  for (const connection of closed) close(connection, reason);
  return limit;
}

function close(connection: AmqpConnection, reason: string): void {
  connection.close(REPLY_CODE.CONNECTION_FORCED, `CONNECTION_FORCED - ${reason}`);
}
