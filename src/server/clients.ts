/** How a client reaches a cluster, whatever the protocol. */
export interface ClientSettings {
  readonly bootstrap: readonly { readonly host: string; readonly port: number }[];
  readonly clientId: string;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly verify: boolean;
  } | null;
  readonly timeoutMs: number;
  /** Null: what the protocol takes without. */
  readonly credentials?: { readonly user: string; readonly password: string } | null;
  /** Of AMQP; null: /. */
  readonly virtualHost?: string | null;
}

export interface MessageHeader {
  readonly name: string;
  readonly value: Buffer | null;
}

export interface OutgoingMessage {
  /** Of AMQP: the routing key, in place of the destination's. */
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: readonly MessageHeader[];
  readonly partition?: number;
}

export interface IncomingMessage {
  /** -1: where it was has no number. */
  readonly offset: number;
  /** -1: it does not say. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly MessageHeader[];
  /** What the protocol knows besides, by its own names. */
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
}

/** Outcome of messages that travelled together, in the order they were given. */
export interface PublishOutcome {
  /** -1: there are none. */
  readonly partition: number;
  /** Of the first message; -1 when the protocol or the acks say none. */
  readonly baseOffset: number;
  readonly tokens: readonly number[];
  readonly error: Error | null;
}

export interface PublisherSettings {
  /** What the destination names: a topic, a queue, or exchange/key. */
  readonly topic: string;
  readonly acks?: -1 | 0 | 1;
  readonly lingerMs?: number;
  readonly batchBytes?: number;
  readonly inFlightMax?: number;
  readonly bufferBytes?: number;
  readonly compression?: 'none' | 'gzip';
  /**
   * After an outage of up to this time messages without an answer are sent again. Kafka, with acks -1: none twice.
   * AMQP: those whose confirm was lost twice. Default 0: not at all.
   */
  readonly retryMs?: number;
  readonly onOutage?: (outage: Error) => void;
  /** Of AMQP, by the names that the specification has. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Of AMQP: a message that reaches no queue fails. Without it, it does so for queues and not for exchanges. */
  readonly mandatory?: boolean;
  /** The broker takes nothing for a while, and why; null: it does again. */
  readonly onBlocked?: (reason: string | null) => void;
}

export interface Publisher {
  readonly partitions: readonly { readonly index: number }[];
  readonly hasRoom: boolean;
  readonly pendingRecords: number;
  /** token comes back with the outcome. */
  append(message: OutgoingMessage, timestampMs: number, token: number): void;
  room(): Promise<void>;
  /** Resolves when every outcome is known. */
  flush(): Promise<void>;
}

export type StartPoint =
  | 'start'
  | 'end'
  | { readonly offset: number }
  | { readonly last: number }
  | { readonly time: number };

export interface SubscriberSettings {
  readonly topics: readonly string[];
  /** Null: what is usual; new messages of a topic or a stream, all of a queue. */
  readonly from: StartPoint | null;
  readonly partitions: readonly number[] | null;
  readonly group: string | null;
  readonly fetch?: {
    readonly waitMs?: number;
    readonly minBytes?: number;
    readonly maxBytes?: number;
  };
  /** Of AMQP: messages that may be here without being acknowledged. */
  readonly prefetch?: number;
  /** Of AMQP: the broker waits for no acks. */
  readonly noAck?: boolean;
}

export interface IncomingData {
  readonly topic: string;
  /** -1: there are none. */
  readonly partition: number;
  readonly recordCount: number;
  readonly bytes: number;
  /** Until visit returns false: then that message and those behind it do not count as consumed. */
  forEachRecord(visit: (message: IncomingMessage) => boolean): void;
}

export interface Subscriber {
  /** What came, or nothing after a while. What was handed out before has been dealt with. */
  poll(): Promise<IncomingData[]>;
  /** Everything that existed at the first call was handed out. */
  atEnd(): Promise<boolean>;
  commit(): Promise<void>;
  /**
   * Connects again and goes on behind what was handed out, or where that was not acknowledged yet, with it once
   * more; may be tried again when it rejects.
   */
  resume(): Promise<void>;
  close(): Promise<void>;
}

/** A client of one protocol, for the command line. */
export interface MessagingClient {
  producer(
    settings: PublisherSettings,
    onOutcome: (outcome: PublishOutcome) => void,
  ): Promise<Publisher>;
  /** Ready to poll. */
  consumer(settings: SubscriberSettings): Promise<Subscriber>;
  /** What can be subscribed to. */
  topicNames(): Promise<string[]>;
  close(): Promise<void>;
}

interface ClientModule {
  readonly defaultPort: number;
  readonly defaultTlsPort: number;
  create(settings: ClientSettings): Promise<MessagingClient>;
}

const CLIENTS: Readonly<Record<string, ClientModule>> = {
  kafka: {
    defaultPort: 9092,
    defaultTlsPort: 9092,
    create: async (settings) => {
      const { KafkaClient } = await import('../protocols/kafka/client/index.ts');
      return new KafkaClient(settings);
    },
  },
  amqp: {
    defaultPort: 5672,
    defaultTlsPort: 5671,
    create: async (settings) => new (await loadAmqp()).AmqpClient(settings),
  },
};

/** Schemes that have a client. */
export const CLIENT_SCHEMES: readonly string[] = Object.keys(CLIENTS);

/** The client of a scheme without transport suffix, or null when it has none. */
export function clientFor(scheme: string): ClientModule | null {
  return CLIENTS[scheme] ?? null;
}

export type {
  AmqpChannel,
  AmqpClient,
  AmqpConnection,
  ChannelListener,
  Delivery,
} from '../protocols/amqp/client/index.ts';

/** The AMQP client itself, for what MessagingClient has no words for: topologies, settling, prefetch. */
export function loadAmqp() {
  return import('../protocols/amqp/client/index.ts');
}
