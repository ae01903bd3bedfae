import { LyrebirdError } from '../../base/errors.ts';
import { silentLogger, type Logger } from '../../telemetry/logger.ts';
import { SERVER_DEFAULTS, type ListenerSpec, type ServerOptions } from '../options.ts';
import type { Server } from '../server.ts';
import { startServer } from '../start-server.ts';
import { EmbeddedGroups } from './groups.ts';
import { EmbeddedTopics } from './topics.ts';

export type EmbeddedStorage =
  | 'memory'
  | {
      /** The data folder; made when missing. */
      readonly path: string;
      /** Default 'fsync': acknowledged means on disk. */
      readonly durability?: 'fsync' | 'os' | 'memory';
    };

export interface EmbeddedListener {
  /** Default 127.0.0.1. Another address than loopback needs the setting security.anonymous = "allow". */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
}

export interface BrokerOptions {
  /** Default 'memory'. */
  readonly storage?: EmbeddedStorage;
  /** By scheme: `kafka`, `admin`. Default: Kafka on a free port of the loopback interface. */
  readonly listeners?: Readonly<Record<string, EmbeddedListener>>;
  /** Keys of the configuration file, such as `{ 'kafka.auto_create_partitions': 4 }`. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
}

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** A broker in this process. */
export interface LyrebirdBroker extends AsyncDisposable {
  readonly topics: EmbeddedTopics;
  readonly groups: EmbeddedGroups;
  /** `host:port` of the Kafka listener, for any Kafka client. */
  readonly bootstrapServers: string;
  /** Of a listener by name; throws when there is none. */
  address(listener?: string): BrokerAddress;
  /** `kafka://127.0.0.1:41873`, or `http://...` for interfaces over HTTP. */
  url(listener?: string): string;
  /** All metrics, in the text format of Prometheus. */
  metrics(): string;
  /** Deletes all topics and groups: a fresh start in milliseconds, on the same port. */
  reset(): Promise<void>;
  /** Finishes what is under way, closes everything that was opened. Idempotent. */
  close(): Promise<void>;
}

/** Starts a broker in this process. Several share nothing. */
export async function createBroker(options: BrokerOptions = {}): Promise<LyrebirdBroker> {
  return new EmbeddedBroker(await startServer(await serverOptions(options)));
}

async function serverOptions(options: BrokerOptions): Promise<ServerOptions> {
  const { storage = 'memory', listeners = { kafka: {} }, settings } = options;
  const base = await baseOptions(settings, options.logger ?? silentLogger);
  const specs = Object.entries(listeners).map(([scheme, listener]) =>
    listenerSpec(scheme, listener),
  );
  const common = { ...base, listeners: specs };
  if (storage === 'memory') return { ...common, storage: { kind: 'memory' } };
  const { path, durability = base.durability } = storage;
  const kafka = { ...base.protocols.kafka, dataFolder: path, defaultDurability: durability };
  const amqp = { ...base.protocols.amqp, streamDurability: durability };
  return { ...common, storage: { kind: 'disk', path }, durability, protocols: { kafka, amqp } };
}

/** The configuration schema is loaded only when a setting is given: it takes longer than starting a broker. */
async function baseOptions(
  settings: BrokerOptions['settings'],
  logger: Logger,
): Promise<ServerOptions> {
  if (settings === undefined) return { ...SERVER_DEFAULTS, logger };
  const { loadConfig } = await import('../../config/index.ts');
  const { serverOptions: configuredOptions } = await import('../from-config.ts');
  const flags = Object.entries(settings).map(([key, value]) => {
    if (/^(listeners|storage|log)(\.|$)/.test(key)) {
      throw new LyrebirdError('LB1001', `${key} is an option of createBroker of its own`);
    }
    return { key, value, flag: 'settings' };
  });
  return configuredOptions(loadConfig({ file: null, environment: {}, flags }), logger);
}

function listenerSpec(scheme: string, { host, port, tls }: EmbeddedListener): ListenerSpec {
  const files =
    tls === undefined
      ? null
      : {
          certFile: tls.cert,
          keyFile: tls.key,
          ...(tls.clientCa === undefined ? {} : { clientCaFile: tls.clientCa }),
        };
  return { name: scheme, scheme, host: host ?? '127.0.0.1', port: port ?? 0, tls: files };
}

class EmbeddedBroker implements LyrebirdBroker {
  readonly topics: EmbeddedTopics;
  readonly groups: EmbeddedGroups;
  private readonly server: Server;

  constructor(server: Server) {
    this.server = server;
    this.topics = new EmbeddedTopics(server.broker, server.topicSettings);
    this.groups = new EmbeddedGroups(server.broker);
  }

  get bootstrapServers(): string {
    const { host, port } = this.address('kafka');
    return `${host}:${port}`;
  }

  address(listener = 'kafka'): BrokerAddress {
    const { host, port } = this.find(listener);
    return { host, port };
  }

  url(listener = 'kafka'): string {
    const { scheme, host, port, tls, isHttp } = this.find(listener);
    const bracketed = host.includes(':') ? `[${host}]` : host;
    if (isHttp) return `${tls ? 'https' : 'http'}://${bracketed}:${port}`;
    return `${scheme}${tls ? '+tls' : ''}://${bracketed}:${port}`;
  }

  metrics(): string {
    return this.server.metrics.scrape();
  }

  async reset(): Promise<void> {
    for (const { name } of this.topics.list()) await this.topics.delete(name);
    for (const group of this.groups.list()) {
      // A group whose members are still there is dropped when they leave; it has no offsets left by then.
      if (this.groups.members(group) === 0) await this.groups.delete(group);
    }
  }

  close(): Promise<void> {
    return this.server.close('drain');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private find(name: string): Server['listeners'][number] {
    const found = this.server.listeners.find((listener) => listener.name === name);
    if (found !== undefined) return found;
    const known = this.server.listeners.map((listener) => listener.name).join(', ');
    throw new LyrebirdError('LB1005', `there is no listener ${name}; open: ${known}`);
  }
}
