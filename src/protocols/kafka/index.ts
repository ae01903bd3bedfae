import type { Broker } from '../../core/broker.ts';
import type { Frontend, ProtocolModule } from '../../net/protocol.ts';
import type { KafkaConfig } from './config.ts';
import { KafkaFrontend } from './frontend.ts';

export { KAFKA_CONFIG_DEFAULTS } from './config.ts';
export type { AdvertisedAddress, KafkaConfig } from './config.ts';

/** The Kafka protocol as server/ composes it. */
export const kafkaModule: ProtocolModule<KafkaConfig> = {
  scheme: 'kafka',
  defaultPort: 9092,
  createFrontend(broker: Broker, config: KafkaConfig): Frontend {
    return new KafkaFrontend(broker, config);
  },
};
