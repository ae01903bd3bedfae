import type { TopicConfig } from '../../../core/types.ts';
import type { Durability } from '../../../storage/types.ts';
import type { KafkaConfig } from '../config.ts';
import { BROKER_CONFIG_BY_NAME } from './broker-configs.ts';
import { LONG_MAX_TEXT, splitList } from './definition.ts';
import type { ConfigValues, DynamicConfigs } from './dynamic-configs.ts';
import { DURABILITY_CONFIG, TOPIC_CONFIG_BY_NAME } from './topic-configs.ts';

/** Where a value comes from (source: DescribeConfigsResponse.ConfigSource). */
export const CONFIG_SOURCE = {
  topic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  default: 5,
  clientMetrics: 7,
  group: 8,
} as const;

export interface ConfigSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: number;
}

/** Answers what a configuration's value is, from the nearest place that sets it. */
export class ConfigResolver {
  private readonly dynamic: DynamicConfigs;
  private readonly nodeName: string;
  /** Values that follow from how the broker was started. */
  private readonly startValues: ReadonlyMap<string, string>;

  constructor(dynamic: DynamicConfigs, config: KafkaConfig, nodeId: number) {
    this.dynamic = dynamic;
    this.nodeName = String(nodeId);
    this.startValues = startValuesOf(config, this.nodeName);
  }

  /** All places that give a broker configuration a value, nearest first; the first one counts. */
  brokerSynonyms(name: string): readonly ConfigSynonym[] {
    const found: ConfigSynonym[] = [];
    const own = this.dynamic.get('broker', this.nodeName)[name];
    if (own !== undefined) found.push({ name, value: own, source: CONFIG_SOURCE.dynamicBroker });
    const shared = this.dynamic.get('broker', '')[name];
    if (shared !== undefined) {
      found.push({ name, value: shared, source: CONFIG_SOURCE.dynamicDefaultBroker });
    }
    const definition = BROKER_CONFIG_BY_NAME.get(name);
    const defaultValue = definition?.defaultValue ?? null;
    const start = this.startValues.get(name);
    if (start !== undefined && start !== defaultValue) {
      found.push({ name, value: start, source: CONFIG_SOURCE.staticBroker });
    }
    if (defaultValue !== null || found.length === 0) {
      found.push({ name, value: defaultValue, source: CONFIG_SOURCE.default });
    }
    return found;
  }

  brokerValue(name: string): string | null {
    return this.brokerSynonyms(name)[0]?.value ?? null;
  }

  /** All places that give a topic configuration a value, nearest first; the first one counts. */
  topicSynonyms(name: string, overrides: ConfigValues): readonly ConfigSynonym[] {
    const found: ConfigSynonym[] = [];
    const own = overrides[name];
    if (own !== undefined) found.push({ name, value: own, source: CONFIG_SOURCE.topic });
    const definition = TOPIC_CONFIG_BY_NAME.get(name);
    const brokerName = definition?.synonyms[0];
    if (brokerName !== undefined) {
      for (const synonym of this.brokerSynonyms(brokerName)) {
        if (synonym.source !== CONFIG_SOURCE.default) found.push(synonym);
      }
    }
    found.push({
      name: brokerName ?? name,
      value:
        name === DURABILITY_CONFIG
          ? this.durability(overrides)
          : (definition?.defaultValue ?? null),
      source: CONFIG_SOURCE.default,
    });
    return found;
  }

