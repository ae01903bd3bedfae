import {
  batchBaseOffset,
  batchBaseSequence,
  batchLastOffsetDelta,
  batchTotalBytes,
} from '../../base/record-batch.ts';
import { VarintReader, varintBytes, writeVarint } from '../../base/varint.ts';
import { BUNDLE_MARK } from '../message/bundle.ts';
import { BatchWindow } from '../message/batch-window.ts';
import { ENVELOPE } from '../message/envelope.ts';
import type { Lane } from './lane.ts';
import { LaneMarks, SETTLED, type MarkPages } from './lane-marks.ts';

/**
 * What the journal keeps of a lane, beside its batches. A note tells where the lane stands after a turn in which it
 * changed, and what changed; a snapshot is a note about everything:
 *
 *   kind        uint8   QUEUE_NOTE
 *   version     uint8   1
 *   floor, cursor, tail   varint each; cursor and tail counted from floor. What is before the cursor may have been
 *               handed out; it may be behind the tail
 *   liveBytes, persistentCount, deadlineCount   varint each: bodies and messages that are not settled
 *   ranges      varint count, then from and length of each, varint: settled above floor; from is counted from the
 *               end of the range before (the first from floor)
 *   returns     varint count, then offset (from floor) and how often it came back, varint
 */
export const QUEUE_NOTE = 0x51;
const VERSION = 1;

export const isQueueNote = (note: Buffer): boolean => note[0] === QUEUE_NOTE;

/** A lane as the journal has it: rebuilt from the last snapshot and what was journalled after it. */
export class LaneImage {
  floor = 0;
  cursor = 0;
  /** Everything before it is in the counts. */
  tail = 0;
  liveBytes = 0;
  persistentCount = 0;
  /** Messages with a deadline that may not be settled yet: an upper bound. */
  deadlineCount = 0;
  readonly marks: LaneMarks;
  settledCount = 0;
  readonly returns = new Map<number, number>();

  constructor(pages: MarkPages) {
    this.marks = new LaneMarks(pages);
  }

  /** Takes in a note or a snapshot; false when it cannot be read. */
  apply(note: Buffer): boolean {
    if (note[0] !== QUEUE_NOTE || note[1] !== VERSION) return false;
    const reader = new VarintReader(note, 2, note.length);
    const floor = reader.readVarlong();
    const cursor = floor + reader.readVarlong();
    const tail = floor + reader.readVarlong();
    const liveBytes = reader.readVarlong();
    const persistentCount = reader.readVarlong();
    const deadlineCount = reader.readVarlong();
    if (reader.failed) return false;
    this.cursor = Math.max(cursor, this.cursor);
    this.liveBytes = liveBytes;
    this.persistentCount = persistentCount;
    this.deadlineCount = deadlineCount;
    this.tail = tail;
    this.moveFloor(floor);
    let from = floor;
    for (let left = reader.readVarlong(); left > 0 && !reader.failed; left--) {
      from += reader.readVarlong();
      const to = from + reader.readVarlong();
      this.settledCount += this.marks.settleRange(Math.max(from, this.floor), to);
      from = to;
    }
    for (let left = reader.readVarlong(); left > 0 && !reader.failed; left--) {
      const offset = floor + reader.readVarlong();
      this.returns.set(offset, reader.readVarlong());
    }
    return !reader.failed;
  }

  /** Takes in batches that were appended. */
  append(buffer: Buffer, start: number, end: number): void {
    const window = new BatchWindow();
    for (let at = start; at < end; at += batchTotalBytes(buffer, at)) {
      if (batchBaseSequence(buffer, at) !== BUNDLE_MARK) continue;
      const first = batchBaseOffset(buffer, at);
      const next = first + batchLastOffsetDelta(buffer, at) + 1;
      if (next <= this.tail) continue;
      const slice = { buffer, start: at, end: at + batchTotalBytes(buffer, at), lease: null };
      window.openSlices([slice]);
      while (window.next()) if (window.offset >= this.tail) this.count(window);
      this.tail = next;
    }
    window.close();
  }

  private count(window: BatchWindow): void {
    const flags = window.buffer[window.keyStart]!;
    this.liveBytes += window.valueEnd - window.valueStart;
    if ((flags & ENVELOPE.persistent) !== 0) this.persistentCount++;
    if ((flags & ENVELOPE.ttl) !== 0) this.deadlineCount++;
  }

