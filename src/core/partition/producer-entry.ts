/** Batches remembered per producer: a client has at most this many unanswered. */
export const REMEMBERED_BATCHES = 5;
/** Sequences count from 0 to this and start again. */
const SEQUENCE_MAX = 0x7fffffff;
const SEQUENCE_COUNT = 2 ** 31;
/** firstSequence, lastOffsetDelta, baseOffset, position. */
const FIELDS = 4;

/** The sequence of the record `delta` after the one with the given sequence. */
export function sequenceAfter(sequence: number, delta: number): number {
  return (sequence + delta) % SEQUENCE_COUNT;
}

/** What a partition knows of one producer: its epoch and its last batches. */
export class ProducerEntry {
  readonly producerId: number;
  epoch: number;
  /** Largest timestamp of its last batch, as the batch says. */
  lastTimestamp: number;
  /** When it last appended, by the broker's clock; what expiry counts from. */
  touchedMs: number;
  /** Batches, flat; a ring once it is full. */
  private readonly batches: number[];
  /** Index of the batch that is overwritten next, once the ring is full. */
  private oldest: number;

  constructor(producerId: number, epoch: number) {
    this.producerId = producerId;
    this.epoch = epoch;
    this.lastTimestamp = -1;
    this.touchedMs = 0;
    this.batches = [];
    this.oldest = 0;
  }

  /** Batches remembered. */
  get size(): number {
    return this.batches.length / FIELDS;
  }

  /** Sequence of the last record, or -1. */
  get lastSequence(): number {
    const { size } = this;
    if (size === 0) return -1;
    return sequenceAfter(this.firstSequence(size - 1), this.lastOffsetDelta(size - 1));
  }

  /** Offset of the last record, or -1. */
  get lastOffset(): number {
    const { size } = this;
    return size === 0 ? -1 : this.baseOffset(size - 1) + this.lastOffsetDelta(size - 1);
  }

  // index counts from the oldest batch (0)

  firstSequence(index: number): number {
    return this.batches[this.slot(index)]!;
  }

  lastOffsetDelta(index: number): number {
    return this.batches[this.slot(index) + 1]!;
  }

  baseOffset(index: number): number {
    return this.batches[this.slot(index) + 2]!;
  }

  /** The commit position of the batch; 0 for one that was there before this start of the broker. */
  position(index: number): number {
    return this.batches[this.slot(index) + 3]!;
  }

  /** Index of the batch with exactly these sequences, or -1. */
  find(firstSequence: number, lastOffsetDelta: number): number {
    for (let index = this.size - 1; index >= 0; index--) {
      if (
        this.firstSequence(index) === firstSequence &&
        this.lastOffsetDelta(index) === lastOffsetDelta
      ) {
        return index;
      }
    }
    return -1;
  }

  /** True when a batch that begins with the sequence follows the last one without a gap. */
  follows(firstSequence: number): boolean {
    const last = this.lastSequence;
    return firstSequence === (last === SEQUENCE_MAX ? 0 : last + 1);
  }

  add(firstSequence: number, lastOffsetDelta: number, baseOffset: number, position: number): void {
    const { batches } = this;
    if (batches.length < REMEMBERED_BATCHES * FIELDS) {
      batches.push(firstSequence, lastOffsetDelta, baseOffset, position);
      return;
    }
    const slot = this.oldest * FIELDS;
    batches[slot] = firstSequence;
    batches[slot + 1] = lastOffsetDelta;
    batches[slot + 2] = baseOffset;
    batches[slot + 3] = position;
    this.oldest = (this.oldest + 1) % REMEMBERED_BATCHES;
  }

  /** The producer goes on with a new epoch, and with sequences of its own. */
  startEpoch(epoch: number): void {
    this.epoch = epoch;
    this.batches.length = 0;
    this.oldest = 0;
  }

  private slot(index: number): number {
    return ((this.oldest + index) % REMEMBERED_BATCHES) * FIELDS;
  }
}
