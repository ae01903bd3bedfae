import type { Attachment, Delivery, QueueConsumer } from '../../core/queue-types.ts';
import type { AmqpChannel, Consuming } from './channel.ts';
import { DeliverPrefix, writeDelivery } from './codec/content-writer.ts';
import { fillContent } from './outgoing.ts';
import type { DeliveryTaker } from './unsettled.ts';

export interface ConsumerOptions {
  readonly tag: string;
  readonly queueName: string;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  readonly priority: number;
  /** Most deliveries that wait for an acknowledgement; 0: no limit. */
  readonly prefetch: number;
}

/** A consumer of a queue. */
export class ChannelConsumer implements QueueConsumer, Consuming, DeliveryTaker {
  readonly id: string;
  readonly connectionId: number;
  readonly queueName: string;
  readonly priority: number;
  readonly exclusive: boolean;
  readonly noAck: boolean;
  readonly prefetch: number;
  readonly channel: AmqpChannel;
  /** False while another single active consumer has the queue. */
  active = true;
  unsettled = 0;
  attachment: Attachment | null = null;
  /** The client was told that it consumes: nothing is delivered before. */
  private started = false;
  private readonly prefix: DeliverPrefix;

  constructor(channel: AmqpChannel, options: ConsumerOptions) {
    this.channel = channel;
    this.id = options.tag;
    this.connectionId = channel.connection.id;
    this.queueName = options.queueName;
    this.priority = options.priority;
    this.exclusive = options.exclusive;
    this.noAck = options.noAck;
    this.prefetch = options.prefetch;
    this.prefix = new DeliverPrefix(channel.number, options.tag);
  }

  get ready(): boolean {
    const { channel } = this;
    if (!this.started || !channel.delivering) return false;
    // What needs no acknowledgement counts for no limit, but waits while the channel's is reached.
    if (!channel.hasGlobalCredit) return false;
    return this.noAck || this.prefetch === 0 || this.unsettled < this.prefetch;
  }

  start(): void {
    this.started = true;
    this.resume();
  }

  take(delivery: Delivery): void {
    const { channel, noAck } = this;
    const { services, connection } = channel;
    const { counters } = services;
    let tag;
    channel.served(this);
    if (noAck) {
      counters.deliveredNoAck++;
      tag = channel.unsettled.skip();
    } else {
      counters.delivered++;
      this.unsettled++;
      tag = channel.unsettled.add(delivery.queue, delivery.ref, this);
    }
    if (delivery.redelivered) counters.redelivered++;
    const content = fillContent(services, delivery.message, services.scratch.content, delivery);
    writeDelivery(connection.startOutput(), this.prefix, tag, delivery.redelivered, content);
  }

  settled(): void {
    this.unsettled--;
    this.channel.creditReturned(this);
  }

  onCancelled(): void {
    this.channel.consumerCancelled(this);
  }

  onActive(active: boolean): void {
    this.active = active;
  }

  resume(): void {
    this.attachment?.resume();
  }

  cancel(): void {
    this.attachment?.cancel();
  }
}
