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
  /** Those of them that consumers got: what basic.get fetched counts for no limit. */
  consumed = 0;
  private first = 1;
  private mask = 0;
  private sources: (DeliverySource | null)[] = [];
  private takers: (DeliveryTaker | null)[] = [];
  private refs = new Float64Array(0);
  /** What a transaction is to make of them; null: nothing so far. */
  private staged: (Settlement | null)[] = [];

  /** Takes the next tag for a delivery that needs no acknowledgement. */
  skip(): number {
    if (this.first === this.next) this.first++;
    else this.put(null, 0, null);
    return this.next++;
  }

  add(source: DeliverySource, ref: MessageRef, taker: DeliveryTaker | null): number {
    this.put(source, ref, taker);
    this.size++;
    if (taker !== null) this.consumed++;
    return this.next++;
  }

  has(tag: number): boolean {
    return tag >= this.first && tag < this.next && this.waits(tag);
  }

  /** Settles one delivery; false when there is none with that tag. */
  settle(tag: number, settlement: Settlement): boolean {
    if (!this.has(tag)) return false;
    this.take(tag, settlement);
    this.advance();
    return true;
  }

  /** Settles all up to the tag, oldest first, but for what is staged. */
  settleUpTo(tag: number, settlement: Settlement): void {
    const last = Math.min(tag, this.next - 1);
    for (let at = this.first; at <= last; at++) {
      if (this.waits(at)) this.take(at, settlement);
    }
    this.advance();
  }

  settleAll(settlement: Settlement): void {
    this.settleUpTo(this.next - 1, settlement);
  }

  /**
   * Takes all of [from, to] that waits for a transaction: the client cannot settle it again, and it counts for limits
   * until it is committed. Returns the first tag that was taken, 0 when there is none.
   */
  stage(from: number, to: number, settlement: Settlement): number {
    let staged = 0;
    const last = Math.min(to, this.next - 1);
    for (let at = Math.max(from, this.first); at <= last; at++) {
      if (!this.waits(at)) continue;
      this.staged[at & this.mask] = settlement;
      if (staged === 0) staged = at;
    }
    return staged;
  }

  /** Settles what was staged in [from, to]. */
  commit(from: number, to: number): void {
    for (let at = Math.max(from, this.first); at <= to; at++) {
      const settlement = this.staged[at & this.mask] ?? null;
      if (settlement !== null) this.take(at, settlement);
    }
    this.advance();
  }

  /** What was staged in [from, to] waits again. */
  rollBack(from: number, to: number): void {
    for (let at = Math.max(from, this.first); at <= to; at++) this.staged[at & this.mask] = null;
  }

  private waits(tag: number): boolean {
    const slot = tag & this.mask;
    return this.sources[slot] !== null && this.staged[slot] === null;
  }

  private put(source: DeliverySource | null, ref: MessageRef, taker: DeliveryTaker | null): void {
    if (this.next - this.first >= this.refs.length) this.grow();
    const slot = this.next & this.mask;
    this.sources[slot] = source;
    this.takers[slot] = taker;
    this.refs[slot] = ref;
    this.staged[slot] = null;
  }

  private take(tag: number, settlement: Settlement): void {
    const slot = tag & this.mask;
    const source = this.sources[slot]!; // callers looked
    const taker = this.takers[slot] ?? null;
    this.sources[slot] = null;
    this.takers[slot] = null;
    this.staged[slot] = null;
    this.size--;
    if (taker !== null) this.consumed--;
    source.settle(this.refs[slot]!, settlement);
    taker?.settled();
  }

  private advance(): void {
    while (this.first < this.next && this.sources[this.first & this.mask] === null) this.first++;
  }

  private grow(): void {
    const { first, next, mask, sources, takers, refs, staged } = this;
    const slots = Math.max(INITIAL_SLOTS, refs.length * 2);
    this.mask = slots - 1;
    this.sources = Array.from({ length: slots }, () => null);
    this.takers = Array.from({ length: slots }, () => null);
    this.staged = Array.from({ length: slots }, () => null);
    this.refs = new Float64Array(slots);
    for (let tag = first; tag < next; tag++) {
      this.sources[tag & this.mask] = sources[tag & mask] ?? null;
      this.takers[tag & this.mask] = takers[tag & mask] ?? null;
      this.staged[tag & this.mask] = staged[tag & mask] ?? null;
      this.refs[tag & this.mask] = refs[tag & mask] ?? 0;
    }
  }
}
