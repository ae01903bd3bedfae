import type { PartitionView, TopicView } from '../../../core/types.ts';
import type { AmqpChannel, Consuming } from '../channel.ts';
import { DeliverPrefix, writeDelivery } from '../codec/content-writer.ts';
import { fillContent } from '../outgoing.ts';
import type { DeliverySource, DeliveryTaker } from '../unsettled.ts';
import { PartitionReader } from './partition-reader.ts';
import type { StreamFilter } from './stream-filter.ts';

/** Bytes of records that are worked on in one turn of the event loop. */
const TURN_BYTES = 256 * 1024;
/** What a record costs beside its body. */
const RECORD_BYTES = 128;

export interface StreamConsumerOptions {
  readonly tag: string;
  readonly queueName: string;
  readonly topic: TopicView;
  readonly exclusive: boolean;
  readonly prefetch: number;
  readonly filter: StreamFilter | null;
}

/**
 * A consumer of a stream: reads its partitions in the order of their records, as far ahead of the acknowledgements as
 * the prefetch count allows. Acknowledging gives credit back and changes nothing in the stream.
 */
export class StreamConsumer implements Consuming, DeliverySource, DeliveryTaker {
  readonly id: string;
  readonly queueName: string;
  readonly noAck = false;
  readonly exclusive: boolean;
  readonly prefetch: number;
  readonly active = true;
  readonly topic: TopicView;
  unsettled = 0;
  private readonly channel: AmqpChannel;
  private readonly filter: StreamFilter | null;
  private readonly prefix: DeliverPrefix;
  private readonly readers: PartitionReader[] = [];
  private current = 0;
  private pumping = false;
  private deferred = false;
  private cancelled = false;
  private readonly pumpLater: () => void;

  constructor(channel: AmqpChannel, options: StreamConsumerOptions) {
    this.channel = channel;
    this.id = options.tag;
    this.queueName = options.queueName;
    this.topic = options.topic;
    this.exclusive = options.exclusive;
    this.prefetch = options.prefetch;
    this.filter = options.filter;
    this.prefix = new DeliverPrefix(channel.number, options.tag);
    this.pumpLater = () => {
      this.deferred = false;
      this.pump();
    };
  }

  /** Reads a partition, too, from the offset on. */
  addPartition(partition: PartitionView, offset: number): void {
    const { logger, limits } = this.channel.services.broker;
    const reader = new PartitionReader(partition, offset, {
      logger,
      decompressedBytesMax: limits.get('decompressedBatch'),
      onMore: () => this.pump(),
    });
    this.readers.push(reader);
  }

  /** Partitions were added to the topic: they are read from their beginning. */
  partitionsAdded(): void {
    for (let index = this.readers.length; index < this.topic.partitionCount; index++) {
      const partition = this.topic.partition(index);
      if (partition !== null) this.addPartition(partition, partition.logStart);
    }
    this.pump();
  }

  resume(): void {
    this.pump();
  }

  /** There is nothing to settle: the record stays where it is. */
  settle(): void {}

  settled(): void {
    this.unsettled--;
    this.channel.creditReturned(this);
  }

  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    this.channel.services.streams.remove(this);
    for (const reader of this.readers) reader.close();
  }

  /** The stream is gone. */
  topicDeleted(): void {
    this.cancel();
    this.channel.consumerCancelled(this);
  }

  private get ready(): boolean {
    return !this.cancelled && this.unsettled < this.prefetch && this.channel.delivering;
  }

  /** Delivers until there is no credit, no record or no more time in this turn. */
  private pump(): void {
    if (this.pumping || this.deferred) return;
    this.pumping = true;
    let bytesLeft = TURN_BYTES;
    while (bytesLeft > 0 && this.ready) {
      const reader = this.nextReader();
      if (reader === null) break;
      bytesLeft -= this.take(reader);
    }
    for (const reader of this.readers) reader.pause();
    // The next time begins with another partition.
    this.current = (this.current + 1) % Math.max(this.readers.length, 1);
    this.pumping = false;
    if (bytesLeft > 0 || !this.ready) return;
    this.deferred = true;
    this.channel.services.broker.clock.defer(this.pumpLater);
  }

  /** A reader that stands on a record, or null. It stays the same one as long as it has records. */
  private nextReader(): PartitionReader | null {
    const { readers } = this;
    for (let tried = 0; tried < readers.length; tried++) {
      const reader = readers[this.current % readers.length]!; // inside
      if (reader.next()) return reader;
      this.current = (this.current + 1) % readers.length;
    }
    return null;
  }

  /** Delivers the record, or passes over it. Returns what it costs. */
  private take(reader: PartitionReader): number {
    const record = reader.record!; // next() said so
    if (this.filter !== null && !this.filter.matches(record)) return RECORD_BYTES;
    const { channel } = this;
    const { services, connection, unsettled } = channel;
    const { streams, counters, scratch } = services;
    const { message, records, section } = streams;
    records.read(record, message);
    const content = fillContent(services, message, scratch.content, null);
    section.addTo(
      content,
      record.offset,
      this.topic.partitionCount > 1 ? reader.partition.index : -1,
    );
    content.lease = reader.lease;
    this.unsettled++;
    counters.delivered++;
    const tag = unsettled.add(this, record.offset, this);
    writeDelivery(connection.startOutput(), this.prefix, tag, false, content);
    content.lease = null;
    return RECORD_BYTES + message.bodyEnd - message.bodyStart;
  }
}
