import type { Broker } from '../../core/broker.ts';
import type { Frontend, ProtocolModule } from '../../net/protocol.ts';
import type { KafkaConfig } from './config.ts';
import { KafkaFrontend } from './frontend.ts';
import { KafkaTopicSettings } from './topic-settings.ts';

export { KAFKA_CONFIG_DEFAULTS } from './config.ts';
export type { KafkaConfig } from './config.ts';

/** The Kafka protocol as server/ composes it. */
export const kafkaModule: ProtocolModule<KafkaConfig> = {
  scheme: 'kafka',
  defaultPort: 9092,
  createFrontend(broker: Broker, config: KafkaConfig): Frontend {
    return new KafkaFrontend(broker, config);
  },
};

/** Topic configurations of one of this module's front-ends, for the admin interface. */
export function kafkaTopicSettings(frontend: Frontend): KafkaTopicSettings | null {
  if (!(frontend instanceof KafkaFrontend)) return null;
  const { configResolver, config } = frontend.services;
  return new KafkaTopicSettings(configResolver, config);
}
