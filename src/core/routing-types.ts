import type { Message } from './message/message.ts';
import type { Arguments, QueueView } from './queue-types.ts';

export interface ExchangeView {
  readonly namespace: string;
  readonly name: string;
  /** direct, fanout, topic, headers, x-consistent-hash, x-random, x-modulus-hash, x-recent-history, x-delayed-message, x-local-random */
  readonly type: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  /** Clients may not publish to it. */
  readonly internal: boolean;
  /** Names without a protocol's prefix. */
  readonly arguments: Arguments;
  readonly alternateExchange: string | null;
  readonly policy: string | null;
  readonly totals: { publishedIn: number; publishedOut: number };
}

export interface BindingView {
  readonly namespace: string;
  readonly source: string;
  readonly destinationKind: 'queue' | 'exchange' | 'topic';
  readonly destination: string;
  readonly routingKey: string;
  readonly arguments: Arguments;
  /** Identifies it among those of the same source and destination: the routing key, with a hash when it has arguments. */
  readonly propertiesKey: string;
  readonly durable: boolean;
}

export interface NewExchange {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly internal: boolean;
  readonly arguments: Arguments;
}

export type NewBinding = Omit<BindingView, 'propertiesKey' | 'durable'>;

export type ExchangeOutcome =
  | { readonly status: 'ok'; readonly exchange: ExchangeView; readonly created: boolean }
  | {
      readonly status: 'inequivalent';
      readonly exchange: ExchangeView;
      readonly property: string;
      readonly received: string;
      readonly current: string;
    }
  | { readonly status: 'unknown-type'; readonly message: string }
  | { readonly status: 'invalid-argument'; readonly argument: string; readonly message: string }
  | { readonly status: 'limit' | 'failed'; readonly message: string };

export type BindingOutcome =
  | { readonly status: 'ok'; readonly changed: boolean }
  | { readonly status: 'no-source' | 'no-destination' | 'default-exchange' }
  | { readonly status: 'invalid-argument'; readonly message: string }
  | { readonly status: 'limit' | 'failed'; readonly message: string };

/** What became of a publish. Reused: valid until the next publish. */
export interface PublishResult {
  /** Queues and topics that took it (delayed messages count as taken). 0: nobody was bound, or all of them refused. */
  readonly accepted: number;
  /** Queues that were bound to it. */
  readonly matched: number;
  /** A queue with reject-publish was full, or storage takes nothing: a publisher that waits for a confirm is told so. */
  readonly rejected: boolean;
}

/** The exchanges and bindings of all namespaces, and the way of a message through them. */
export interface Router {
  readonly revision: number;
  exchange(namespace: string, name: string): ExchangeView | null;
  exchanges(namespace: string): readonly ExchangeView[];
  /** Resolves when durable; not durable ones at once. */
  declareExchange(exchange: NewExchange): Promise<ExchangeOutcome> | ExchangeOutcome;
  deleteExchange(
    namespace: string,
    name: string,
    conditions: { readonly ifUnused?: boolean },
  ): Promise<{ readonly status: 'ok' | 'unknown' | 'in-use' | 'predeclared' | 'failed' }>;
  bind(binding: NewBinding): Promise<BindingOutcome> | BindingOutcome;
  unbind(binding: NewBinding): Promise<BindingOutcome> | BindingOutcome;
  bindings(
    namespace: string,
    filter?: {
      readonly source?: string;
      readonly destinationKind?: BindingView['destinationKind'];
      readonly destination?: string;
    },
  ): readonly BindingView[];
  /**
   * Routes message (by its exchange and routingKey) and hands it to the queues. The bytes are copied or delivered
   * before this returns. null when there is no such exchange.
   */
  publish(namespace: string, message: Message): PublishResult | null;
  /** Routes a message that an exchange delayed, by the bindings of now. null when that exchange is gone. */
  publishDue(namespace: string, exchange: string, message: Message): PublishResult | null;
  /** Straight to one queue: what the default exchange does. */
  publishToQueue(queue: QueueView, message: Message): PublishResult;
  /** Who would get it and by which bindings, without doing it. */
  explain(
    namespace: string,
    message: Message,
  ): readonly { readonly destination: string; readonly via: readonly BindingView[] }[];
  /** Deletes everything of a namespace that is going. Rejects when storage does. */
  dropNamespace(namespace: string): Promise<void>;
  /** Policies of the namespace changed: alternate exchanges are looked up again. */
  policiesChanged(namespace: string): void;
}
