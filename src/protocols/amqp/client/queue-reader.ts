import { RingBuffer } from '../../../base/ring-buffer.ts';
import { ContentHeader } from '../codec/content-header.ts';
import type { FieldTable } from '../codec/field-table.ts';
import { readBasicProperties } from '../codec/generated/basic-properties.ts';
import { REPLY_CODE } from '../codec/generated/reply-codes.ts';
import type { AmqpChannel, ChannelListener } from './channel.ts';
import { refused } from './client-error.ts';
import type { AmqpConnection } from './connection.ts';
import type { Delivery } from './delivery.ts';
import { namedProperties, plainHeaders, type PlainHeader } from './properties.ts';
import { describeTarget, type Target } from './target.ts';
import { bindQueue, consume, declareQueue, setPrefetch } from './topology.ts';

export interface ReaderSettings {
  /** Messages that may be here without being acknowledged. */
  readonly prefetch: number;
  /** The broker does not wait for acks. */
  readonly noAck: boolean;
  readonly arguments: FieldTable;
}

export interface ReceivedMessage {
  /** In a stream; -1 in other queues. */
  readonly offset: number;
  /** -1: the message does not say. */
  readonly timestampMs: number;
  /** The routing key. */
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: readonly PlainHeader[];
  readonly properties: Readonly<Record<string, string | number | boolean>>;
}

interface Waiting {
  readonly deliveryTag: number;
  readonly redelivered: boolean;
  readonly exchange: string;
  readonly routingKey: string;
  readonly section: Buffer;
  readonly body: Buffer;
}

const STREAM_OFFSET = 'x-stream-offset';
/** Messages that wait here, above which nothing more is read from a broker that does not wait for acks. */
const WAITING_MAX = 1000;

/** Reads one queue, or a queue of its own that is bound to an exchange, over a channel of its own. */
export class QueueReader implements ChannelListener {
  readonly target: Target;
  /** Messages that were in the queue at the start. */
  readyAtStart = 0;
  handedOut = 0;
  failure: Error | null = null;
  private readonly connection: AmqpConnection;
  private readonly channel: AmqpChannel;
  private readonly settings: ReaderSettings;
  private readonly onArrival: () => void;
  private readonly waiting = new RingBuffer<Waiting>(64);
  private readonly header = new ContentHeader();
  private queue = '';
  private visitedTag = 0;
  private ackedTag = 0;
  private isPaused = false;

  static async open(
    connection: AmqpConnection,
    target: Target,
    settings: ReaderSettings,
    onArrival: () => void,
  ): Promise<QueueReader> {
    const channel = await connection.openChannel();
    const reader = new QueueReader(connection, channel, target, settings, onArrival);
    await reader.start();
    return reader;
  }

  private constructor(
    connection: AmqpConnection,
    channel: AmqpChannel,
    target: Target,
    settings: ReaderSettings,
    onArrival: () => void,
  ) {
    this.connection = connection;
    this.channel = channel;
    this.target = target;
    this.settings = settings;
    this.onArrival = onArrival;
    channel.subject = describeTarget(target);
    channel.listener = this;
  }

  /** Messages that arrived and were not visited. */
  get waitingCount(): number {
    return this.waiting.length;
  }

  get waitingBytes(): number {
    let bytes = 0;
    for (let index = 0; index < this.waiting.length; index++) {
      bytes += this.waiting.at(index)?.body.length ?? 0;
    }
    return bytes;
  }

  /** True when what was in the queue at the start was handed out, or nothing is left. */
  async atEnd(): Promise<boolean> {
    if (this.failure !== null) throw this.failure;
    if (this.waiting.length > 0) return false;
    if (this.handedOut >= this.readyAtStart) return true;
    const { messageCount } = await declareQueue(this.channel, this.queue, { passive: true });
    // Whatever was on its way to this consumer arrived before the answer.
    return messageCount === 0 && this.waiting.length === 0;
  }

  /** Hands out what waits, until visit returns false: that message and those behind it are not acknowledged. */
  forEach(visit: (message: ReceivedMessage) => boolean): void {
    for (let next = this.waiting.peek(); next !== undefined; next = this.waiting.peek()) {
      if (!visit(this.render(next))) return;
      this.waiting.shift();
      this.visitedTag = next.deliveryTag;
      this.handedOut++;
    }
    if (!this.isPaused) return;
    this.isPaused = false;
    this.connection.setReading(true);
  }

  /** Acknowledges what was handed out. */
  acknowledge(): void {
    if (this.settings.noAck || this.visitedTag === this.ackedTag) return;
    this.channel.ack(this.visitedTag, true);
    this.ackedTag = this.visitedTag;
  }

  async close(): Promise<void> {
    this.acknowledge();
    await this.channel.close();
  }

  onDelivery(delivery: Delivery): void {
    this.waiting.push({
      deliveryTag: delivery.deliveryTag,
      redelivered: delivery.redelivered,
      exchange: delivery.exchange,
      routingKey: delivery.routingKey,
      section: delivery.section.subarray(delivery.sectionStart, delivery.sectionEnd),
      body: delivery.body.subarray(delivery.bodyStart, delivery.bodyEnd),
    });
    if (this.settings.noAck && this.waiting.length > WAITING_MAX && !this.isPaused) {
      this.isPaused = true;
      this.connection.setReading(false);
    }
    this.onArrival();
  }

  onReturn(): void {}

  onConfirm(): void {}

  onFlow(): void {}

  onCancel(): void {
    const text = 'the broker ended the consumer; was the queue deleted?';
    this.onFailure(refused(describeTarget(this.target), REPLY_CODE.NOT_FOUND, text));
  }

  onFailure(error: Error): void {
    this.failure ??= error;
    this.onArrival();
  }

  private async start(): Promise<void> {
    const { channel, settings, target } = this;
    if (target.kind === 'queue') {
      this.queue = target.queue;
      const { messageCount } = await declareQueue(channel, target.queue, { passive: true });
      this.readyAtStart = messageCount;
    } else {
      const declared = await declareQueue(channel, '', { exclusive: true, autoDelete: true });
      this.queue = declared.queue;
      await bindQueue(channel, { ...target, queue: this.queue });
    }
    if (!settings.noAck) await setPrefetch(channel, settings.prefetch);
    await consume(channel, this.queue, settings);
  }

  private render(message: Waiting): ReceivedMessage {
    const { section } = message;
    this.header.parseSection(section, 0, section.length);
    const properties = readBasicProperties(this.header);
    const headers = plainHeaders(properties);
    const offset = headers.find(({ name }) => name === STREAM_OFFSET)?.value?.toString();
    return {
      offset: offset === undefined ? -1 : Number(offset),
      timestampMs: properties.timestamp === null ? -1 : properties.timestamp * 1000,
      key: Buffer.from(message.routingKey),
      value: message.body,
      headers,
      properties: {
        exchange: message.exchange,
        redelivered: message.redelivered,
        ...namedProperties(properties),
      },
    };
  }
}
