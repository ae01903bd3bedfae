import type { MetadataImage, TopicInfo } from '../metadata-image.ts';
import { collisionKey } from './topic-name.ts';
import type { Topic } from './topic.ts';

interface NamespaceTopics {
  readonly byName: Map<string, CatalogEntry>;
  /** collisionKey -> the name that has it. */
  readonly collisions: Map<string, string>;
  /** In name order; null after a change, until somebody asks. */
  sorted: readonly Topic[] | null;
  infos: readonly TopicInfo[] | null;
}

interface CatalogEntry {
  readonly topic: Topic;
  /** The record as the store has it. */
  value: string;
  partitionCount: number;
}

/** The topics that exist, by name and by id. Images are made when asked for, and share what did not change. */
export class TopicCatalog {
  revision = 0;
  topicCount = 0;
  partitionCount = 0;
  private readonly namespaces = new Map<string, NamespaceTopics>();
  private readonly ids = new Map<string, Topic>();
  private latestImage: MetadataImage | null = null;

  byName(namespace: string, name: string): Topic | null {
    return this.namespaces.get(namespace)?.byName.get(name)?.topic ?? null;
  }

  byId(id: Buffer): Topic | null {
    return this.ids.get(id.toString('latin1')) ?? null;
  }

  /** The stored record of a topic, or null. */
  valueOf(namespace: string, name: string): string | null {
    return this.namespaces.get(namespace)?.byName.get(name)?.value ?? null;
  }

  list(namespace: string): readonly Topic[] {
    const topics = this.namespaces.get(namespace);
    if (topics === undefined) return [];
    topics.sorted ??= Array.from(topics.byName.values(), (entry) => entry.topic).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    );
    return topics.sorted;
  }

  /** Another topic that must not exist beside the name, or null. */
  collidingName(namespace: string, name: string): string | null {
    const key = collisionKey(name);
    if (key === null) return null;
    const other = this.namespaces.get(namespace)?.collisions.get(key);
    return other === undefined || other === name ? null : other;
  }

  /** Adds a topic, or takes over its new record after Topic.update. */
  put(topic: Topic, value: string): void {
    const topics = this.namespace(topic.namespace);
    const known = topics.byName.get(topic.name);
    if (known === undefined) {
      topics.byName.set(topic.name, { topic, value, partitionCount: topic.partitionCount });
      topics.sorted = null;
      const key = collisionKey(topic.name);
      if (key !== null) topics.collisions.set(key, topic.name);
      this.ids.set(topic.id.toString('latin1'), topic);
      this.topicCount++;
    } else {
      known.value = value;
      this.partitionCount -= known.partitionCount;
      known.partitionCount = topic.partitionCount;
    }
    this.partitionCount += topic.partitionCount;
    this.changed(topics);
  }

  remove(topic: Topic): void {
    const topics = this.namespace(topic.namespace);
    topics.byName.delete(topic.name);
    topics.sorted = null;
    const key = collisionKey(topic.name);
    if (key !== null) topics.collisions.delete(key);
    this.ids.delete(topic.id.toString('latin1'));
    this.topicCount--;
    this.partitionCount -= topic.partitionCount;
    this.changed(topics);
  }

  image(): MetadataImage {
    if (this.latestImage?.revision === this.revision) return this.latestImage;
    const topics = new Map<string, readonly TopicInfo[]>();
    for (const [namespace, known] of this.namespaces) {
      known.infos ??= this.list(namespace).map((topic) => topic.info);
      topics.set(namespace, known.infos);
    }
    const { revision, topicCount, partitionCount } = this;
    this.latestImage = { revision, topics, topicCount, partitionCount };
    return this.latestImage;
  }

  private changed(topics: NamespaceTopics): void {
    topics.infos = null;
    this.revision++;
  }

  private namespace(namespace: string): NamespaceTopics {
    let topics = this.namespaces.get(namespace);
    if (topics === undefined) {
      topics = { byName: new Map(), collisions: new Map(), sorted: null, infos: null };
      this.namespaces.set(namespace, topics);
    }
    return topics;
  }
}
