import type { EventBus } from '../../../core/events.ts';
import { Message } from '../../../core/message/message.ts';
import { RecordMessages } from '../../../core/routing/records/record-messages.ts';
import type { TopicView } from '../../../core/types.ts';
import { ContentHeader } from '../codec/content-header.ts';
import type { OutputPool } from '../codec/output-pool.ts';
import type { StreamConsumer } from './stream-consumer.ts';
import { StreamSection } from './stream-section.ts';

/** The consumers of all streams of a front-end, and what they share. */
export class Streams {
  /** Used within one delivery. */
  readonly records = new RecordMessages();
  readonly message = new Message();
  readonly section: StreamSection;
  /** By the id of the topic. */
  private readonly consumers = new Map<string, Set<StreamConsumer>>();
  private readonly unsubscribe: readonly (() => void)[];

  constructor(events: EventBus, outputPool: OutputPool) {
    this.section = new StreamSection(outputPool, new ContentHeader());
    this.unsubscribe = [
      events.on('topic-deleted', ({ topic }) => {
        for (const consumer of this.consumersOf(topic)) consumer.topicDeleted();
      }),
      events.on('partitions-added', ({ topic }) => {
        for (const consumer of this.consumersOf(topic)) consumer.partitionsAdded();
      }),
    ];
  }

  add(consumer: StreamConsumer): void {
    const key = keyOf(consumer.topic);
    const all = this.consumers.get(key);
    if (all === undefined) this.consumers.set(key, new Set([consumer]));
    else all.add(consumer);
  }

  remove(consumer: StreamConsumer): void {
    const key = keyOf(consumer.topic);
    const all = this.consumers.get(key);
    if (all?.delete(consumer) === true && all.size === 0) this.consumers.delete(key);
  }

  count(topic: Pick<TopicView, 'id'>): number {
    return this.consumers.get(keyOf(topic))?.size ?? 0;
  }

  close(): void {
    for (const unsubscribe of this.unsubscribe) unsubscribe();
  }

  private consumersOf(topic: Pick<TopicView, 'id'>): readonly StreamConsumer[] {
    return [...(this.consumers.get(keyOf(topic)) ?? [])];
  }
}

function keyOf({ id }: Pick<TopicView, 'id'>): string {
  return id.toString('latin1');
}
