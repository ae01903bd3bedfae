import type { TopicConfig } from '../../core/types.ts';
import type { KafkaConfig } from './config.ts';
import type { ConfigResolver } from './configs/config-resolver.ts';
import { CONFIG_SOURCE } from './configs/config-resolver.ts';
import type { ConfigValues } from './configs/dynamic-configs.ts';
import { TOPIC_CONFIGS } from './configs/topic-configs.ts';
import { findTopicConfigDefect } from './handlers/topic-settings.ts';

/** One topic configuration with its value and where that comes from. */
export interface DescribedSetting {
  readonly name: string;
  readonly value: string | null;
  readonly origin: string;
  readonly sensitive: boolean;
  readonly documentation: string;
}

const ORIGINS: Readonly<Record<number, string>> = {
  [CONFIG_SOURCE.topic]: 'topic',
  [CONFIG_SOURCE.dynamicBroker]: 'broker',
  [CONFIG_SOURCE.dynamicDefaultBroker]: 'broker',
  [CONFIG_SOURCE.staticBroker]: 'start',
  [CONFIG_SOURCE.default]: 'default',
};

/** Topic configurations in Kafka's words, for interfaces that are not Kafka's own. */
export class KafkaTopicSettings {
  readonly defaultPartitions: number;
  readonly maxPartitions: number;
  private readonly resolver: ConfigResolver;

  constructor(resolver: ConfigResolver, config: KafkaConfig) {
    this.resolver = resolver;
    this.defaultPartitions = config.defaultPartitions;
    this.maxPartitions = config.maxPartitionsPerTopic;
  }

  /** What core is told about a topic with these configurations, or why they cannot be. */
  resolve(overrides: ConfigValues): TopicConfig | { readonly invalid: string } {
    for (const [name, value] of Object.entries(overrides)) {
      const defect = findTopicConfigDefect(name, value);
      if (defect !== null) return { invalid: defect };
    }
    return this.resolver.topicConfig(overrides);
  }

  describe(overrides: ConfigValues): readonly DescribedSetting[] {
    return TOPIC_CONFIGS.map(({ name, doc }) => {
      const nearest = this.resolver.topicSynonyms(name, overrides)[0];
      return {
        name,
        value: nearest?.value ?? null,
        origin: ORIGINS[nearest?.source ?? CONFIG_SOURCE.default] ?? 'default',
        sensitive: false,
        documentation: doc,
      };
    });
  }
}
