import type { Broker } from '../../core/broker.ts';
import { Message } from '../../core/message/message.ts';
import type { Frontend, MetricFamily } from '../../net/protocol.ts';
import type { CloseReason, Connection, ConnectionHandler } from '../../net/types.ts';
import { ArgumentReader } from './codec/argument-reader.ts';
import { BytesInterner } from './codec/bytes-interner.ts';
import { ContentHeader } from './codec/content-header.ts';
import { OutgoingContent } from './codec/content-writer.ts';
import { REPLY_CODE } from './codec/generated/reply-codes.ts';
import { OutputPool } from './codec/output-pool.ts';
import { PublishArguments, SettleArguments } from './codec/publish-arguments.ts';
import type { AmqpConfig } from './config.ts';
import { AmqpConnection } from './connection.ts';
import { AmqpCounters } from './counters.ts';
import { DirectReplies } from './direct-reply.ts';
import { amqpMetrics } from './metrics.ts';
import { PublishRequest } from './publish-request.ts';
import { RoutingBytes } from './routing-bytes.ts';
import type { AmqpServices } from './services.ts';
import { Streams } from './stream/streams.ts';
import { vhostOf } from './vhost.ts';

/** What clients are told when publishers are held back. */
const BLOCKED_REASONS = {
  memory: 'low on memory',
  disk: 'low on disk',
  storage: 'storage is behind',
} as const;

/** AMQP 0-9-1 of one broker. */
export class AmqpFrontend implements Frontend {
  readonly services: AmqpServices;
  /** In the order they came. */
  readonly connections = new Set<AmqpConnection>();
  private readonly unsubscribe: (() => void)[] = [];
  private blocked: string | null = null;

  constructor(broker: Broker, config: AmqpConfig) {
    const outputPool = new OutputPool();
    this.services = {
      broker,
      queues: broker.queues,
      router: broker.router,
      config,
      counters: new AmqpCounters(),
      directReplies: new DirectReplies(),
      streams: new Streams(broker.events, outputPool),
      outputPool,
      routingBytes: new RoutingBytes(),
      names: new BytesInterner(16_384),
      scratch: {
        reader: new ArgumentReader(Buffer.alloc(0)),
        publish: new PublishArguments(),
        request: new PublishRequest(),
        settle: new SettleArguments(),
        header: new ContentHeader(),
        rewriting: new ContentHeader(),
        message: new Message(),
        content: new OutgoingContent(),
      },
    };
    const { counters } = this.services;
    this.unsubscribe.push(
      broker.events.on('queue-created', () => void counters.queuesCreated++),
      broker.events.on('queue-deleted', () => void counters.queuesDeleted++),
      broker.queues.onAccepting(() => this.checkBlocked()),
      broker.events.on('security-changed', ({ user, deleted }) => {
        if (user !== null && deleted) {
          this.closeWhere((one) => one.user === user, `user '${user}' is deleted`);
        }
      }),
      broker.events.on('namespace-deleted', ({ name }) => {
        this.closeWhere((one) => one.namespace === name, `vhost '${vhostOf(name)}' is deleted`);
      }),
    );
  }

  accept(connection: Connection): ConnectionHandler {
    const handler = new AmqpConnection(this, connection);
    this.connections.add(handler);
    return handler;
  }

  /** Nothing to remember: AMQP clients are not told addresses. */
  onBound(): void {}

  /** What later connections are offered. Until the next start. */
  setChannelMax(channelMax: number): void {
    this.services.config = { ...this.services.config, channelMax };
  }

  metrics(): Iterable<MetricFamily> {
    return amqpMetrics(this);
  }

  close(): Promise<void> {
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    this.services.streams.close();
    return Promise.resolve();
  }

  /** A connection finished its handshake. */
  opened(connection: AmqpConnection): void {
    this.services.counters.connectionsOpened++;
    if (this.blocked !== null) connection.setBlocked(this.blocked);
  }

  /** A connection is gone. */
  forget(connection: AmqpConnection, reason: CloseReason): void {
    if (!this.connections.delete(connection)) return;
    const { broker, counters } = this.services;
    if (connection.wasOpen) counters.connectionsClosed++;
    broker.logger.debug('amqp.disconnected', 'a client is gone', {
      connection: connection.name,
      user: connection.user,
      reason,
    });
  }

  /** Before what a publisher sent is worked on: whether publishers are to be held back from now on. */
  checkPressure(): void {
    if (this.blocked === null && !this.services.queues.accepting()) this.checkBlocked();
  }

  private checkBlocked(): void {
    const { queues } = this.services;
    const { blockedReason } = queues;
    this.blocked = blockedReason === null ? null : BLOCKED_REASONS[blockedReason];
    for (const connection of this.connections) connection.setBlocked(this.blocked);
  }

  private closeWhere(isMeant: (connection: AmqpConnection) => boolean, why: string): void {
    for (const connection of [...this.connections].filter(isMeant)) {
      connection.close(REPLY_CODE.CONNECTION_FORCED, `CONNECTION_FORCED - ${why}`);
    }
  }
}
