import type { Durability } from '../../storage/types.ts';

/** Where clients are told to connect, per listener name; a listener without an entry advertises what the client reached. */
export interface AdvertisedAddress {
  readonly host: string;
  readonly port: number;
}

/** The `[kafka]` part of the configuration. Sizes in bytes, times in ms; validated by config/. */
export interface KafkaConfig {
  /** Metadata requests create unknown topics (Kafka: auto.create.topics.enable). */
  readonly autoCreateTopics: boolean;
  /** Partitions of topics created without a number (Kafka: num.partitions). */
  readonly defaultPartitions: number;
  /** Keyed by listener name. */
  readonly advertised: Readonly<Record<string, AdvertisedAddress>>;
  /** Told by DescribeLogDirs and as log.dirs; the server fills in the data folder. */
  readonly dataFolder: string;
  /** A larger request closes its connection (Kafka: socket.request.max.bytes). */
  readonly maxRequestBytes: number;
  /** Requests of one connection under way at once; reading pauses above it. */
  readonly maxInFlightRequests: number;
  /** Bytes of the produce requests of one connection that wait for their commit; reading pauses above it. */
  readonly maxInFlightBytes: number;
  /** Most bytes of one fetch response (Kafka: fetch.max.bytes). */
  readonly fetchMaxBytes: number;
  /** Incremental fetch sessions kept (Kafka: max.incremental.fetch.session.cache.slots). */
  readonly fetchSessionSlots: number;
  /** Longest time a fetch waits for data, whatever the client asks. */
  readonly fetchMaxWaitMs: number;
  /** Most partitions of one page of DescribeTopicPartitions (Kafka: max.request.partition.size.limit). */
  readonly maxDescribedPartitions: number;
  /** Most partitions a topic may be created with or grown to through this protocol. */
  readonly maxPartitionsPerTopic: number;
  /** Group sessions outside these bounds are refused (Kafka: group.min/max.session.timeout.ms). */
  readonly groupMinSessionTimeoutMs: number;
  readonly groupMaxSessionTimeoutMs: number;
  /** Longest metadata string of a committed offset (Kafka: offset.metadata.max.bytes). */
  readonly offsetMetadataMaxBytes: number;
  /** Durability of topics that do not set flush.messages or lyrebird.durability. */
  readonly defaultDurability: Durability;
  /** Values of Kafka's broker configurations that other parts of the broker follow, by Kafka's name; for DescribeConfigs. */
  readonly brokerConfigs: Readonly<Record<string, string>>;
  /** Defaults of new topics (Kafka: log.retention.ms, log.retention.bytes, log.segment.bytes, message.max.bytes). */
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly segmentBytes: number;
  readonly maxMessageBytes: number;
}

/** Kafka's own defaults where it has the setting; -1 and absent limits are Infinity. */
export const KAFKA_CONFIG_DEFAULTS: KafkaConfig = {
  autoCreateTopics: true,
  defaultPartitions: 1,
  advertised: {},
  dataFolder: 'memory',
  maxRequestBytes: 100 * 1024 * 1024,
  maxInFlightRequests: 1024,
  maxInFlightBytes: 256 * 1024 * 1024,
  fetchMaxBytes: 55 * 1024 * 1024,
  fetchSessionSlots: 1000,
  fetchMaxWaitMs: 60_000,
  maxDescribedPartitions: 2000,
  maxPartitionsPerTopic: 100_000,
  groupMinSessionTimeoutMs: 1_000,
  groupMaxSessionTimeoutMs: 1_800_000,
  offsetMetadataMaxBytes: 4096,
  defaultDurability: 'fsync',
  brokerConfigs: {},
  retentionMs: 604_800_000,
  retentionBytes: Number.POSITIVE_INFINITY,
  segmentBytes: 1_073_741_824,
  maxMessageBytes: 1_048_588,
};
