import type { Broker } from '../../core/broker.ts';
import type { Frontend, MetricFamily } from '../../net/protocol.ts';
import type { Connection, ConnectionHandler } from '../../net/types.ts';
import { EventLoopIdle } from '../../telemetry/event-loop-idle.ts';
import { Writer } from './codec/writer.ts';
import type { KafkaConfig } from './config.ts';
import { applyBrokerConfigs } from './configs/broker-config-change.ts';
import { ConfigResolver } from './configs/config-resolver.ts';
import { DynamicConfigs } from './configs/dynamic-configs.ts';
import { KafkaConnection } from './connection.ts';
import { FetchSessions } from './fetch-session.ts';
import type { ApiHandler } from './handlers/handler.ts';
import { API_HANDLERS } from './handlers/registry.ts';
import { collectMetrics } from './metrics/collect.ts';
import { GroupLags } from './metrics/group-lags.ts';
import { KafkaMetrics } from './metrics/kafka-metrics.ts';
import type { KafkaServices } from './services.ts';
import { StorageNotices } from './storage-notices.ts';
import { TopicLookup } from './topic-lookup.ts';
import { WakeList } from './wake-list.ts';

/** All names of Kafka clients live here; namespaces per listener or principal come with authentication. */
export const KAFKA_NAMESPACE = 'default';

/** Writers kept for responses that wait for earlier ones. */
const IDLE_WRITERS_MAX = 64;
const ANY_ADDRESS = new Set(['0.0.0.0', '::', '']);

/** The Kafka protocol of one broker. */
export class KafkaFrontend implements Frontend {
  readonly services: KafkaServices;
  /** For responses that leave at once. */
  readonly scratch = new Writer();
  private readonly handlers: (ApiHandler | null)[] = [];
  private readonly connections = new Set<KafkaConnection>();
  private readonly idleWriters: Writer[] = [];
  private readonly waitingForStorage = new Set<KafkaConnection>();
  private readonly unsubscribe: (() => void)[] = [];
  private readonly idle = new EventLoopIdle();
  private readonly lags = new GroupLags();
  private listeners: readonly BoundListener[] = [];

  constructor(broker: Broker, config: KafkaConfig, handlers: readonly ApiHandler[] = API_HANDLERS) {
    for (const handler of handlers) this.register(handler);
    const dynamicConfigs = new DynamicConfigs(broker.settings, broker.events);
    this.services = {
      broker,
      config,
      namespace: KAFKA_NAMESPACE,
      metrics: new KafkaMetrics(),
      topicLookup: new TopicLookup(broker.topics, KAFKA_NAMESPACE),
      fetchSessions: new FetchSessions(broker.clock, broker.random, config.fetchSessionSlots),
      dynamicConfigs,
      configResolver: new ConfigResolver(dynamicConfigs, config, broker.nodeId),
      wakeList: new WakeList(),
      storageNotices: new StorageNotices(broker.clock, broker.logger),
      producePool: [],
      apiRanges: handlers
        .map((handler) => ({
          key: handler.api.key,
          minVersion: handler.advertisedMinVersion ?? handler.minVersion,
          maxVersion: handler.maxVersion,
        }))
        .sort((a, b) => a.key - b.key),
    };
    this.unsubscribe.push(
      broker.engine.onWritable(() => this.onStorageWritable()),
      dynamicConfigs.onBrokerChange(() =>
        broker.tasks.run('apply-broker-configs', () => applyBrokerConfigs(this.services)),
      ),
    );
  }

  accept(connection: Connection): ConnectionHandler {
    const handler = new KafkaConnection(this, connection);
    this.connections.add(handler);
    this.services.metrics.connections++;
    this.services.metrics.connectionsTotal++;
    return handler;
  }

  /** For metrics only: a client is told the address it reached, which its connection knows. */
  onBound(listeners: readonly BoundListener[]): void {
    this.listeners = listeners;
  }

  metrics(): Iterable<MetricFamily> {
    return collectMetrics(this.services, {
      connections: this.listenerCounts(),
      address: this.ownAddress(),
      idle: this.idle,
      lags: this.lags,
    });
  }

  async close(): Promise<void> {
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    this.unsubscribe.length = 0;
  }

  handlerOf(apiKey: number): ApiHandler | null {
    return this.handlers[apiKey] ?? null;
  }

  /** Where clients of this connection are told to connect. */
  advertisedAddress(connection: Connection): { readonly host: string; readonly port: number } {
    const configured = this.services.config.advertised[connection.listener];
    if (configured !== undefined) return configured;
    const reached = connection.tls?.servername ?? connection.localAddress;
    const host = ANY_ADDRESS.has(reached) ? '127.0.0.1' : withoutIpv4Prefix(reached);
    return { host, port: connection.localPort };
  }

  borrow(): Writer {
    return this.idleWriters.pop() ?? new Writer();
  }

  giveBack(writer: Writer): void {
    writer.reset();
    if (this.idleWriters.length < IDLE_WRITERS_MAX) this.idleWriters.push(writer);
  }

  forget(connection: KafkaConnection): void {
    this.connections.delete(connection);
    this.waitingForStorage.delete(connection);
  }

  /** Called after a publisher's request: when too much waits to be written, it is not read from until there is room. */
  checkStorage(connection: KafkaConnection): void {
    if (this.services.broker.engine.writable() || this.waitingForStorage.has(connection)) return;
    this.waitingForStorage.add(connection);
    connection.pauseForStorage();
  }

  private onStorageWritable(): void {
    const waiting = [...this.waitingForStorage];
    this.waitingForStorage.clear();
    for (const connection of waiting) connection.resumeAfterStorage();
  }

  private register(handler: ApiHandler): void {
    while (this.handlers.length <= handler.api.key) this.handlers.push(null);
    this.handlers[handler.api.key] = handler;
  }

  private listenerCounts(): ReadonlyMap<string, number> {
    const counts = new Map(this.listeners.map(({ name }) => [name, 0]));
    for (const connection of this.connections) {
      counts.set(connection.listener, (counts.get(connection.listener) ?? 0) + 1);
    }
    return counts;
  }

  private ownAddress(): string {
    const [first] = this.listeners;
    if (first === undefined) return '';
    const { host, port } = this.services.config.advertised[first.name] ?? first;
    return `${host}:${port}`;
  }
}

type BoundListener = Parameters<Frontend['onBound']>[0][number];

/** ::ffff:10.0.0.1 is the IPv4 address 10.0.0.1, as a socket that serves both families tells it. */
function withoutIpv4Prefix(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
