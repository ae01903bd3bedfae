import { brokerConfig } from './broker-definition.ts';
import type { BrokerConfigDefinition } from './broker-definition.ts';

/** Broker configurations of Kafka 4.3 about connections, requests and measuring. Keys that say nothing else have no effect here. */
export const BROKER_NETWORK_CONFIGS: readonly BrokerConfigDefinition[] = [
  brokerConfig('advertised.listeners', 'list', null, {
    effect: 'fixed',
    doc: 'What clients are told, where it is configured; else the address that a client reached.',
  }),
  brokerConfig('client.quota.callback.class', 'class', null),
  brokerConfig('connections.max.idle.ms', 'long', '600000', {
    effect: 'honoured',
    doc: 'A connection without traffic for this long is closed (limits.idle_timeout).',
  }),
  brokerConfig('early.start.listeners', 'list', null),
  brokerConfig('fetch.max.bytes', 'int', '57671680', {
    effect: 'honoured',
    doc: 'The most bytes of one fetch response (kafka.fetch_bytes_max).',
  }),
  brokerConfig('fetch.purgatory.purge.interval.requests', 'int', '1000'),
  brokerConfig('kafka.metrics.polling.interval.secs', 'int', '10'),
  brokerConfig('kafka.metrics.reporters', 'list', ''),
  brokerConfig(
    'listener.security.protocol.map',
    'string',
    'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    { update: 'per-broker' },
  ),
  brokerConfig('listeners', 'list', null, {
    update: 'per-broker',
    effect: 'fixed',
    doc: 'Where the broker listens; see the start options.',
  }),
  brokerConfig('max.connection.creation.rate', 'int', '2147483647', {
    update: 'cluster-wide',
    rule: { min: 0 },
  }),
  brokerConfig('max.connections', 'int', '2147483647', {
    update: 'cluster-wide',
    rule: { min: 0 },
  }),
  brokerConfig('max.connections.per.ip', 'int', '2147483647', {
    update: 'cluster-wide',
    rule: { min: 0 },
  }),
  brokerConfig('max.connections.per.ip.overrides', 'string', '', { update: 'cluster-wide' }),
  brokerConfig('max.incremental.fetch.session.cache.slots', 'int', '1000', {
    effect: 'honoured',
    doc: 'Incremental fetch sessions kept at once (kafka.fetch_sessions_max).',
  }),
  brokerConfig('max.request.partition.size.limit', 'int', '2000', {
    effect: 'honoured',
    doc: 'The most partitions on one page of DescribeTopicPartitions (kafka.described_partitions_max).',
  }),
  brokerConfig('metric.reporters', 'list', 'org.apache.kafka.common.metrics.JmxReporter', {
    update: 'cluster-wide',
  }),
  brokerConfig('metrics.num.samples', 'int', '2'),
  brokerConfig('metrics.recording.level', 'string', 'INFO'),
  brokerConfig('metrics.sample.window.ms', 'long', '30000'),
  brokerConfig('num.io.threads', 'int', '8', { update: 'cluster-wide', rule: { min: 1 } }),
  brokerConfig('num.network.threads', 'int', '3', { update: 'cluster-wide', rule: { min: 1 } }),
  brokerConfig('queued.max.request.bytes', 'long', '-1'),
  brokerConfig('queued.max.requests', 'int', '500'),
  brokerConfig('quota.window.num', 'int', '11'),
  brokerConfig('quota.window.size.seconds', 'int', '1'),
  brokerConfig('request.timeout.ms', 'int', '30000'),
  brokerConfig('socket.connection.setup.timeout.max.ms', 'long', '30000'),
  brokerConfig('socket.connection.setup.timeout.ms', 'long', '10000'),
  brokerConfig('socket.listen.backlog.size', 'int', '50'),
  brokerConfig('socket.receive.buffer.bytes', 'int', '102400'),
  brokerConfig('socket.request.max.bytes', 'int', '104857600', {
    effect: 'honoured',
    doc: 'A larger request closes its connection (kafka.request_bytes_max).',
  }),
  brokerConfig('socket.send.buffer.bytes', 'int', '102400'),
  brokerConfig('telemetry.max.bytes', 'int', '1048576'),
];
