import type { TopicConfig } from './types.ts';

/** What is known of a topic, frozen at one revision. */
export interface TopicInfo {
  /** 16 bytes. */
  readonly id: Buffer;
  readonly namespace: string;
  readonly name: string;
  readonly partitionCount: number;
  readonly config: TopicConfig;
  readonly overrides: Readonly<Record<string, string>>;
  readonly internal: boolean;
}

/** All that exists at one revision. Immutable: keep it as long as you like, compare it by identity. */
export interface MetadataImage {
  readonly revision: number;
  /** Per namespace, in name order. */
  readonly topics: ReadonlyMap<string, readonly TopicInfo[]>;
  readonly topicCount: number;
  readonly partitionCount: number;
}

/** What differs between two images. */
export interface MetadataDelta {
  readonly fromRevision: number;
  readonly toRevision: number;
  readonly created: readonly TopicInfo[];
  readonly deleted: readonly TopicInfo[];
  readonly changed: readonly TopicInfo[];
}

/**
 * The difference between two images of one broker. Cheap where little changed: what is the same in both is the
 * same object. A topic that was deleted and created again under its name is in both lists.
 */
export function metadataDelta(from: MetadataImage, to: MetadataImage): MetadataDelta {
  const created: TopicInfo[] = [];
  const deleted: TopicInfo[] = [];
  const changed: TopicInfo[] = [];
  for (const namespace of new Set([...from.topics.keys(), ...to.topics.keys()])) {
    const before = from.topics.get(namespace) ?? [];
    const after = to.topics.get(namespace) ?? [];
    if (before === after) continue;
    const old = new Map(before.map((topic) => [topic.name, topic]));
    for (const topic of after) {
      const previous = old.get(topic.name);
      old.delete(topic.name);
      if (previous === topic) continue;
      if (previous === undefined) {
        created.push(topic);
      } else if (previous.id.equals(topic.id)) {
        changed.push(topic);
      } else {
        deleted.push(previous);
        created.push(topic);
      }
    }
    deleted.push(...old.values());
  }
  return { fromRevision: from.revision, toRevision: to.revision, created, deleted, changed };
}
