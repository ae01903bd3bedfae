import type { MetricFamily } from '../../../../telemetry/metric-family.ts';
import type { Management } from '../management.ts';
import { alarms, nodeFacts } from '../views/node-view.ts';
import { family, single } from './family.ts';

/** The process and its machine, churn, alarms, logins: RabbitMQ's names, and the identity that dashboards join on. */
export function* nodeFamilies(
  management: Management,
  endpoint: 'aggregated' | 'per-object' | 'detailed',
): Iterable<MetricFamily> {
  yield* identity(management, endpoint);
  yield* resources(management);
  yield* churn(management);
  yield* logins(management);
}

export function* identity(management: Management, endpoint: string): Iterable<MetricFamily> {
  const { broker, nodeName, clusterName, announcedVersion, ports } = management;
  yield single('rabbitmq_identity_info', 'Who this is.', 1, {
    rabbitmq_node: nodeName,
    rabbitmq_cluster: clusterName,
    rabbitmq_cluster_permanent_id: broker.clusterId,
    rabbitmq_endpoint: endpoint,
  });
  yield single('rabbitmq_build_info', 'Versions.', 1, {
    rabbitmq_version: announcedVersion,
    erlang_version: `node-${process.versions.node}`,
    prometheus_plugin_version: announcedVersion,
    prometheus_client_version: ports.version,
    product_name: 'Lyrebird',
    product_version: ports.version,
  });
}

export function* resources(management: Management): Iterable<MetricFamily> {
  const { broker, ports } = management;
  const facts = nodeFacts(management);
  const { memory, disk } = alarms(management);
  const stats = broker.engine.stats();
  const gauges: readonly (readonly [string, string, number])[] = [
    ['alarms_free_disk_space_watermark', '1 while the disk is short.', disk ? 1 : 0],
    ['alarms_memory_used_watermark', '1 while memory is short.', memory ? 1 : 0],
    ['alarms_file_descriptor_limit', 'File descriptors are never short.', 0],
    ['process_open_fds', 'Open file descriptors.', facts.openFiles],
    ['process_max_fds', 'File descriptors allowed.', facts.filesMax],
    ['process_open_tcp_sockets', 'Connections of AMQP clients.', facts.sockets],
    ['process_max_tcp_sockets', 'Sockets allowed.', facts.filesMax],
    ['process_resident_memory_bytes', 'Resident memory.', facts.residentBytes],
    ['resident_memory_limit_bytes', 'Memory that alarms begin at elsewhere.', facts.memoryBytesMax],
    ['disk_space_available_bytes', 'Free space of the volume.', facts.diskFreeBytes],
    ['disk_space_available_limit_bytes', 'Least free space.', facts.diskFreeBytesMin],
    [
      'erlang_uptime_seconds',
      'Time since the start.',
      (broker.clock.wallMs() - ports.startedAtMs) / 1000,
    ],
    ['erlang_processes_used', 'Logs: there are no Erlang processes.', stats.logs],
    ['erlang_processes_limit', 'Processes allowed.', 1_048_576],
    ['erlang_scheduler_run_queue', 'There are no schedulers.', 0],
    ['io_write_ops_total', 'Commit groups written.', stats.groups],
    ['io_write_bytes_total', 'Bytes appended.', stats.appendedBytes],
    ['io_write_time_seconds_total', 'Time spent in writes.', stats.writeMsTotal / 1000],
    ['io_sync_ops_total', 'Syncs.', stats.syncs],
    ['io_sync_time_seconds_total', 'Time spent in syncs.', stats.syncMsTotal / 1000],
    ['io_read_ops_total', 'Reads that needed the disk.', stats.cacheMisses],
    ['msg_store_write_total', 'Batches appended.', stats.appends],
    ['msg_store_read_total', 'Reads, from memory or disk.', stats.cacheHits + stats.cacheMisses],
  ];
  for (const [name, help, value] of gauges) yield single(`rabbitmq_${name}`, help, value);
}

export function* churn({ services }: Management): Iterable<MetricFamily> {
  const { counters } = services;
  yield single(
    'rabbitmq_connections_opened_total',
    'Connections opened.',
    counters.connectionsOpened,
  );
  yield single(
    'rabbitmq_connections_closed_total',
    'Connections closed.',
    counters.connectionsClosed,
  );
  yield single('rabbitmq_channels_opened_total', 'Channels opened.', counters.channelsOpened);
  yield single('rabbitmq_channels_closed_total', 'Channels closed.', counters.channelsClosed);
  yield single(
    'rabbitmq_queues_declared_total',
    'Declarations of queues.',
    counters.queuesDeclared,
  );
  yield single('rabbitmq_queues_created_total', 'Queues created.', counters.queuesCreated);
  yield single('rabbitmq_queues_deleted_total', 'Queues deleted.', counters.queuesDeleted);
}

export function* logins({ broker }: Management): Iterable<MetricFamily> {
  const attempts = broker.security.logins.attempts.byProtocol().map(({ protocol, ...counts }) => ({
    labels: { protocol: protocol === 'amqp' ? 'amqp091' : protocol },
    ...counts,
  }));
  const named = (name: string, help: string, value: (one: (typeof attempts)[number]) => number) =>
    family(
      `rabbitmq_auth_attempts${name}_total`,
      help,
      attempts.map((one) => ({ labels: one.labels, value: value(one) })),
    );
  yield named('', 'Logins tried.', ({ succeeded, failed }) => succeeded + failed);
  yield named('_succeeded', 'Logins that succeeded.', ({ succeeded }) => succeeded);
  yield named('_failed', 'Logins that failed.', ({ failed }) => failed);
}
