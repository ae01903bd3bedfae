import type { KafkaServices } from '../services.ts';

/**
 * Brings every topic in line with the broker's configurations after those changed: a topic's settings follow them
 * where it does not override them.
 */
export async function applyBrokerConfigs(services: KafkaServices): Promise<void> {
  const { broker, configResolver, namespace } = services;
  for (const topic of broker.topics.list(namespace)) {
    const config = configResolver.topicConfig(topic.overrides);
    const now = topic.config;
    const same =
      config.durability === now.durability &&
      config.retentionMs === now.retentionMs &&
      config.retentionBytes === now.retentionBytes &&
      config.segmentBytes === now.segmentBytes &&
      config.maxMessageBytes === now.maxMessageBytes &&
      config.timestampType === now.timestampType &&
      config.timestampBeforeMaxMs === now.timestampBeforeMaxMs &&
      config.timestampAfterMaxMs === now.timestampAfterMaxMs &&
      config.requireKey === now.requireKey;
    if (same) continue;
    try {
      await broker.topics.alterConfig(namespace, topic.name, config, topic.overrides);
    } catch (error) {
      broker.logger.error('kafka.config.apply-failed', 'a topic did not follow the broker', {
        topic: topic.name,
        err: error,
      });
    }
  }
}
