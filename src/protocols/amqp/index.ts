import type { Broker } from '../../core/broker.ts';
import { ORIGIN } from '../../core/message/message.ts';
import type { Frontend, ProtocolModule } from '../../net/protocol.ts';
import type { AmqpConfig } from './config.ts';
import { AmqpFrontend } from './frontend.ts';
import { AmqpPropertiesReader } from './properties-reader.ts';

export { AMQP_CONFIG_DEFAULTS } from './config.ts';
export type { AmqpConfig } from './config.ts';

/** AMQP 0-9-1 as server/ composes it. */
export const amqpModule: ProtocolModule<AmqpConfig> = {
  scheme: 'amqp',
  defaultPort: 5672,
  createFrontend(broker: Broker, config: AmqpConfig): Frontend {
    return new AmqpFrontend(broker, config);
  },
};

/** Messages that AMQP clients published stay readable for other protocols, whether or not AMQP is listened to. */
export const amqpProperties = { origin: ORIGIN.amqp091, reader: new AmqpPropertiesReader() };
