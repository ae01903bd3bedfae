import type { Broker } from '../../core/broker.ts';
import type { Message } from '../../core/message/message.ts';
import type { QueueRegistry } from '../../core/queue-types.ts';
import type { Router } from '../../core/routing-types.ts';
import type { ArgumentReader } from './codec/argument-reader.ts';
import type { BytesInterner } from './codec/bytes-interner.ts';
import type { ContentHeader } from './codec/content-header.ts';
import type { OutgoingContent } from './codec/content-writer.ts';
import type { OutputPool } from './codec/output-pool.ts';
import type { PublishArguments, SettleArguments } from './codec/publish-arguments.ts';
import type { AmqpConfig } from './config.ts';
import type { AmqpCounters } from './counters.ts';
import type { DirectReplies } from './direct-reply.ts';
import type { PublishRequest } from './publish-request.ts';
import type { RoutingBytes } from './routing-bytes.ts';
import type { Streams } from './stream/streams.ts';

/** What all connections of one front-end share. The scratch objects are used within one call and hold nothing after it. */
export interface AmqpServices {
  readonly broker: Broker;
  readonly queues: QueueRegistry;
  readonly router: Router;
  /** Replaced as a whole when an operator changes it. */
  config: AmqpConfig;
  readonly counters: AmqpCounters;
  readonly directReplies: DirectReplies;
  readonly streams: Streams;
  readonly outputPool: OutputPool;
  readonly routingBytes: RoutingBytes;
  readonly names: BytesInterner;
  readonly scratch: {
    readonly reader: ArgumentReader;
    readonly publish: PublishArguments;
    readonly request: PublishRequest;
    readonly settle: SettleArguments;
    readonly header: ContentHeader;
    /** For properties that are changed on their way out. */
    readonly rewriting: ContentHeader;
    readonly message: Message;
    readonly content: OutgoingContent;
  };
}

/** Where something is declared: on a channel, or by a request to the management interface. */
export interface DeclarationScope {
  readonly connection: { readonly namespace: string; readonly vhost: string };
  readonly services: AmqpServices;
}
