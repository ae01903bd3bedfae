import { RingBuffer } from '../../base/ring-buffer.ts';
import type { QueueConsumer } from '../queue-types.ts';

/** A consumer's place. */
export interface Slot {
  readonly consumer: QueueConsumer;
  /** In the ring of those that may have credit. */
  queued: boolean;
  gone: boolean;
}

interface Level {
  readonly priority: number;
  /** Those that may have credit, next first. */
  readonly ring: RingBuffer<Slot>;
}

/** The consumers of a queue: whose turn it is, by priority, in turns among equals. */
export class Consumers {
  /** Highest priority first, then in order of arrival. */
  readonly slots: Slot[] = [];
  active: Slot | null = null;
  private levels: Level[] = [];
  private list: readonly QueueConsumer[] | null = null;

  get size(): number {
    return this.slots.length;
  }

  get all(): readonly QueueConsumer[] {
    this.list ??= this.slots.map(({ consumer }) => consumer);
    return this.list;
  }

  get hasExclusive(): boolean {
    return this.slots.some(({ consumer }) => consumer.exclusive);
  }

  add(consumer: QueueConsumer): Slot {
    const slot: Slot = { consumer, queued: false, gone: false };
    const at = this.slots.findIndex((other) => other.consumer.priority < consumer.priority);
    this.slots.splice(at === -1 ? this.slots.length : at, 0, slot);
    this.list = null;
    this.queue(slot);
    return slot;
  }

  remove(slot: Slot): void {
    if (slot.gone) return;
    slot.gone = true;
    this.slots.splice(this.slots.indexOf(slot), 1);
    this.list = null;
    if (this.slots.length === 0) this.levels = [];
  }

  /** It has credit again. */
  queue(slot: Slot): void {
    if (slot.queued || slot.gone) return;
    slot.queued = true;
    this.level(slot.consumer.priority).ring.push(slot);
  }

  /** Whose turn it is, or null when nobody has credit. Ask again for each message. */
  next(): QueueConsumer | null {
    const { levels } = this;
    for (let i = 0; i < levels.length; i++) {
      const { ring } = levels[i]!;
      let slot = ring.peek();
      while (slot !== undefined) {
        if (!slot.gone && slot.consumer.ready) {
          if (ring.length > 1) {
            ring.shift();
            ring.push(slot);
          }
          return slot.consumer;
        }
        ring.shift();
        slot.queued = false;
        slot = ring.peek();
      }
    }
    return null;
  }

  /** The single active one, if it has credit. */
  nextActive(): QueueConsumer | null {
    const consumer = this.active?.consumer;
    return consumer?.ready === true ? consumer : null;
  }

  /** Makes the first in line the active one when there is none (any more); tells those concerned. */
  elect(): void {
    const { active } = this;
    if (active !== null && !active.gone) return;
    this.active = this.slots[0] ?? null;
    this.active?.consumer.onActive(true);
  }

  private level(priority: number): Level {
    for (const level of this.levels) if (level.priority === priority) return level;
    const level = { priority, ring: new RingBuffer<Slot>(4) };
    this.levels.push(level);
    this.levels.sort((a, b) => b.priority - a.priority);
    return level;
  }
}
