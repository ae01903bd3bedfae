import type { TopicSettings } from '../admin/ports.ts';
import type { Broker } from '../core/broker.ts';
import type { Frontend } from '../net/protocol.ts';
import {
  KAFKA_CONFIG_DEFAULTS,
  kafkaModule,
  kafkaTopicSettings,
  type KafkaConfig,
} from '../protocols/kafka/index.ts';

/** What each protocol is configured with. */
export interface ProtocolSettings {
  readonly kafka: KafkaConfig;
}

export const PROTOCOL_DEFAULTS: ProtocolSettings = { kafka: KAFKA_CONFIG_DEFAULTS };

/** One protocol as the server composes it. */
export interface ProtocolEntry {
  readonly scheme: string;
  readonly defaultPort: number;
  createFrontend(broker: Broker, settings: ProtocolSettings): Frontend;
  /** Topic settings in this protocol's words, when it has any. */
  topicSettings(frontend: Frontend): TopicSettings | null;
}

/** Every protocol that this build speaks. With clients.ts, the only place outside protocols/ that names one. */
export const PROTOCOLS: readonly ProtocolEntry[] = [
  {
    scheme: kafkaModule.scheme,
    defaultPort: kafkaModule.defaultPort,
    createFrontend: (broker, { kafka }) => kafkaModule.createFrontend(broker, kafka),
    topicSettings: kafkaTopicSettings,
  },
];
