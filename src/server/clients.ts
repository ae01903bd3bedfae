import { KafkaClient } from '../protocols/kafka/client/index.ts';

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
}

export interface MessageHeader {
  readonly name: string;
  readonly value: Buffer | null;
}

export interface OutgoingMessage {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: readonly MessageHeader[];
  readonly partition?: number;
}

export interface IncomingMessage {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly MessageHeader[];
}

/** Outcome of messages that travelled together, in the order they were given. */
export interface PublishOutcome {
  readonly partition: number;
  /** Of the first message; -1 when the protocol or the acks say none. */
  readonly baseOffset: number;
  readonly tokens: readonly number[];
  readonly error: Error | null;
}

export interface PublisherSettings {
  readonly topic: string;
  readonly acks?: -1 | 0 | 1;
  readonly lingerMs?: number;
  readonly batchBytes?: number;
  readonly inFlightMax?: number;
  readonly bufferBytes?: number;
  readonly compression?: 'none' | 'gzip';
  /** With acks -1: after an outage of up to this time messages are sent again, none twice. Default 0: not at all. */
  readonly retryMs?: number;
  readonly onOutage?: (outage: Error) => void;
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
  readonly from: StartPoint;
  readonly partitions: readonly number[] | null;
  readonly group: string | null;
  readonly fetch?: {
    readonly waitMs?: number;
    readonly minBytes?: number;
    readonly maxBytes?: number;
  };
}

export interface IncomingData {
  readonly topic: string;
  readonly partition: number;
  readonly recordCount: number;
  readonly bytes: number;
  /** Until visit returns false: then that message and those behind it do not count as consumed. */
  forEachRecord(visit: (message: IncomingMessage) => boolean): void;
}

export interface Subscriber {
  /** What came, or nothing after a while. */
  poll(): Promise<IncomingData[]>;
  /** Everything that existed at the first call was handed out. */
  atEnd(): Promise<boolean>;
  commit(): Promise<void>;
  /** Connects again and goes on behind what was handed out; may be tried again when it rejects. */
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
  create(settings: ClientSettings): MessagingClient;
}

const CLIENTS: Readonly<Record<string, ClientModule>> = {
  kafka: { defaultPort: 9092, create: (settings) => new KafkaClient(settings) },
};

/** Schemes that have a client. */
export const CLIENT_SCHEMES: readonly string[] = Object.keys(CLIENTS);

/** The client of a scheme without transport suffix, or null when it has none. */
export function clientFor(scheme: string): ClientModule | null {
  return CLIENTS[scheme] ?? null;
}
