import { readdirSync, statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import type { Json } from '../json.ts';
import type { Management } from '../management.ts';

export const EXCHANGE_TYPES: readonly (readonly [name: string, description: string])[] = [
  ['direct', 'AMQP direct exchange, as per the AMQP specification'],
  ['fanout', 'AMQP fanout exchange, as per the AMQP specification'],
  ['headers', 'AMQP headers exchange, as per the AMQP specification'],
  ['topic', 'AMQP topic exchange, as per the AMQP specification'],
  ['x-consistent-hash', 'Consistent hashing exchange'],
  ['x-delayed-message', 'Delayed message exchange'],
  ['x-modulus-hash', 'Modulus hashing exchange'],
  ['x-random', 'Picks one of its bindings at random'],
  ['x-local-random', 'Picks one of its bindings at random'],
  ['x-recent-history', 'Gives the latest messages to new bindings'],
];

export function exchangeTypes(): readonly Json[] {
  return EXCHANGE_TYPES.map(([name, description]) => ({ name, description, enabled: true }));
}

/** What the machine and the process have, as RabbitMQ counts it. */
export interface NodeFacts {
  readonly openFiles: number;
  readonly filesMax: number;
  readonly sockets: number;
  readonly residentBytes: number;
  readonly memoryBytesMax: number;
  readonly diskFreeBytes: number;
  readonly diskFreeBytesMin: number;
  readonly processors: number;
}

const FILES_MAX = 1_048_576;
/** RabbitMQ's usual share of the machine's memory. */
const MEMORY_SHARE = 0.6;
const DISK_FREE_BYTES_MIN = 50_000_000;

export function nodeFacts(management: Management): NodeFacts {
  const { diskFreeBytes } = management.broker.engine.stats();
  return {
    openFiles: countOpenFiles(),
    filesMax: FILES_MAX,
    sockets: management.ports.frontend.connections.size,
    residentBytes: process.memoryUsage.rss(),
    memoryBytesMax: Math.floor(totalmem() * MEMORY_SHARE),
    diskFreeBytes: diskFreeBytes > 0 ? diskFreeBytes : freeBytesHere(),
    diskFreeBytesMin: DISK_FREE_BYTES_MIN,
    processors: availableParallelism(),
  };
}

/** 0 where the system does not list them. */
function countOpenFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

/** Of the working folder: for brokers that keep everything in memory. */
function freeBytesHere(): number {
  try {
    const { bavail, bsize } = statfsSync('.');
    return bavail * bsize;
  } catch {
    return 0;
  }
}

/** Which resources are short: RabbitMQ's alarms. */
export function alarms({ queues, broker }: Management): {
  readonly memory: boolean;
  readonly disk: boolean;
} {
  const { blockedReason } = queues;
  return {
    memory: blockedReason === 'memory',
    disk: blockedReason === 'disk' || broker.engine.diskState() === 'blocked',
  };
}

export function nodeRow(management: Management): Json {
  const { broker, ports, rates, services, nodeName } = management;
  const facts = nodeFacts(management);
  const alarm = alarms(management);
  const { counters } = services;
  const stats = broker.engine.stats();
  return {
    applications: [
      { name: 'lyrebird', description: 'Lyrebird', version: ports.version },
      { name: 'rabbit', description: 'RabbitMQ', version: management.announcedVersion },
    ],
    auth_mechanisms: mechanisms(management),
    being_drained: false,
    cluster_links: [],
    config_files: [],
    contexts: [],
    db_dir: ports.dataFolder,
    disk_free: facts.diskFreeBytes,
    disk_free_alarm: alarm.disk,
    disk_free_limit: facts.diskFreeBytesMin,
    enabled_plugins: ['rabbitmq_management', 'rabbitmq_prometheus'],
    exchange_types: exchangeTypes(),
    fd_total: facts.filesMax,
    fd_used: facts.openFiles,
    log_files: ['<stdout>'],
    mem_alarm: alarm.memory,
    mem_limit: facts.memoryBytesMax,
    mem_used: facts.residentBytes,
    metrics_gc_queue_length: {},
    name: nodeName,
    net_ticktime: 60,
    os_pid: String(process.pid),
    partitions: [],
    proc_total: 1_048_576,
    proc_used: stats.logs,
    processors: facts.processors,
    rates_mode: 'basic',
    run_queue: 0,
    running: true,
    sockets_total: facts.filesMax,
    sockets_used: facts.sockets,
    type: 'disc',
    uptime: Math.round(broker.clock.wallMs() - ports.startedAtMs),
    ...rates.stats(management, 'node', {
      channel_closed: counters.channelsClosed,
      channel_created: counters.channelsOpened,
      connection_closed: counters.connectionsClosed,
      connection_created: counters.connectionsOpened,
      io_sync_count: stats.syncs,
      io_write_bytes: stats.appendedBytes,
      io_write_count: stats.groups,
    }),
  };
}

function mechanisms({ broker }: Management): readonly Json[] {
  const peer = { protocol: 'http', address: '127.0.0.1' };
  const offered = broker.security.mechanisms.offered(peer);
  return offered.map((name) => ({ name, description: `SASL ${name}`, enabled: true }));
}

/** Where the process's memory is, in the words of RabbitMQ; what it has no word for is under other_system. */
export function memoryBreakdown(management: Management): Json {
  const { broker } = management;
  const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
  let queueBytes = 0;
  for (const { name } of broker.namespaces.list()) {
    for (const queue of management.queuesIn(name)) queueBytes += queue.memoryBytes;
  }
  const { cacheBytes, indexBytes } = broker.engine.stats();
  return {
    connection_readers: 0,
    connection_writers: 0,
    connection_channels: 0,
    connection_other: 0,
    queue_procs: queueBytes,
    queue_slave_procs: 0,
    quorum_queue_procs: 0,
    quorum_queue_dlx_procs: 0,
    stream_queue_procs: 0,
    stream_queue_replica_reader_procs: 0,
    stream_queue_coordinator_procs: 0,
    plugins: 0,
    other_proc: Math.max(0, heapUsed - queueBytes),
    metrics: 0,
    mgmt_db: 0,
    mnesia: 0,
    quorum_ets: 0,
    other_ets: 0,
    binary: arrayBuffers,
    msg_index: indexBytes + cacheBytes,
    code: 0,
    atom: 0,
    other_system: Math.max(0, external - arrayBuffers),
    allocated_unused: Math.max(0, heapTotal - heapUsed),
    reserved_unallocated: Math.max(0, rss - heapTotal - external),
    strategy: 'rss',
    total: { erlang: heapUsed + external, rss, allocated: heapTotal + external },
  };
}
