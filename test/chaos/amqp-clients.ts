import {
  connect,
  type Channel,
  type ChannelModel,
  type ConfirmChannel,
  type ConsumeMessage,
} from 'amqplib';
import type { Heights, Ledger } from './amqp-ledger.ts';
import { MARKERS, TX_IN, TX_OUT, type ConsumedQueue, type Flow } from './amqp-topology.ts';

/** Publishes of one publisher that may wait for their confirm. */
const WINDOW = 60;
const PREFETCH = 40;
const MARKER_INTERVAL_MS = 15;
/** One in so many is given back the first time. */
const GIVEN_BACK = 17;
/** Messages are longer or shorter, so that batches end at all places. */
const PADDING = 'x'.repeat(700);

/** A connection of a client that expects the broker to die. */
export async function open(port: number): Promise<ChannelModel> {
  const connection = await connect(`amqp://guest:guest@127.0.0.1:${port}/?heartbeat=0`);
  connection.on('error', () => {});
  return connection;
}

/** A connection that breaks tells of an error first. */
function closed(connection: ChannelModel): Promise<void> {
  return new Promise((resolve) => connection.once('close', () => resolve()));
}

export interface Client {
  /** Resolves when the connection is gone and everything it said was heard. */
  readonly ended: Promise<unknown>;
  /** Ends work that is under way and says good-bye. */
  close(): Promise<void>;
}

/** Sends numbered messages until it is closed. Numbers go on where the life before ended. */
export class Publisher implements Client {
  readonly ended: Promise<unknown>;
  private readonly connection: ChannelModel;
  private readonly channel: ConfirmChannel;
  private readonly flow: Flow;
  private readonly ledger: Ledger;
  private stopping = false;
  private over = false;
  private waiting = 0;
  private moved: (() => void) | null = null;

  constructor(
    options: { readonly flow: Flow; readonly ledger: Ledger },
    connection: ChannelModel,
    channel: ConfirmChannel,
  ) {
    this.flow = options.flow;
    this.ledger = options.ledger;
    this.connection = connection;
    this.channel = channel;
    this.ended = closed(connection).then(() => this.end());
    channel.on('error', () => {});
    channel.on('return', ({ content }: { content: Buffer }) => {
      this.ledger.problem('returned', content.toString().split(' ', 1)[0] ?? '');
    });
  }

  static async start(
    port: number,
    options: { readonly flow: Flow; readonly ledger: Ledger; readonly numbers: { next: number } },
  ): Promise<Publisher> {
    const connection = await open(port);
    const publisher = new Publisher(options, connection, await connection.createConfirmChannel());
    void publisher.run(options.numbers);
    return publisher;
  }

  async close(): Promise<void> {
    this.stopping = true;
    while (this.waiting > 0 && !this.over) await this.movement();
    if (!this.over) await this.connection.close();
  }