  private moveFloor(floor: number): void {
    if (floor <= this.floor) return;
    // Pages below the new floor go; what they had settled does not count any more.
    let offset = this.floor;
    while (this.settledCount > 0 && offset < floor) {
      if (this.marks.get(offset) === SETTLED) this.settledCount--;
      offset++;
    }
    this.marks.dropBefore(floor);
    for (const returned of this.returns.keys()) {
      if (returned < floor) this.returns.delete(returned);
    }
    this.floor = floor;
  }
}

/** Writes notes and snapshots into memory of its own, which the next one uses again. */
export class LaneNotes {
  private out: Buffer;
  private at = 0;

  constructor() {
    this.out = Buffer.allocUnsafe(4096);
  }

  /** What changed since the last note; the lane's lists of changes are emptied. */
  note(lane: Lane): Buffer {
    this.begin(lane, lane.announcedBelow);
    const { newlySettled: ranges, newlyReturned: returned, floor } = lane;
    let count = 0;
    if (ranges.length > 2) sortRanges(ranges);
    for (let i = 0; i < ranges.length; i += 2) if (ranges[i + 1]! > floor) count++;
    this.put(count);
    let before = floor;
    for (let i = 0; i < ranges.length; i += 2) {
      if (ranges[i + 1]! <= floor) continue;
      const from = Math.max(ranges[i]!, floor);
      this.put(from - before);
      this.put(ranges[i + 1]! - from);
      before = ranges[i + 1]!;
    }
    ranges.length = 0;
    let returns = 0;
    for (const offset of returned) if (lane.returnsOf(offset) > 0) returns++;
    this.put(returns);
    for (const offset of returned) {
      const times = lane.returnsOf(offset);
      if (times === 0) continue;
      this.put(offset - floor);
      this.put(times);
    }
    returned.length = 0;
    return this.out.subarray(0, this.at);
  }

  /** last: nothing more is handed out before the next start. */
  snapshot(lane: Lane, options: { readonly last: boolean }): Buffer {
    this.begin(lane, options.last ? 0 : lane.announcedBelow);
    const ranges = settledRanges(lane);
    this.put(ranges.length / 2);
    let before = lane.floor;
    for (let i = 0; i < ranges.length; i += 2) {
      this.put(ranges[i]! - before);
      this.put(ranges[i + 1]! - ranges[i]!);
      before = ranges[i + 1]!;
    }
    this.put(lane.returns?.size ?? 0);
    for (const [offset, times] of lane.returns ?? []) {
      this.put(offset - lane.floor);
      this.put(times);
    }
    return this.out.subarray(0, this.at);
  }

  private begin(lane: Lane, announcedBelow: number): void {
    const { floor, cursor, tail, redeliveredBelow } = lane;
    this.at = 0;
    this.out[this.at++] = QUEUE_NOTE;
    this.out[this.at++] = VERSION;
    this.put(floor);
    this.put(Math.max(cursor, redeliveredBelow, announcedBelow) - floor);
    this.put(tail - floor);
    this.put(lane.readyBytes + lane.unsettledBytes);
    this.put(lane.persistentCount);
    this.put(lane.deadlines?.length ?? 0);
  }

  private put(value: number): void {
    if (this.at + varintBytes(value) > this.out.length) {
      const grown = Buffer.allocUnsafe(this.out.length * 2);
      this.out.copy(grown, 0, 0, this.at);
      this.out = grown;
    }
    this.at = writeVarint(this.out, value, this.at);
  }
}

function settledRanges(lane: Lane): number[] {
  const ranges: number[] = [];
  let left = lane.settledBelow + lane.settledBeyond;
  let offset = lane.floor;
  while (left > 0 && offset < lane.tail) {
    while (offset < lane.tail && !lane.isSettled(offset)) offset++;
    const end = lane.marks.skipSettled(offset, lane.tail);
    if (end > offset) ranges.push(offset, end);
    left -= end - offset;
    offset = end;
  }
  return ranges;
}

/** Orders ranges that do not overlap, in place. */
function sortRanges(ranges: number[]): void {
  let sorted = true;
  for (let i = 2; i < ranges.length && sorted; i += 2) sorted = ranges[i]! >= ranges[i - 1]!;
  if (sorted) return;
  const pairs: [number, number][] = [];
  for (let i = 0; i < ranges.length; i += 2) pairs.push([ranges[i]!, ranges[i + 1]!]);
  pairs.sort((a, b) => a[0] - b[0]);
  pairs.forEach(([from, to], i) => {
    ranges[i * 2] = from;
    ranges[i * 2 + 1] = to;
  });
}
