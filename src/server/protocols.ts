import type { AdminPart, Command, TopicSettings } from '../admin/ports.ts';
import type { Broker } from '../core/broker.ts';
import type { AppControl } from './app-control.ts';
import type { HttpHandler, HttpLimits } from '../net/http-server.ts';
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

/** An interface of a protocol over HTTP: its tools' API, or its metrics. */
export interface ProtocolHttp {
  readonly scheme: string;
  readonly defaultPort: number;
  readonly authenticates: boolean;
  load(
    frontend: Frontend,
    ports: HttpPorts,
  ): Promise<{ readonly handler: HttpHandler; readonly limits: HttpLimits }>;
}

/** Loaded when it is first asked for. prefix: where it is served. */
type ProtocolAdminPart = (
  frontend: Frontend,
  ports: HttpPorts,
  prefix: string,
) => Promise<AdminPart>;

/** A command of the tools of another broker; loaded when it is first given. */
export interface ProtocolCommand {
  readonly name: string;
  load(frontend: Frontend, ports: HttpPorts, control: AppControl | null): Promise<Command>;
  /** What it does while the broker is stopped inside its process. */
  whileStopped(control: AppControl, args: readonly string[]): ReturnType<Command>;
}

/** What such an interface is told of the server around it. */
export interface HttpPorts {
  readonly version: string;
  readonly startedAtMs: number;
  readonly dataFolder: string;
  listeners(): readonly {
    readonly scheme: string;
    readonly host: string;
    readonly port: number;
    readonly tls: boolean;
    /** End of its certificate, ms since the Unix epoch; null without TLS. */
    readonly certificateExpiresMs: number | null;
  }[];
}

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
  /** Interfaces over HTTP that belong to the protocol. */
  readonly http: readonly ProtocolHttp[];
  /** Its part of the admin API. */
  readonly adminPart: ProtocolAdminPart | null;
  /** Commands of the tools of other brokers. */
  readonly commands: readonly ProtocolCommand[];
  /** Topic settings in this protocol's words, when it has any. */
  topicSettings(frontend: Frontend): TopicSettings | null;
}

/** Loaded when somebody wants to listen: a broker without them starts faster. */
const AMQP_HTTP: readonly ProtocolHttp[] = [
  {
    scheme: 'management',
    defaultPort: 15672,
    authenticates: true,
    load: async (frontend, ports) => {
      const { managementInterface } = await import('../protocols/amqp/management/index.ts');
      return managementInterface(frontend, ports);
    },
  },
  {
    scheme: 'amqp-metrics',
    defaultPort: 15692,
    authenticates: false,
    load: async (frontend, ports) => {
      const { metricsInterface } = await import('../protocols/amqp/management/metrics/index.ts');
      return metricsInterface(frontend, ports);
    },
  },
];

const AMQP_ADMIN_PART: ProtocolAdminPart = async (frontend, ports, prefix) => {
  const { adminPart } = await import('../protocols/amqp/management/admin-part.ts');
  return adminPart(frontend, ports, prefix);
};

const RABBITMQCTL: ProtocolCommand = {
  name: 'rabbitmqctl',
  load: async (frontend, ports, control) => {
    const { rabbitmqctl } = await import('../protocols/amqp/ctl/index.ts');
    return rabbitmqctl(frontend, ports, control);
  },
  whileStopped: async (control, args) => {
    const { rabbitmqctlWhileStopped } = await import('../protocols/amqp/ctl/index.ts');
    return rabbitmqctlWhileStopped(control, args);
  },
};

/** Every protocol that this build speaks. With clients.ts, the only place outside protocols/ that names one. */
export const PROTOCOLS: readonly ProtocolEntry[] = [
  {
    scheme: kafkaModule.scheme,
    defaultPort: kafkaModule.defaultPort,
    createFrontend: (broker, { kafka }) => kafkaModule.createFrontend(broker, kafka),
    watchesIdle: false,
    authenticates: false,
    properties: null,
    http: [],
    adminPart: null,
    commands: [],
    topicSettings: kafkaTopicSettings,
  },
  {
    scheme: amqpModule.scheme,
    defaultPort: amqpModule.defaultPort,
    createFrontend: (broker, { amqp }) => amqpModule.createFrontend(broker, amqp),
    watchesIdle: true,
    authenticates: true,
    properties: amqpProperties,
    http: AMQP_HTTP,
    adminPart: AMQP_ADMIN_PART,
    commands: [RABBITMQCTL],
    topicSettings: () => null,
  },
];
