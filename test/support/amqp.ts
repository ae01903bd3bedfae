import { once } from 'node:events';
import {
  connect,
  type Channel,
  type ChannelModel,
  type ConfirmChannel,
  type Options,
} from 'amqplib';
import type { ConsumeMessage } from 'amqplib';
import { createBroker, type EmbeddedStorage, type LyrebirdBroker } from '../../src/index.ts';

/** A broker in this process with listeners for AMQP and Kafka, and the amqplib connections made to it. */
export class AmqpTestBroker {
  readonly broker: LyrebirdBroker;
  private readonly connections: ChannelModel[] = [];

  private constructor(broker: LyrebirdBroker) {
    this.broker = broker;
  }

  static async start(
    options: {
      readonly storage?: EmbeddedStorage;
      readonly settings?: Readonly<Record<string, string | number | boolean>>;
    } = {},
  ): Promise<AmqpTestBroker> {
    return new AmqpTestBroker(
      await createBroker({ ...options, listeners: { amqp: {}, kafka: {} } }),
    );
  }

  get url(): string {
    return this.broker.url('amqp');
  }

  get port(): number {
    return this.broker.address('amqp').port;
  }

  /** A connection whose errors are for whoever listens, and end nothing here. */
  async connect(options: { readonly query?: string } = {}): Promise<ChannelModel> {
    const connection = await connect(`${this.url}${options.query ?? ''}`);
    connection.on('error', () => {});
    this.connections.push(connection);
    return connection;
  }

  /** A channel on a connection of its own. */
  async channel(): Promise<Channel> {
    const channel = await (await this.connect()).createChannel();
    channel.on('error', () => {});
    return channel;
  }

  async confirmChannel(): Promise<ConfirmChannel> {
    const channel = await (await this.connect()).createConfirmChannel();
    channel.on('error', () => {});
    return channel;
  }

  /** Resolves when the broker has looked at what arrived before. */
  async roundTrip(channel: Channel): Promise<void> {
    await channel.checkExchange('amq.direct');
  }

  /** Ends the connections; the broker stays. */
  async disconnect(): Promise<void> {
    const ends = this.connections.splice(0).map((connection) => connection.close());
    await Promise.allSettled(ends);
  }

  async stop(): Promise<void> {
    await this.disconnect();
    await this.broker.close();
  }
}

export interface Inbox {
  readonly tag: string;
  readonly messages: ConsumeMessage[];
  /** Resolves when so many came in all. */
  holds(count: number): Promise<readonly ConsumeMessage[]>;
  /** Resolves when the broker ended the consumer. */
  readonly cancelled: Promise<void>;
}

/** Consumes into an array. With ack 'each', every message is acknowledged as it comes. */
export async function consumeInto(
  channel: Channel,
  queue: string,
  options: Options.Consume & { readonly acks?: 'each' | 'none' } = {},
): Promise<Inbox> {
  const { acks = 'none', ...rest } = options;
  const messages: ConsumeMessage[] = [];
  let waiting: { count: number; resolve: () => void }[] = [];
  let cancel: () => void = () => {};
  const cancelled = new Promise<void>((resolve) => (cancel = resolve));
  const { consumerTag: tag } = await channel.consume(
    queue,
    (message) => {
      if (message === null) {
        cancel();
        return;
      }
      messages.push(message);
      if (acks === 'each' && rest.noAck !== true) channel.ack(message);
      for (const waiter of waiting) if (messages.length >= waiter.count) waiter.resolve();
      waiting = waiting.filter(({ count }) => messages.length < count);
    },
    rest,
  );
  const holds = async (count: number): Promise<readonly ConsumeMessage[]> => {
    if (messages.length < count) {
      await new Promise<void>((resolve) => waiting.push({ count, resolve }));
    }
    return messages;
  };
  return { tag, messages, holds, cancelled };
}

export const textOf = (message: { readonly content: Buffer }): string => message.content.toString();

export const textsOf = (messages: readonly { readonly content: Buffer }[]): string[] =>
  messages.map(textOf);

/**
 * Resolves when everything that was sent on the channel before was worked on: the broker answers in order. What it
 * delivered meanwhile has arrived.
 */
export async function settled(channel: Channel): Promise<void> {
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.deleteQueue(queue);
}

/** The error that closes the channel when work is done on it: code and text as the broker sent them. */
export async function channelError(
  channel: Channel,
  work: () => unknown,
): Promise<{ readonly code: number; readonly text: string }> {
  const failed = once(channel, 'error');
  Promise.resolve(work()).catch(() => {});
  const [error] = (await failed) as [Error & { readonly code?: number }];
  const text = /with message "([\s\S]*)"/.exec(error.message)?.[1] ?? error.message;
  return { code: error.code ?? 0, text };
}

/** The error that closes the connection when work is done on it. */
export async function connectionError(
  connection: ChannelModel,
  work: () => unknown,
): Promise<{ readonly code: number; readonly text: string }> {
  const failed = once(connection, 'error');
  Promise.resolve(work()).catch(() => {});
  const [error] = (await failed) as [Error & { readonly code?: number }];
  const text = /with message "([\s\S]*)"/.exec(error.message)?.[1] ?? error.message;
  return { code: error.code ?? 0, text };
}
