import { brokerConfig } from './broker-definition.ts';
import type { BrokerConfigDefinition } from './broker-definition.ts';

/** Broker configurations of Kafka 4.3 about topics and logs. Keys that say nothing else have no effect here. */
export const BROKER_LOG_CONFIGS: readonly BrokerConfigDefinition[] = [
  brokerConfig('alter.config.policy.class.name', 'class', null),
  brokerConfig('auto.create.topics.enable', 'boolean', 'true', {
    effect: 'honoured',
    doc: 'Whether a metadata request creates the topics it names (kafka.auto_create_topics).',
  }),
  brokerConfig('background.threads', 'int', '10', { update: 'cluster-wide', rule: { min: 1 } }),
  brokerConfig('compression.gzip.level', 'int', '-1', {
    update: 'cluster-wide',
    rule: { min: 1, max: 9, orElse: -1 },
  }),
  brokerConfig('compression.lz4.level', 'int', '9', {
    update: 'cluster-wide',
    rule: { min: 1, max: 17 },
  }),
  brokerConfig('compression.type', 'string', 'producer', {
    update: 'cluster-wide',
    effect: 'partly',
    doc: 'See the topic configuration of this name.',
  }),
  brokerConfig('compression.zstd.level', 'int', '3', {
    update: 'cluster-wide',
    rule: { min: -131072, max: 22 },
  }),
  brokerConfig('cordoned.log.dirs', 'list', '', { update: 'per-broker' }),
  brokerConfig('create.topic.policy.class.name', 'class', null),
  brokerConfig('default.replication.factor', 'int', '1', {
    effect: 'fixed',
    doc: 'One broker keeps one copy of every partition.',
  }),
  brokerConfig('delete.topic.enable', 'boolean', 'true', {
    effect: 'fixed',
    doc: 'Topics can be deleted.',
  }),
  brokerConfig('log.cleaner.backoff.ms', 'long', '15000', {
    update: 'cluster-wide',
    rule: { min: 0 },
  }),
  brokerConfig('log.cleaner.dedupe.buffer.size', 'long', '134217728', { update: 'cluster-wide' }),
  brokerConfig('log.cleaner.delete.retention.ms', 'long', '86400000', {
    update: 'cluster-wide',
    rule: { min: 0 },
  }),
  brokerConfig('log.cleaner.enable', 'boolean', 'true'),
  brokerConfig('log.cleaner.io.buffer.load.factor', 'double', '0.9', { update: 'cluster-wide' }),
  brokerConfig('log.cleaner.io.buffer.size', 'int', '524288', {
    update: 'cluster-wide',
    rule: { min: 0 },
  }),
  brokerConfig('log.cleaner.io.max.bytes.per.second', 'double', '1.7976931348623157E308', {
    update: 'cluster-wide',
  }),
  brokerConfig('log.cleaner.max.compaction.lag.ms', 'long', '9223372036854775807', {
    update: 'cluster-wide',
    rule: { min: 1 },
  }),
  brokerConfig('log.cleaner.min.cleanable.ratio', 'double', '0.5', {
    update: 'cluster-wide',
    rule: { min: 0, max: 1 },
  }),
  brokerConfig('log.cleaner.min.compaction.lag.ms', 'long', '0', {
    update: 'cluster-wide',
    rule: { min: 0 },
  }),
  brokerConfig('log.cleaner.threads', 'int', '1', { update: 'cluster-wide', rule: { min: 0 } }),
  brokerConfig('log.cleanup.policy', 'list', 'delete', {
    update: 'cluster-wide',
    rule: { someOf: ['compact', 'delete'] },
    effect: 'partly',
    doc: 'Policy of topics that do not set cleanup.policy; see there.',
  }),
  brokerConfig('log.dir', 'list', null, { effect: 'fixed', doc: 'The data folder.' }),
  brokerConfig('log.dir.failure.timeout.ms', 'long', '30000'),
  brokerConfig('log.dirs', 'list', null, { effect: 'fixed', doc: 'The data folder.' }),
  brokerConfig('log.flush.interval.messages', 'long', '9223372036854775807', {
    update: 'cluster-wide',
    rule: { min: 1 },
    effect: 'honoured',
    doc: '1: topics are synced before an append is acknowledged, where they do not say otherwise. More: they are not.',
  }),
  brokerConfig('log.flush.interval.ms', 'long', null, { update: 'cluster-wide' }),
  brokerConfig('log.flush.offset.checkpoint.interval.ms', 'int', '60000'),
  brokerConfig('log.flush.scheduler.interval.ms', 'long', '9223372036854775807'),
  brokerConfig('log.flush.start.offset.checkpoint.interval.ms', 'int', '60000'),
  brokerConfig('log.index.interval.bytes', 'int', '4096', {
    update: 'cluster-wide',
    rule: { min: 0 },
  }),
  brokerConfig('log.index.size.max.bytes', 'int', '10485760', {
    update: 'cluster-wide',
    rule: { min: 4 },
  }),
  brokerConfig('log.message.timestamp.after.max.ms', 'long', '3600000', {
    update: 'cluster-wide',
    rule: { min: 0 },
    effect: 'honoured',
    doc: 'Bound of topics that do not set message.timestamp.after.max.ms.',
  }),
  brokerConfig('log.message.timestamp.before.max.ms', 'long', '9223372036854775807', {
    update: 'cluster-wide',
    rule: { min: 0 },
    effect: 'honoured',
    doc: 'Bound of topics that do not set message.timestamp.before.max.ms.',
  }),
  brokerConfig('log.message.timestamp.type', 'string', 'CreateTime', {
    update: 'cluster-wide',
    rule: { oneOf: ['CreateTime', 'LogAppendTime'] },
    effect: 'honoured',
    doc: 'Timestamps of topics that do not set message.timestamp.type.',
  }),
  brokerConfig('log.preallocate', 'boolean', 'false', { update: 'cluster-wide' }),
  brokerConfig('log.retention.bytes', 'long', '-1', {
    update: 'cluster-wide',
    effect: 'honoured',
    doc: 'Retention by size of topics that do not set retention.bytes (topics.retention_bytes).',
  }),
  brokerConfig('log.retention.check.interval.ms', 'long', '300000', {
    effect: 'honoured',
    doc: 'How often data is looked at for its age (storage.retention_check_interval).',
  }),
  brokerConfig('log.retention.hours', 'int', '168'),
  brokerConfig('log.retention.minutes', 'int', null),
  brokerConfig('log.retention.ms', 'long', null, {
    update: 'cluster-wide',
    effect: 'honoured',
    doc: 'Retention by age of topics that do not set retention.ms (topics.retention).',
  }),
  brokerConfig('log.roll.hours', 'int', '168'),
  brokerConfig('log.roll.jitter.hours', 'int', '0'),
  brokerConfig('log.roll.jitter.ms', 'long', null, { update: 'cluster-wide' }),
  brokerConfig('log.roll.ms', 'long', null, { update: 'cluster-wide' }),
  brokerConfig('log.segment.bytes', 'int', '1073741824', {
    update: 'cluster-wide',
    rule: { min: 1048576 },
    effect: 'honoured',
    doc: 'Segment size of topics that do not set segment.bytes (topics.segment_bytes).',
  }),
  brokerConfig('log.segment.delete.delay.ms', 'long', '60000', {
    update: 'cluster-wide',
    rule: { min: 0 },
  }),
  brokerConfig('message.max.bytes', 'int', '1048588', {
    update: 'cluster-wide',
    rule: { min: 0 },
    effect: 'honoured',
    doc: 'The largest record batch that is accepted, where the topic does not say otherwise (topics.message_bytes_max).',
  }),
  brokerConfig('min.insync.replicas', 'int', '1', { update: 'cluster-wide', rule: { min: 1 } }),
  brokerConfig('num.partitions', 'int', '1', {
    effect: 'honoured',
    doc: 'Partitions of a topic that is created without a number (kafka.auto_create_partitions).',
  }),
  brokerConfig('num.recovery.threads.per.data.dir', 'int', '2', {
    update: 'cluster-wide',
    rule: { min: 1 },
  }),
];
