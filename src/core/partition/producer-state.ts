import { ProducerEntry } from './producer-entry.ts';

/** What is to be done with a batch of an idempotent producer. */
export type ProducerVerdict = 'append' | 'duplicate' | 'out-of-order' | 'fenced';

/**
 * The idempotent producers of one partition: each record of a producer is appended once, in order.
 *
 * A producer that is not known (new, expired, or evicted) may begin with any sequence, and one with a newer epoch
 * begins with 0. A batch like one of the last five answers where that one was stored.
 */
export class ProducerState {
  private readonly entries = new Map<number, ProducerEntry>();
  private readonly producersMax: number;
  /** After check() said 'duplicate': where the batch was stored. */
  duplicateOffset = -1;
  duplicatePosition = 0;

  /** When more than producersMax are known, those that have been silent longest are forgotten. */
  constructor(producersMax: number) {
    this.producersMax = producersMax;
  }

  get size(): number {
    return this.entries.size;
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.entries.get(producerId);
  }

  all(): Iterable<ProducerEntry> {
    return this.entries.values();
  }

  check(
    producerId: number,
    epoch: number,
    firstSequence: number,
    lastOffsetDelta: number,
  ): ProducerVerdict {
    const entry = this.entries.get(producerId);
    if (entry === undefined) return 'append';
    if (epoch < entry.epoch) return 'fenced';
    if (epoch > entry.epoch) return firstSequence === 0 ? 'append' : 'out-of-order';
    const duplicate = entry.find(firstSequence, lastOffsetDelta);
    if (duplicate !== -1) {
      this.duplicateOffset = entry.baseOffset(duplicate);
      this.duplicatePosition = entry.position(duplicate);
      return 'duplicate';
    }
    return entry.size === 0 || entry.follows(firstSequence) ? 'append' : 'out-of-order';
  }

  /** A batch was appended; what check() would say of it does not matter any more. */
  appended(
    producerId: number,
    epoch: number,
    batch: {
      readonly firstSequence: number;
      readonly lastOffsetDelta: number;
      readonly baseOffset: number;
      readonly position: number;
      readonly timestamp: number;
    },
    nowMs: number,
  ): void {
    let entry = this.entries.get(producerId);
    if (entry === undefined) {
      if (this.entries.size >= this.producersMax) this.evict();
      entry = new ProducerEntry(producerId, epoch);
      this.entries.set(producerId, entry);
    } else if (epoch !== entry.epoch) {
      entry.startEpoch(epoch);
    }
    const { firstSequence, lastOffsetDelta, baseOffset, position } = batch;
    entry.add(firstSequence, lastOffsetDelta, baseOffset, position);
    entry.lastTimestamp = batch.timestamp;
    entry.touchedMs = nowMs;
  }

  /** Takes an entry over as it is. */
  put(entry: ProducerEntry): void {
    this.entries.set(entry.producerId, entry);
  }

  /** Forgets producers that have not appended since the instant; returns how many. */
  expire(sinceMs: number): number {
    let expired = 0;
    for (const [producerId, entry] of this.entries) {
      if (entry.touchedMs >= sinceMs) continue;
      this.entries.delete(producerId);
      expired++;
    }
    return expired;
  }

  /** Adds what happened after this state was saved: newer's batches follow those known here. */
  absorb(newer: ProducerState): void {
    for (const later of newer.entries.values()) {
      const known = this.entries.get(later.producerId);
      if (known === undefined || later.epoch > known.epoch) {
        this.entries.set(later.producerId, later);
      } else if (later.epoch === known.epoch) {
        for (let index = 0; index < later.size; index++) {
          if (later.baseOffset(index) <= known.lastOffset) continue;
          known.add(
            later.firstSequence(index),
            later.lastOffsetDelta(index),
            later.baseOffset(index),
            later.position(index),
          );
        }
        known.lastTimestamp = later.lastTimestamp;
        known.touchedMs = later.touchedMs;
      }
    }
  }

  /** Forgets the tenth that has been silent longest, so that the walk over all is rare. */
  private evict(): void {
    const oldestFirst = [...this.entries.values()].sort((a, b) => a.touchedMs - b.touchedMs);
    const count = Math.max(1, Math.floor(this.producersMax / 10));
    for (const { producerId } of oldestFirst.slice(0, count)) this.entries.delete(producerId);
  }
}
