import type { ComponentHealth, ConnectionInfo, LimitInfo, ListenerInfo } from '../admin/api.ts';
import { ADMIN_LIMITS } from '../admin/limits.ts';
import type { AdminPorts, TopicSettings } from '../admin/ports.ts';
import type { CoreBroker } from '../core/core-broker.ts';
import type { HttpServer } from '../net/http-server.ts';
import type { Listener } from '../net/listener.ts';
import type { Network } from '../net/network.ts';
import type { MetricsRegistry } from '../telemetry/metrics-registry.ts';
import type { ServerOptions } from './options.ts';

/** The parts of a running server that the admin interface shows. */
export interface ServerParts {
  readonly options: ServerOptions;
  readonly broker: CoreBroker;
  readonly topicSettings: TopicSettings;
  readonly network: Network;
  readonly metrics: MetricsRegistry;
  readonly listeners: readonly Listener[];
  readonly httpServers: readonly HttpServer[];
  readonly version: string;
  readonly startedAtMs: number;
  readonly command: AdminPorts['command'];
  readonly part: AdminPorts['part'];
  readonly stage: () => 'starting' | 'ready' | 'stopping';
}

/** What the admin interface sees of a server. */
export function adminPorts(parts: ServerParts): AdminPorts {
  const { options, broker, listeners } = parts;
  return {
    broker,
    topicSettings: parts.topicSettings,
    info: () => ({
      version: parts.version,
      clusterId: broker.clusterId,
      nodeId: broker.nodeId,
      pid: process.pid,
      nodeVersion: process.version,
      startedAt: new Date(parts.startedAtMs).toISOString(),
      uptimeMs: Date.now() - parts.startedAtMs,
      storage: {
        kind: options.storage.kind,
        path: options.storage.kind === 'disk' ? options.storage.path : null,
        durability: options.durability,
      },
      listeners: listenerInfos(parts),
    }),
    health: () => healthOf(parts),
    scrape: () => parts.metrics.scrape(),
    config: () => options.shownConfig.map((setting) => ({ ...setting, sensitive: false })),
    listeners: () => listenerInfos(parts),
    connections: () => listeners.flatMap(connectionInfos),
    closeConnection: (id) => closeConnection(listeners, id),
    limits: () => limitsOf(parts),
    command: parts.command,
    part: parts.part,
    traffic: () => ({
      bytesIn: listeners.reduce((sum, { stats }) => sum + stats.bytesIn, 0),
      bytesOut: listeners.reduce((sum, { stats }) => sum + stats.bytesOut, 0),
    }),
  };
}

function healthOf({ broker, stage }: ServerParts): ComponentHealth[] {
  const now = stage();
  const disk = broker.engine.diskState();
  return [
    {
      name: 'server',
      ok: now === 'ready',
      reason: now === 'ready' ? null : now,
    },
    {
      name: 'storage',
      ok: disk !== 'blocked',
      reason:
        disk === 'blocked' ? 'the disk is full: publishers of durable data are refused' : null,
    },
  ];
}

function listenerInfos({ listeners, httpServers }: ServerParts): ListenerInfo[] {
  return [
    ...listeners.map((listener) => ({
      name: listener.name,
      scheme: listener.scheme,
      host: listener.host,
      port: listener.port,
      tls: listener.secure,
      connections: listener.stats.open,
    })),
    ...httpServers.map((server) => ({
      name: server.name,
      scheme: server.scheme,
      host: server.host,
      port: server.port,
      tls: server.secure,
      connections: 0,
    })),
  ];
}

function connectionInfos(listener: Listener): ConnectionInfo[] {
  return Array.from(listener.connections, (connection) => ({
    id: connection.id,
    listener: connection.listener,
    remote: `${connection.remoteAddress}:${connection.remotePort}`,
    local: `${connection.localAddress}:${connection.localPort}`,
    tls: connection.tls !== null,
    openedAt: new Date(connection.openedAtMs).toISOString(),
    bytesIn: connection.bytesIn,
    bytesOut: connection.bytesOut,
    outputPending: connection.outputPending,
    congested: connection.congested,
  }));
}

function closeConnection(listeners: readonly Listener[], id: number): boolean {
  for (const { connections } of listeners) {
    for (const connection of connections) {
      if (connection.id !== id) continue;
      connection.destroy('handler');
      return true;
    }
  }
  return false;
}

function limitsOf({ options, broker, network, listeners }: ServerParts): LimitInfo[] {
  const { limits } = options;
  const limit = (
    name: string,
    value: number,
    facts: { readonly used?: number; readonly unit: string; readonly overflow: string },
  ): LimitInfo => ({
    name,
    limit: Number.isFinite(value) ? value : null,
    used: facts.used ?? null,
    unit: facts.unit,
    overflow: facts.overflow,
  });
  const refused = 'the new connection is closed';
  const closed = 'the connection is closed';
  return [
    ...listeners.map((listener) =>
      limit(`limits.connections_max (${listener.name})`, limits.connectionsMax, {
        used: listener.stats.open,
        unit: 'connections',
        overflow: refused,
      }),
    ),
    limit('limits.connections_per_ip_max', limits.connectionsPerIpMax, {
      unit: 'connections',
      overflow: refused,
    }),
    limit('limits.connections_per_second_max', limits.connectionsPerSecondMax, {
      unit: 'connections/s',
      overflow: refused,
    }),
    limit('limits.input_bytes_max', network.memory.heldBytesMax, {
      used: network.memory.heldBytes,
      unit: 'bytes',
      overflow: 'the connection that exceeds it is closed',
    }),
    limit('limits.output_high_bytes', limits.outputHighBytes, {
      unit: 'bytes',
      overflow: 'the peer is not read from until it drains',
    }),
    limit('limits.output_bytes_max', limits.outputBytesMax, { unit: 'bytes', overflow: closed }),
    limit('limits.idle_timeout', limits.idleTimeoutMs, { unit: 'ms', overflow: closed }),
    limit('limits.handshake_timeout', limits.handshakeTimeoutMs, { unit: 'ms', overflow: closed }),
    limit('admin.connections_max', ADMIN_LIMITS.connectionsMax, {
      unit: 'connections',
      overflow: refused,
    }),
    limit('admin.body_bytes_max', ADMIN_LIMITS.bodyBytesMax, {
      unit: 'bytes',
      overflow: 'the request is refused',
    }),
    ...broker.limits
      .list()
      .map(({ name, value, unit, overflow }) => limit(name, value, { unit, overflow })),
  ];
}
