import { REPLY_CODE } from '../../codec/generated/reply-codes.ts';
import type { AmqpChannel } from '../../channel.ts';
import type { AmqpConnection } from '../../connection.ts';
import { hasRole, maySee, visibleNamespaces } from '../access.ts';
import type { Call } from '../call.ts';
import { notFound } from '../http-error.ts';
import type { Json } from '../json.ts';
import { listing, single } from '../listing.ts';
import { NO_CONTENT, type Reply } from '../reply.ts';
import type { Route } from '../route.ts';
import { channelDetail, channelRow, connectionRow } from '../views/connection-view.ts';
import { channelName, consumerDetails } from '../views/consumer-view.ts';

const DEFAULT_REASON = 'Closed via management plugin';

export const CONNECTION_ROUTES: readonly Route[] = [
  { path: '/connections', GET: (call) => connectionList(call, visibleConnections(call)) },
  {
    path: '/vhosts/:vhost/connections',
    GET: (call) =>
      connectionList(
        call,
        visibleConnections(call).filter(({ namespace }) => namespace === call.namespace),
      ),
  },
  {
    path: '/connections/username/:user',
    GET: (call) => connectionList(call, ofUser(call)),
    DELETE: (call) => {
      for (const connection of ofUser(call)) close(call, connection);
      return NO_CONTENT;
    },
  },
  {
    path: '/connections/:connection',
    GET: (call) => single(call, connectionRow(call.management, namedConnection(call))),
    DELETE: (call) => {
      close(call, namedConnection(call));
      return NO_CONTENT;
    },
  },
  {
    path: '/connections/:connection/channels',
    GET: (call) => channelList(call, [...namedConnection(call).channels.values()]),
  },
  { path: '/channels', GET: (call) => channelList(call, visibleChannels(call)) },
  {
    path: '/vhosts/:vhost/channels',
    GET: (call) =>
      channelList(
        call,
        visibleChannels(call).filter(({ connection }) => connection.namespace === call.namespace),
      ),
  },
  {
    path: '/channels/:channel',
    GET: (call) => {
      const name = call.param('channel');
      const channel = visibleChannels(call).find((one) => channelName(one) === name);
      if (channel === undefined) throw notFound();
      return single(call, channelDetail(call.management, channel));
    },
  },
  { path: '/consumers', GET: consumers },
  { path: '/consumers/:vhost', GET: consumers },
];

/** Monitors see all connections, others their own. */
function visibleConnections({ management, user }: Call): readonly AmqpConnection[] {
  const all = [...management.connections()];
  if (hasRole(user, 'monitoring')) return all;
  return all.filter((connection) => connection.user === user.name);
}

function visibleChannels(call: Call): readonly AmqpChannel[] {
  return visibleConnections(call).flatMap(({ channels }) => [...channels.values()]);
}

function ofUser(call: Call): readonly AmqpConnection[] {
  const name = call.param('user');
  return visibleConnections(call).filter(({ user }) => user === name);
}

function connectionList(call: Call, connections: readonly AmqpConnection[]): Reply {
  return listing(call, connections, {
    name: ({ name }) => name,
    render: (connection) => connectionRow(call.management, connection),
  });
}

function channelList(call: Call, channels: readonly AmqpChannel[]): Reply {
  return listing(call, channels, {
    name: channelName,
    render: (channel) => channelRow(call.management, channel),
  });
}

function namedConnection(call: Call): AmqpConnection {
  const name = call.param('connection');
  const found = visibleConnections(call).find((connection) => connection.name === name);
  if (found === undefined) throw notFound();
  return found;
}

function close(call: Call, connection: AmqpConnection): void {
  const reason = call.header('x-reason') ?? DEFAULT_REASON;
  connection.close(REPLY_CODE.CONNECTION_FORCED, `CONNECTION_FORCED - ${reason}`);
}

function consumers(call: Call): Reply {
  const { management, user } = call;
  const all: Json[] = [];
  for (const namespace of visibleNamespaces(call)) {
    if (!maySee(management, user, namespace)) continue;
    for (const queue of management.queuesIn(namespace)) {
      for (const consumer of queue.consumers) {
        all.push(consumerDetails(management, queue, consumer));
      }
    }
  }
  return listing(call, all, {
    name: (row) => String(row['consumer_tag']),
    render: (row) => row,
  });
}