  private async run(numbers: { next: number }): Promise<void> {
    while (!this.stopping && !this.over) {
      if (this.waiting >= WINDOW) {
        await this.movement();
        continue;
      }
      // A few at a time: what one write carries is worked on in one turn of the broker.
      for (let left = 1 + (numbers.next % 13); left > 0; left--) this.publish(numbers.next++);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  private publish(number: number): void {
    const { flow, ledger, channel } = this;
    const { exchange, routingKey, priorities, delayMsMax } = flow;
    const delayMs = delayMsMax === undefined ? 0 : Math.floor(Math.random() * delayMsMax);
    const id = ledger.publish(flow, number, delayMs === 0 ? 0 : Date.now() + delayMs);
    const body = Buffer.from(`${id} ${PADDING.slice(0, (number * 37) % PADDING.length)}`);
    const properties = {
      persistent: true,
      mandatory: delayMsMax === undefined,
      ...(priorities === undefined ? {} : { priority: number % priorities }),
      ...(delayMsMax === undefined ? {} : { headers: { 'x-delay': delayMs } }),
    };
    this.waiting++;
    try {
      channel.publish(exchange, routingKey, body, properties, (error: unknown) => {
        this.waiting--;
        if (error === null || error === undefined) ledger.confirm(id);
        else if (!this.over && this.connectionIsUp()) ledger.problem('refused', id);
        this.moved?.();
      });
    } catch {
      // The channel is closed already: nothing was sent.
      this.waiting--;
      this.end();
    }
  }

  private connectionIsUp(): boolean {
    const { stream } = (this.connection as unknown as { connection: { stream: Socketish } })
      .connection;
    return !stream.destroyed && !stream.readableEnded;
  }

  private movement(): Promise<void> {
    return new Promise((resolve) => {
      this.moved = () => {
        this.moved = null;
        resolve();
      };
    });
  }

  private end(): void {
    this.over = true;
    this.moved?.();
  }
}

interface Socketish {
  readonly destroyed: boolean;
  readonly readableEnded: boolean;
}

/**
 * Consumes a queue with manual acknowledgements. Now and then it publishes a marker on the same channel: what was
 * acknowledged before is durable when the marker is confirmed.
 */
export class Consumer implements Client {
  readonly ended: Promise<unknown>;
  private readonly queue: ConsumedQueue;
  private readonly ledger: Ledger;
  private readonly connection: ChannelModel;
  private readonly channel: ConfirmChannel;
  private readonly heights: Heights | null;
  private unmarked: string[] = [];
  private together: { readonly message: ConsumeMessage; readonly id: string }[] = [];
  private marking = false;
  private readonly interval: NodeJS.Timeout;
  private over = false;

  private constructor(
    options: { readonly queue: ConsumedQueue; readonly ledger: Ledger },
    connection: ChannelModel,
    channel: ConfirmChannel,
  ) {
    this.queue = options.queue;
    this.ledger = options.ledger;
    this.connection = connection;
    this.channel = channel;
    this.heights = options.queue.ordered ? new Map() : null;
    this.interval = setInterval(() => this.tick(), MARKER_INTERVAL_MS);
    channel.on('error', () => {});
    this.ended = closed(connection).then(() => this.end());
  }

  static async start(
    port: number,
    options: { readonly queue: ConsumedQueue; readonly ledger: Ledger },
  ): Promise<Consumer> {
    const connection = await open(port);
    const channel = await connection.createConfirmChannel();
    const consumer = new Consumer(options, connection, channel);
    await channel.prefetch(PREFETCH);
    await channel.consume(options.queue.name, (message) => {
      if (message !== null) consumer.take(message);
    });
    return consumer;
  }

  /** Nothing it acknowledged can come back. */
  get idle(): boolean {
    return this.together.length === 0 && this.unmarked.length === 0 && !this.marking;
  }

  async close(): Promise<void> {
    if (this.over) return;
    await this.connection.close();
  }

  private take(message: ConsumeMessage): void {
    const { queue, ledger } = this;
    const { id, copy } = read(message);
    const { redelivered } = message.fields;
    const { number, before } = ledger.delivered(
      { queue: queue.name, id, redelivered, copy },
      this.heights,
    );
    try {
      if (queue.rejects?.(number) === true) {
        this.channel.reject(message, false);
      } else if (queue.givesBack === true && before === 0 && number % GIVEN_BACK === 0) {
        this.channel.nack(message, false, true);
      } else if (queue.acks === 'each') {
        this.channel.ack(message);
        this.acknowledged(id);
      } else {
        this.together.push({ message, id });
        if (this.together.length >= 11) this.acknowledgeTogether();
      }
    } catch {
      // The channel is closed already.
    }
  }

  /** Up to the last one; what was given back between them is not among them any more. */
  private acknowledgeTogether(): void {
    const last = this.together.at(-1);
    if (last === undefined) return;
    this.channel.ack(last.message, true);
    for (const { id } of this.together) this.acknowledged(id);
    this.together = [];
  }

  private acknowledged(id: string): void {
    this.ledger.accepted(this.queue.name, id);
    this.unmarked.push(id);
  }

  private tick(): void {
    try {
      this.acknowledgeTogether();
      if (this.marking || this.unmarked.length === 0) return;
      const ids = this.unmarked;
      this.unmarked = [];
      this.marking = true;
      const body = Buffer.from('marker');
      this.channel.publish('', MARKERS, body, { persistent: true }, (error: unknown) => {
        this.marking = false;
        if (error !== null && error !== undefined) return;
        for (const id of ids) this.ledger.durable(this.queue.name, id);
      });
    } catch {
      // The channel is closed already.
    }
  }

  private end(): void {
    this.over = true;
    clearInterval(this.interval);
  }
}

/** amqplib knows transactions only by number. */
const TX = { select: 5_898_250, selectOk: 5_898_251, commit: 5_898_260, commitOk: 5_898_261 };

type Rpc = (method: number, fields: object, expect: number) => Promise<unknown>;

/** Moves messages from one queue to another: acknowledgement and publish in one transaction. */
export class Mover implements Client {
  readonly ended: Promise<unknown>;
  private readonly ledger: Ledger;
  private readonly connection: ChannelModel;
  private readonly channel: Channel;
  private readonly heights: Heights = new Map();
  private arrived: ConsumeMessage[] = [];
  private committing = false;
  private transactions = 0;
  private readonly name: string;

  private constructor(
    options: { readonly ledger: Ledger; readonly name: string },
    connection: ChannelModel,
    channel: Channel,
  ) {
    this.ledger = options.ledger;
    this.name = options.name;
    this.connection = connection;
    this.channel = channel;
    channel.on('error', () => {});
    this.ended = closed(connection);
  }

  static async start(
    port: number,
    options: { readonly ledger: Ledger; readonly name: string },
  ): Promise<Mover> {
    const connection = await open(port);
    const channel = await connection.createChannel();
    const mover = new Mover(options, connection, channel);
    await mover.call(TX.select, TX.selectOk);
    await channel.prefetch(PREFETCH);
    await channel.consume(TX_IN, (message) => {
      if (message === null) return;
      const { id, copy } = read(message);
      const { redelivered } = message.fields;
      options.ledger.delivered({ queue: TX_IN, id, redelivered, copy }, mover.heights);
      mover.arrived.push(message);
      void mover.move();
    });
    return mover;
  }

  get idle(): boolean {
    return this.arrived.length === 0 && !this.committing;
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  /** Never rejects. */
  private async move(): Promise<void> {
    if (this.committing) return;
    this.committing = true;
    try {
      while (this.arrived.length > 0) {
        const messages = this.arrived;
        this.arrived = [];
        await this.moveTogether(messages);
      }
    } catch {
      // The broker is gone, and so is what it was not asked to commit.
    }
    this.committing = false;
  }

  private async moveTogether(messages: readonly ConsumeMessage[]): Promise<void> {
    const messageId = `${this.name}-${++this.transactions}`;
    for (const message of messages) {
      const { content } = message;
      this.channel.publish('', TX_OUT, content, { persistent: true, messageId });
      this.channel.ack(message);
    }
    await this.call(TX.commit, TX.commitOk);
    this.ledger.committed(messages.map((message) => read(message).id));
  }

  private call(method: number, expect: number): Promise<unknown> {
    const { rpc } = this.channel as unknown as { readonly rpc: Rpc };
    return rpc.call(this.channel, method, {}, expect);
  }
}

/** Who the message is, and which copy of it. */
export function read({ content, properties }: Pick<ConsumeMessage, 'content' | 'properties'>): {
  readonly id: string;
  readonly copy: string;
} {
  const end = content.indexOf(' ');
  const messageId: unknown = properties.messageId;
  return {
    id: content.toString('latin1', 0, end === -1 ? content.length : end),
    copy: typeof messageId === 'string' ? messageId : '',
  };
}
