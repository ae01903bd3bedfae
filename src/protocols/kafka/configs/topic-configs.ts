import { LONG_MAX_TEXT } from './definition.ts';
import type { ConfigDefinition, ConfigEffect, ConfigRule, ConfigType } from './definition.ts';

/** A topic configuration and the broker configurations that its default comes from, nearest first. */
export interface TopicConfigDefinition extends ConfigDefinition {
  readonly synonyms: readonly string[];
}

const AT_LEAST_0: ConfigRule = { min: 0 };
const AT_LEAST_1: ConfigRule = { min: 1 };

function topicConfig(
  name: string,
  type: ConfigType,
  defaultValue: string | null,
  effect: ConfigEffect,
  doc: string,
  more: { rule?: ConfigRule; synonyms?: readonly string[] } = {},
): TopicConfigDefinition {
  return {
    name,
    type,
    defaultValue,
    effect,
    doc,
    rule: more.rule ?? null,
    synonyms: more.synonyms ?? [],
  };
}

/** Lyrebird's own key: when an append counts as done. */
export const DURABILITY_CONFIG = 'lyrebird.durability';

/** Every topic configuration of Kafka 4.3, with Kafka's defaults, and Lyrebird's own. */
export const TOPIC_CONFIGS: readonly TopicConfigDefinition[] = [
  topicConfig(
    'cleanup.policy',
    'list',
    'delete',
    'partly',
    'delete: old data goes by retention.ms and retention.bytes. compact: every record needs a key and retention does not apply; records that a later one replaces are still kept.',
    { rule: { someOf: ['compact', 'delete'] }, synonyms: ['log.cleanup.policy'] },
  ),
  topicConfig(
    'compression.gzip.level',
    'int',
    '-1',
    'no-effect',
    'Batches are stored as producers compressed them.',
    { rule: { min: 1, max: 9, orElse: -1 }, synonyms: ['compression.gzip.level'] },
  ),
  topicConfig(
    'compression.lz4.level',
    'int',
    '9',
    'no-effect',
    'Batches are stored as producers compressed them.',
    { rule: { min: 1, max: 17 }, synonyms: ['compression.lz4.level'] },
  ),
  topicConfig(
    'compression.type',
    'string',
    'producer',
    'partly',
    'producer: batches are stored as producers compressed them. Other values are accepted, but nothing is compressed again.',
    {
      rule: { oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'] },
      synonyms: ['compression.type'],
    },
  ),
  topicConfig(
    'compression.zstd.level',
    'int',
    '3',
    'no-effect',
    'Batches are stored as producers compressed them.',
    { rule: { min: -131_072, max: 22 }, synonyms: ['compression.zstd.level'] },
  ),
  topicConfig(
    'delete.retention.ms',
    'long',
    '86400000',
    'no-effect',
    'How long compaction would keep tombstones.',
    { rule: AT_LEAST_0, synonyms: ['log.cleaner.delete.retention.ms'] },
  ),
  topicConfig(
    'file.delete.delay.ms',
    'long',
    '60000',
    'no-effect',
    'Space is freed as soon as nobody reads it.',
    { rule: AT_LEAST_0, synonyms: ['log.segment.delete.delay.ms'] },
  ),
  topicConfig(
    'flush.messages',
    'long',
    LONG_MAX_TEXT,
    'honoured',
    '1: an append is acknowledged after it was synced to the disk. More: after it was handed to the operating system. lyrebird.durability comes first.',
    { rule: AT_LEAST_1, synonyms: ['log.flush.interval.messages'] },
  ),
  topicConfig(
    'flush.ms',
    'long',
    LONG_MAX_TEXT,
    'no-effect',
    'Syncs happen per commit group, never by a timer.',
    { rule: AT_LEAST_0, synonyms: ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'] },
  ),
  topicConfig(
    'follower.replication.throttled.replicas',
    'list',
    '',
    'no-effect',
    'There is no replication between brokers to throttle.',
  ),
  topicConfig(
    'index.interval.bytes',
    'int',
    '4096',
    'no-effect',
    'The density of the offset index is the engine’s own.',
    { rule: AT_LEAST_0, synonyms: ['log.index.interval.bytes'] },
  ),
  topicConfig(
    'leader.replication.throttled.replicas',
    'list',
    '',
    'no-effect',
    'There is no replication between brokers to throttle.',
  ),
  topicConfig(
    'local.retention.bytes',
    'long',
    '-2',
    'no-effect',
    'Only meaningful with tiered storage.',
    { rule: { min: -2 }, synonyms: ['log.local.retention.bytes'] },
  ),
  topicConfig(
    'local.retention.ms',
    'long',
    '-2',
    'no-effect',
    'Only meaningful with tiered storage.',
    { rule: { min: -2 }, synonyms: ['log.local.retention.ms'] },
  ),
  topicConfig(
    DURABILITY_CONFIG,
    'string',
    null,
    'honoured',
    'fsync: an append is acknowledged after it was synced to the disk. os: after it was handed to the operating system, which survives a crash of the broker but not a power cut. memory: at once, kept in memory only.',
    { rule: { oneOf: ['fsync', 'os', 'memory'] } },
  ),
  topicConfig(
    'max.compaction.lag.ms',
    'long',
    LONG_MAX_TEXT,
    'no-effect',
    'The longest time before compaction would look at a record.',
    { rule: AT_LEAST_1, synonyms: ['log.cleaner.max.compaction.lag.ms'] },
  ),
  topicConfig(
    'max.message.bytes',
    'int',
    '1048588',
    'honoured',
    'The largest record batch that is accepted, as sent.',
    { rule: AT_LEAST_0, synonyms: ['message.max.bytes'] },
  ),
  topicConfig(
    'message.timestamp.after.max.ms',
    'long',
    '3600000',
    'honoured',
    'Batches whose timestamps are further in the future are refused.',
    { rule: AT_LEAST_0, synonyms: ['log.message.timestamp.after.max.ms'] },
  ),
  topicConfig(
    'message.timestamp.before.max.ms',
    'long',
    LONG_MAX_TEXT,
    'honoured',
    'Batches whose timestamps are further in the past are refused.',
    { rule: AT_LEAST_0, synonyms: ['log.message.timestamp.before.max.ms'] },
  ),
  topicConfig(
    'message.timestamp.type',
    'string',
    'CreateTime',
    'honoured',
    'CreateTime keeps the producer’s timestamps, LogAppendTime stamps the time of the append.',
    {
      rule: { oneOf: ['CreateTime', 'LogAppendTime'] },
      synonyms: ['log.message.timestamp.type'],
    },
  ),
  topicConfig(
    'min.cleanable.dirty.ratio',
    'double',
    '0.5',
    'no-effect',
    'When compaction would start.',
    { rule: { min: 0, max: 1 }, synonyms: ['log.cleaner.min.cleanable.ratio'] },
  ),
  topicConfig(
    'min.compaction.lag.ms',
    'long',
    '0',
    'no-effect',
    'The shortest time before compaction would look at a record.',
    { rule: AT_LEAST_0, synonyms: ['log.cleaner.min.compaction.lag.ms'] },
  ),
  topicConfig(
    'min.insync.replicas',
    'int',
    '1',
    'no-effect',
    'What is acknowledged is as safe as the topic’s durability says; there are no replicas to count.',
    { rule: AT_LEAST_1, synonyms: ['min.insync.replicas'] },
  ),
  topicConfig(
    'preallocate',
    'boolean',
    'false',
    'no-effect',
    'How files are laid out is the engine’s own.',
    { synonyms: ['log.preallocate'] },
  ),
  topicConfig(
    'remote.log.copy.disable',
    'boolean',
    'false',
    'no-effect',
    'Only meaningful with tiered storage.',
  ),
  topicConfig(
    'remote.log.delete.on.disable',
    'boolean',
    'false',
    'no-effect',
    'Only meaningful with tiered storage.',
  ),
  topicConfig(
    'remote.storage.enable',
    'boolean',
    'false',
    'fixed',
    'Kafka’s tiered storage; not available.',
  ),
  topicConfig(
    'retention.bytes',
    'long',
    '-1',
    'honoured',
    'The oldest data of a partition goes while it holds more than this; -1: no limit.',
    { synonyms: ['log.retention.bytes'] },
  ),
  topicConfig(
    'retention.ms',
    'long',
    '604800000',
    'honoured',
    'Data older than this goes; -1: no limit.',
    {
      rule: { min: -1 },
      synonyms: ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
    },
  ),
  topicConfig(
    'segment.bytes',
    'int',
    '1073741824',
    'honoured',
    'A settled segment is closed at this size.',
    { rule: { min: 1_048_576 }, synonyms: ['log.segment.bytes'] },
  ),
  topicConfig(
    'segment.index.bytes',
    'int',
    '10485760',
    'no-effect',
    'The size of index files is the engine’s own.',
    { rule: { min: 4 }, synonyms: ['log.index.size.max.bytes'] },
  ),
  topicConfig('segment.jitter.ms', 'long', '0', 'no-effect', 'Segments are not rolled by time.', {
    rule: AT_LEAST_0,
    synonyms: ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  }),
  topicConfig('segment.ms', 'long', '604800000', 'no-effect', 'Segments are not rolled by time.', {
    rule: AT_LEAST_1,
    synonyms: ['log.roll.ms', 'log.roll.hours'],
  }),
  topicConfig(
    'unclean.leader.election.enable',
    'boolean',
    'false',
    'no-effect',
    'There are no elections between replicas.',
    { synonyms: ['unclean.leader.election.enable'] },
  ),
];

export const TOPIC_CONFIG_BY_NAME: ReadonlyMap<string, TopicConfigDefinition> = new Map(
  TOPIC_CONFIGS.map((definition) => [definition.name, definition]),
);
