import type { DialTls } from '../../../net/dial.ts';
import { AmqpConnection } from './connection.ts';
import type { Credentials } from './handshake.ts';
import {
  AmqpPublisher,
  PUBLISHER_DEFAULTS,
  type Outcome,
  type PublisherSettings,
} from './publisher.ts';
import { AmqpSubscriber, type SubscriberSettings } from './subscriber.ts';
import { queueNames } from './queue-names.ts';
import { parseTarget } from './target.ts';

export type { AmqpChannel, ChannelListener } from './channel.ts';
export type { AmqpConnection } from './connection.ts';
export type { Delivery } from './delivery.ts';
export { OutgoingContent } from '../codec/content-writer.ts';
export { tableOf } from '../codec/field-object.ts';
export { replyCodeOf } from './client-error.ts';
export { basicProperties, propertyFault } from './properties.ts';
export { propertySection, publishFrame } from './publish-frame.ts';
export {
  bindQueue,
  consume,
  declareExchange,
  declareQueue,
  requireTarget,
  selectConfirms,
  setPrefetch,
} from './topology.ts';

export interface AmqpClientSettings {
  /** Tried in order. */
  readonly bootstrap: readonly { readonly host: string; readonly port: number }[];
  readonly clientId: string;
  readonly tls: DialTls | null;
  readonly timeoutMs: number;
  /** Null: guest. */
  readonly credentials?: Credentials | null;
  /** Null: /. */
  readonly virtualHost?: string | null;
}

const GUEST: Credentials = { user: 'guest', password: 'guest' };

/** A client of one broker. What it opens shares a connection. */
export class AmqpClient {
  private readonly settings: AmqpClientSettings;
  private connection: Promise<AmqpConnection> | null = null;

  constructor(settings: AmqpClientSettings) {
    this.settings = settings;
  }

  async producer(
    settings: Partial<PublisherSettings> & { readonly topic: string },
    onOutcome: (outcome: Outcome) => void,
  ): Promise<AmqpPublisher> {
    const target = parseTarget(settings.topic);
    const all = { ...PUBLISHER_DEFAULTS, ...settings };
    const publisher = new AmqpPublisher(() => this.connect(), target, all, onOutcome);
    await publisher.start();
    return publisher;
  }

  /** Ready to poll. */
  async consumer(settings: SubscriberSettings): Promise<AmqpSubscriber> {
    const subscriber = new AmqpSubscriber(() => this.connect(), settings);
    await subscriber.start();
    return subscriber;
  }

  /** Names of queues, where a management interface tells them. */
  async topicNames(): Promise<string[]> {
    const { bootstrap, credentials, tls, virtualHost } = this.settings;
    const [first] = bootstrap;
    // Over TLS alone, the password goes nowhere without it.
    if (first === undefined || tls !== null) return [];
    return queueNames(first.host, virtualHost ?? '/', credentials ?? GUEST);
  }

  /** The open connection, or a new one. */
  async connect(): Promise<AmqpConnection> {
    const open = await this.connection?.catch(() => null);
    if (open?.closed === false) return open;
    const opening = this.open();
    this.connection = opening;
    return opening;
  }

  async close(): Promise<void> {
    const open = await this.connection?.catch(() => null);
    await open?.close();
  }

  private async open(): Promise<AmqpConnection> {
    const { bootstrap, credentials, virtualHost } = this.settings;
    let failure: unknown = null;
    for (const address of bootstrap) {
      try {
        return await AmqpConnection.open(address, {
          ...this.settings,
          credentials: credentials ?? GUEST,
          virtualHost: virtualHost ?? '/',
        });
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  }
}
