import { SystemClock, type Clock } from '../base/clock.ts';
import { silentLogger, type Logger } from '../telemetry/logger.ts';
import { DEFAULT_LISTENER_LIMITS, type ConnectionLimits } from './limits.ts';
import { MEMORY_WIRE_INFO, MemoryWire } from './memory-wire.ts';
import { ListenerStats } from './net-stats.ts';
import { Network } from './network.ts';
import { PeerConnection } from './peer-connection.ts';
import type { Connection, ConnectionHandler } from './types.ts';

/** A connection whose peer is the caller. */
export interface MemoryPeer {
  readonly connection: PeerConnection;
  readonly wire: MemoryWire;
  readonly stats: ListenerStats;
  readonly network: Network;
}

/** Connects a handler to memory: how protocols and this folder test without sockets. */
export function connectInMemory(
  accept: (connection: Connection) => ConnectionHandler,
  options: {
    readonly limits?: Partial<ConnectionLimits>;
    readonly network?: Network;
    readonly clock?: Clock;
    readonly logger?: Logger;
  } = {},
): MemoryPeer {
  const network = options.network ?? new Network();
  const stats = new ListenerStats();
  const connection = new PeerConnection({
    id: network.nextConnectionId(),
    listener: 'memory',
    info: MEMORY_WIRE_INFO,
    limits: { ...DEFAULT_LISTENER_LIMITS, ...options.limits },
    memory: network.memory,
    scheduler: network.scheduler,
    stats,
    clock: options.clock ?? new SystemClock(),
    logger: options.logger ?? silentLogger,
    onClosed: () => {},
  });
  const wire = new MemoryWire(connection);
  connection.start(wire, accept);
  return { connection, wire, stats, network };
}
