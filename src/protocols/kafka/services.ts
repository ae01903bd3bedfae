import type { Broker } from '../../core/broker.ts';
import type { KafkaConfig } from './config.ts';
import type { ConfigResolver } from './configs/config-resolver.ts';
import type { DynamicConfigs } from './configs/dynamic-configs.ts';
import type { FetchSessions } from './fetch-session.ts';
import type { PendingProduce } from './handlers/pending-produce.ts';
import type { KafkaMetrics } from './metrics/kafka-metrics.ts';
import type { StorageNotices } from './storage-notices.ts';
import type { TopicLookup } from './topic-lookup.ts';
import type { WakeList } from './wake-list.ts';

/** What the handlers of one front-end share. */
export interface KafkaServices {
  readonly broker: Broker;
  readonly config: KafkaConfig;
  readonly namespace: string;
  readonly metrics: KafkaMetrics;
  readonly topicLookup: TopicLookup;
  readonly fetchSessions: FetchSessions;
  readonly dynamicConfigs: DynamicConfigs;
  readonly configResolver: ConfigResolver;
  readonly wakeList: WakeList;
  readonly storageNotices: StorageNotices;
  /** Finished produce requests, used again. */
  readonly producePool: PendingProduce[];
  /** Versions that are served, told by ApiVersions. */
  readonly apiRanges: readonly ApiRange[];
}

export interface ApiRange {
  readonly key: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}
