import type { TopicRegistry, TopicView } from '../../core/types.ts';

/** One remembered topic: the bytes that name it in requests, and the topic. */
interface Entry {
  readonly key: Buffer;
  readonly topic: TopicView;
}

const SLOTS = 4096;
const PROBES = 8;

/**
 * Finds topics by the bytes of their name or id without making a string per request: a fixed open-addressing table
 * in front of the registry, forgotten whenever the registry changes. Only topics that exist are remembered; when
 * all places near a key's slot are taken, the first is replaced.
 */
export class TopicLookup {
  private readonly registry: TopicRegistry;
  private readonly namespace: string;
  private readonly slots: (Entry | null)[];
  private revision = -1;

  constructor(registry: TopicRegistry, namespace: string) {
    this.registry = registry;
    this.namespace = namespace;
    this.slots = new Array<Entry | null>(SLOTS).fill(null);
  }

  /** The topic whose name is bytes [start, end), or null. */
  byName(buffer: Buffer, start: number, end: number): TopicView | null {
    this.refresh();
    const first = hashBytes(buffer, start, end) & (SLOTS - 1);
    const known = this.find(first, buffer, start, end);
    if (known !== null) return known;
    const topic = this.registry.byName(this.namespace, buffer.toString('utf8', start, end));
    if (topic !== null) this.remember(first, Buffer.from(buffer.subarray(start, end)), topic);
    return topic;
  }

  /** The topic whose 16-byte id begins at start, or null. */
  byId(buffer: Buffer, start: number): TopicView | null {
    this.refresh();
    const end = start + 16;
    const first = hashBytes(buffer, start, end) & (SLOTS - 1);
    const known = this.find(first, buffer, start, end);
    if (known !== null) return known;
    const id = Buffer.from(buffer.subarray(start, end));
    const topic = this.registry.byId(id);
    if (topic === null || topic.namespace !== this.namespace) return null;
    this.remember(first, id, topic);
    return topic;
  }

  private refresh(): void {
    if (this.revision === this.registry.revision) return;
    this.revision = this.registry.revision;
    this.slots.fill(null);
  }

  private find(first: number, buffer: Buffer, start: number, end: number): TopicView | null {
    for (let probe = 0; probe < PROBES; probe++) {
      const entry = this.slots[(first + probe) & (SLOTS - 1)] ?? null;
      if (entry === null) return null;
      const key = entry.key;
      if (key.length === end - start && buffer.compare(key, 0, key.length, start, end) === 0) {
        return entry.topic;
      }
    }
    return null;
  }

  private remember(first: number, key: Buffer, topic: TopicView): void {
    let place = first;
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = (first + probe) & (SLOTS - 1);
      if (this.slots[slot] === null) {
        place = slot;
        break;
      }
    }
    this.slots[place] = { key, topic };
  }
}

/** Mixes the length, the first and the last eight bytes: names that differ only between them share a slot. */
function hashBytes(buffer: Buffer, start: number, end: number): number {
  let hash = (end - start) | 0;
  const headEnd = Math.min(end, start + 8);
  for (let at = start; at < headEnd; at++) hash = Math.imul(hash ^ (buffer[at] ?? 0), 0x01000193);
  const tailStart = Math.max(headEnd, end - 8);
  for (let at = tailStart; at < end; at++) hash = Math.imul(hash ^ (buffer[at] ?? 0), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