  /** What core is told about a topic with these overrides. */
  topicConfig(overrides: ConfigValues): TopicConfig {
    const policies = splitList(this.topicText('cleanup.policy', overrides));
    const deletes = policies.includes('delete') || policies.length === 0;
    return {
      durability: this.durability(overrides),
      retentionMs: deletes ? this.topicLimit('retention.ms', overrides) : Infinity,
      retentionBytes: deletes ? this.topicLimit('retention.bytes', overrides) : Infinity,
      segmentBytes: this.topicLimit('segment.bytes', overrides),
      maxMessageBytes: this.topicLimit('max.message.bytes', overrides),
      timestampType:
        this.topicText('message.timestamp.type', overrides) === 'LogAppendTime'
          ? 'append'
          : 'create',
      timestampBeforeMaxMs: this.topicLimit('message.timestamp.before.max.ms', overrides),
      timestampAfterMaxMs: this.topicLimit('message.timestamp.after.max.ms', overrides),
      requireKey: policies.includes('compact'),
    };
  }

  private durability(overrides: ConfigValues): Durability {
    const own = overrides[DURABILITY_CONFIG];
    if (own === 'fsync' || own === 'os' || own === 'memory') return own;
    const first = this.topicFlushMessages(overrides);
    if (first === null) return this.startDurability();
    return Number(first) === 1 ? 'fsync' : 'os';
  }

  /** flush.messages where somebody set it while the broker ran; null: as the broker was started. */
  private topicFlushMessages(overrides: ConfigValues): string | null {
    return (
      overrides['flush.messages'] ??
      this.dynamic.get('broker', this.nodeName)['log.flush.interval.messages'] ??
      this.dynamic.get('broker', '')['log.flush.interval.messages'] ??
      null
    );
  }

  private startDurability(): Durability {
    const value = this.startValues.get(DURABILITY_CONFIG);
    return value === 'os' || value === 'memory' ? value : 'fsync';
  }

  private topicText(name: string, overrides: ConfigValues): string {
    return this.topicSynonyms(name, overrides)[0]?.value ?? '';
  }

  private topicLimit(name: string, overrides: ConfigValues): number {
    return limitOf(this.topicText(name, overrides));
  }
}

/** Negative values and those beyond the safe integers mean no limit. */
function limitOf(text: string): number {
  const value = Number(text);
  return value < 0 || !Number.isSafeInteger(value) ? Infinity : value;
}

function textOf(limit: number): string {
  return Number.isFinite(limit) ? String(limit) : '-1';
}

function startValuesOf(config: KafkaConfig, nodeName: string): ReadonlyMap<string, string> {
  const advertised = Object.entries(config.advertised).map(
    ([listener, address]) => `${listener}://${address.host}:${address.port}`,
  );
  const values: [string, string][] = [
    ['node.id', nodeName],
    ['broker.id', nodeName],
    ['log.dirs', config.dataFolder],
    ['log.dir', config.dataFolder],
    ['auto.create.topics.enable', String(config.autoCreateTopics)],
    ['num.partitions', String(config.defaultPartitions)],
    ['socket.request.max.bytes', String(config.maxRequestBytes)],
    ['fetch.max.bytes', String(config.fetchMaxBytes)],
    ['max.incremental.fetch.session.cache.slots', String(config.fetchSessionSlots)],
    ['max.request.partition.size.limit', String(config.maxDescribedPartitions)],
    ['group.min.session.timeout.ms', String(config.groupMinSessionTimeoutMs)],
    ['group.max.session.timeout.ms', String(config.groupMaxSessionTimeoutMs)],
    ['offset.metadata.max.bytes', String(config.offsetMetadataMaxBytes)],
    ['log.flush.interval.messages', config.defaultDurability === 'fsync' ? '1' : LONG_MAX_TEXT],
    ['log.retention.bytes', textOf(config.retentionBytes)],
    ['log.segment.bytes', String(config.segmentBytes)],
    ['message.max.bytes', String(config.maxMessageBytes)],
    [DURABILITY_CONFIG, config.defaultDurability],
  ];
  if (config.retentionMs !== 604_800_000)
    values.push(['log.retention.ms', textOf(config.retentionMs)]);
  if (advertised.length > 0) values.push(['advertised.listeners', advertised.join(',')]);
  return new Map([...Object.entries(config.brokerConfigs), ...values]);
}
