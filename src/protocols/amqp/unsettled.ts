import type { MessageRef, Settlement } from '../../core/queue-types.ts';

/** Where a delivery came from, and is settled. */
export interface DeliverySource {
  settle(ref: MessageRef, settlement: Settlement): void;
}

/** Who got a delivery; null: basic.get. */
export interface DeliveryTaker {
  /** One of its deliveries was settled. */
  settled(): void;
}

const INITIAL_SLOTS = 16;

/**
 * Deliveries of a channel that wait for an acknowledgement, by delivery tag. Tags count upwards, so a ring holds them:
 *
 *   [ . . . 7 8 . 10 11 . . . ]
 *           ^ first        ^ next
 */
export class Unsettled {
  /** Tags from 1 on; this one is the next delivery's. */
  next = 1;
  /** Deliveries that wait. */
  size = 0;
  private first = 1;
  private mask = 0;
  private sources: (DeliverySource | null)[] = [];
  private takers: (DeliveryTaker | null)[] = [];
  private refs = new Float64Array(0);

  /** Takes the next tag for a delivery that needs no acknowledgement. */
  skip(): number {
    if (this.first === this.next) this.first++;
    else this.put(null, 0, null);
    return this.next++;
  }

  add(source: DeliverySource, ref: MessageRef, taker: DeliveryTaker | null): number {
    this.put(source, ref, taker);
    this.size++;
    return this.next++;
  }

  has(tag: number): boolean {
    return tag >= this.first && tag < this.next && this.sources[tag & this.mask] !== null;
  }

  /** Settles one delivery; false when there is none with that tag. */
  settle(tag: number, settlement: Settlement): boolean {
    if (!this.has(tag)) return false;
    this.take(tag, settlement);
    this.advance();
    return true;
  }

  /** Settles all up to the tag, oldest first. */
  settleUpTo(tag: number, settlement: Settlement): void {
    const last = Math.min(tag, this.next - 1);
    for (let at = this.first; at <= last; at++) {
      if (this.sources[at & this.mask] !== null) this.take(at, settlement);
    }
    this.advance();
  }

  settleAll(settlement: Settlement): void {
    this.settleUpTo(this.next - 1, settlement);
  }

  private put(source: DeliverySource | null, ref: MessageRef, taker: DeliveryTaker | null): void {
    if (this.next - this.first >= this.refs.length) this.grow();
    const slot = this.next & this.mask;
    this.sources[slot] = source;
    this.takers[slot] = taker;
    this.refs[slot] = ref;
  }

  private take(tag: number, settlement: Settlement): void {
    const slot = tag & this.mask;
    const source = this.sources[slot]!; // callers looked
    const taker = this.takers[slot] ?? null;
    this.sources[slot] = null;
    this.takers[slot] = null;
    this.size--;
    source.settle(this.refs[slot]!, settlement);
    taker?.settled();
  }

  private advance(): void {
    while (this.first < this.next && this.sources[this.first & this.mask] === null) this.first++;
  }

  private grow(): void {
    const { first, next, mask, sources, takers, refs } = this;
    const slots = Math.max(INITIAL_SLOTS, refs.length * 2);
    this.mask = slots - 1;
    this.sources = Array.from({ length: slots }, () => null);
    this.takers = Array.from({ length: slots }, () => null);
    this.refs = new Float64Array(slots);
    for (let tag = first; tag < next; tag++) {
      this.sources[tag & this.mask] = sources[tag & mask] ?? null;
      this.takers[tag & this.mask] = takers[tag & mask] ?? null;
      this.refs[tag & this.mask] = refs[tag & mask] ?? 0;
    }
  }
}
