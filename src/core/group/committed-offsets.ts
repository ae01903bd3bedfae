import type { CommittedOffset } from '../group-types.ts';

/** A committed offset and what bounds its life. */
export interface OffsetEntry extends CommittedOffset {
  /** Wall clock ms from which it may be dropped whatever the group's retention; -1: by the group's. */
  readonly expiresAtMs: number;
}

/** One committed offset with where it belongs. */
export interface PlacedOffset extends OffsetEntry {
  readonly topic: string;
  /** 16 bytes. */
  readonly topicId: Buffer;
  readonly partition: number;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

interface TopicOffsets {
  readonly topicId: Buffer;
  readonly partitions: Map<number, OffsetEntry>;
}

/** The committed offsets of one group. They are bound to a topic's id: a topic of the same name made later has none. */
export class CommittedOffsets {
  private readonly topics = new Map<string, TopicOffsets>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  set(offset: PlacedOffset): void {
    let topic = this.topics.get(offset.topic);
    if (topic === undefined || !topic.topicId.equals(offset.topicId)) {
      this.count -= topic?.partitions.size ?? 0;
      topic = { topicId: offset.topicId, partitions: new Map() };
      this.topics.set(offset.topic, topic);
    }
    if (!topic.partitions.has(offset.partition)) this.count++;
    topic.partitions.set(offset.partition, {
      offset: offset.offset,
      leaderEpoch: offset.leaderEpoch,
      metadata: offset.metadata,
      committedAtMs: offset.committedAtMs,
      expiresAtMs: offset.expiresAtMs,
    });
  }

  get(topic: string, topicId: Buffer, partition: number): OffsetEntry | null {
    const offsets = this.topics.get(topic);
    if (offsets === undefined || !offsets.topicId.equals(topicId)) return null;
    return offsets.partitions.get(partition) ?? null;
  }

  has({ topic, partition }: TopicPartition): boolean {
    return this.topics.get(topic)?.partitions.has(partition) ?? false;
  }

  delete({ topic, partition }: TopicPartition): void {
    const offsets = this.topics.get(topic);
    if (offsets === undefined || !offsets.partitions.delete(partition)) return;
    this.count--;
    if (offsets.partitions.size === 0) this.topics.delete(topic);
  }

  /** All partitions of topics for which gone says so. */
  ofTopics(gone: (topic: string, topicId: Buffer) => boolean): TopicPartition[] {
    const found: TopicPartition[] = [];
    for (const [topic, { topicId, partitions }] of this.topics) {
      if (!gone(topic, topicId)) continue;
      for (const partition of partitions.keys()) found.push({ topic, partition });
    }
    return found;
  }

  *entries(): Iterable<PlacedOffset> {
    for (const [topic, { topicId, partitions }] of this.topics) {
      for (const [partition, entry] of partitions) yield { topic, topicId, partition, ...entry };
    }
  }
}
