import { brokerConfig } from './broker-definition.ts';
import type { BrokerConfigDefinition } from './broker-definition.ts';

/** Broker configurations of Kafka 4.3 about tiered storage. Keys that say nothing else have no effect here. */
export const BROKER_REMOTE_CONFIGS: readonly BrokerConfigDefinition[] = [
  brokerConfig('log.local.retention.bytes', 'long', '-2', {
    update: 'cluster-wide',
    rule: { min: -2 },
  }),
  brokerConfig('log.local.retention.ms', 'long', '-2', {
    update: 'cluster-wide',
    rule: { min: -2 },
  }),
  brokerConfig('remote.fetch.max.wait.ms', 'int', '500', {
    update: 'cluster-wide',
    rule: { min: 1 },
  }),
  brokerConfig('remote.list.offsets.request.timeout.ms', 'long', '30000', {
    update: 'cluster-wide',
    rule: { min: 1 },
  }),
  brokerConfig('remote.log.index.file.cache.total.size.bytes', 'long', '1073741824', {
    update: 'cluster-wide',
    rule: { min: 1 },
  }),
  brokerConfig('remote.log.manager.copier.thread.pool.size', 'int', '10', {
    update: 'cluster-wide',
    rule: { min: 1 },
  }),
  brokerConfig('remote.log.manager.copy.max.bytes.per.second', 'long', '9223372036854775807', {
    update: 'cluster-wide',
    rule: { min: 1 },
  }),
  brokerConfig('remote.log.manager.copy.quota.window.num', 'int', '11'),
  brokerConfig('remote.log.manager.copy.quota.window.size.seconds', 'int', '1'),
  brokerConfig('remote.log.manager.expiration.thread.pool.size', 'int', '10', {
    update: 'cluster-wide',
    rule: { min: 1 },
  }),
  brokerConfig('remote.log.manager.fetch.max.bytes.per.second', 'long', '9223372036854775807', {
    update: 'cluster-wide',
    rule: { min: 1 },
  }),
  brokerConfig('remote.log.manager.fetch.quota.window.num', 'int', '11'),
  brokerConfig('remote.log.manager.fetch.quota.window.size.seconds', 'int', '1'),
  brokerConfig('remote.log.manager.follower.thread.pool.size', 'int', '2', {
    update: 'cluster-wide',
    rule: { min: 1 },
  }),
  brokerConfig('remote.log.manager.task.interval.ms', 'long', '30000'),
  brokerConfig('remote.log.manager.thread.pool.size', 'int', '2'),
  brokerConfig('remote.log.metadata.custom.metadata.max.bytes', 'int', '128'),
  brokerConfig(
    'remote.log.metadata.manager.class.name',
    'string',
    'org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager',
  ),
  brokerConfig('remote.log.metadata.manager.class.path', 'string', null),
  brokerConfig('remote.log.metadata.manager.impl.prefix', 'string', 'rlmm.config.'),
  brokerConfig('remote.log.metadata.manager.listener.name', 'string', null),
  brokerConfig('remote.log.reader.max.pending.tasks', 'int', '100'),
  brokerConfig('remote.log.reader.threads', 'int', '10', {
    update: 'cluster-wide',
    rule: { min: 1 },
  }),
  brokerConfig('remote.log.storage.manager.class.name', 'string', null),
  brokerConfig('remote.log.storage.manager.class.path', 'string', null),
  brokerConfig('remote.log.storage.manager.impl.prefix', 'string', 'rsm.config.'),
  brokerConfig('remote.log.storage.system.enable', 'boolean', 'false', {
    effect: 'fixed',
    doc: 'Kafka’s tiered storage; not available.',
  }),
];
