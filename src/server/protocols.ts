import type { TopicSettings } from '../admin/ports.ts';
import type { Broker } from '../core/broker.ts';
import type { Frontend } from '../net/protocol.ts';
import type { Origin } from '../core/message/message.ts';
import type { PropertiesReader } from '../core/message/properties.ts';
import {
  AMQP_CONFIG_DEFAULTS,
  amqpModule,
  amqpProperties,
  type AmqpConfig,
} from '../protocols/amqp/index.ts';
import {
  KAFKA_CONFIG_DEFAULTS,
  kafkaModule,
  kafkaTopicSettings,
  type KafkaConfig,
} from '../protocols/kafka/index.ts';

/** What each protocol is configured with. */
export interface ProtocolSettings {
  readonly kafka: KafkaConfig;
  readonly amqp: AmqpConfig;
}

export const PROTOCOL_DEFAULTS: ProtocolSettings = {
  kafka: KAFKA_CONFIG_DEFAULTS,
  amqp: AMQP_CONFIG_DEFAULTS,
};

/** One protocol as the server composes it. */
export interface ProtocolEntry {
  readonly scheme: string;
  readonly defaultPort: number;
  createFrontend(broker: Broker, settings: ProtocolSettings): Frontend;
  /** It has heartbeats of its own, or connections that may be silent for ever: the idle timeout is not for them. */
  readonly watchesIdle: boolean;
  /** Its clients have to log in: its listeners may be reached from other machines. */
  readonly authenticates: boolean;
  /** How the properties of its messages are read by others, when it has messages with properties. */
  readonly properties: { readonly origin: Origin; readonly reader: PropertiesReader } | null;
  /** Topic settings in this protocol's words, when it has any. */
  topicSettings(frontend: Frontend): TopicSettings | null;
}

/** Every protocol that this build speaks. With clients.ts, the only place outside protocols/ that names one. */
export const PROTOCOLS: readonly ProtocolEntry[] = [
  {
    scheme: kafkaModule.scheme,
    defaultPort: kafkaModule.defaultPort,
    createFrontend: (broker, { kafka }) => kafkaModule.createFrontend(broker, kafka),
    watchesIdle: false,
    authenticates: false,
    properties: null,
    topicSettings: kafkaTopicSettings,
  },
  {
    scheme: amqpModule.scheme,
    defaultPort: amqpModule.defaultPort,
    createFrontend: (broker, { amqp }) => amqpModule.createFrontend(broker, amqp),
    watchesIdle: true,
    authenticates: true,
    properties: amqpProperties,
    topicSettings: () => null,
  },
];
