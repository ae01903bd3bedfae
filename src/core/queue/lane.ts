import { strict as assert } from 'node:assert';
import type { LogEngine, LogId } from '../../storage/types.ts';
import type { Bundle } from '../message/bundle.ts';
import { ENVELOPE } from '../message/envelope.ts';
import type { BatchWindow } from '../message/batch-window.ts';
import { DeadlineHeap } from './deadline-heap.ts';
import { LaneBundles } from './lane-bundles.ts';
import { LaneCursor, SEEK, type CursorOwner, type SeekResult } from './lane-cursor.ts';
import type { LaneImage } from './lane-image.ts';
import {
  LaneMarks,
  SETTLED,
  markBytes,
  markPersistent,
  markReturned,
  packMark,
  withReturned,
  type MarkPages,
} from './lane-marks.ts';
import { OffsetHeap } from './offset-heap.ts';

/** The log of a lane that keeps its messages in memory only. */
export const NO_LOG = -1;

/** So many messages are noted as handed out before they are, so that handing out seldom waits for a note. */
const HAND_OUT_AHEAD = 4096;

/** The floor moves this far before marks below it are dropped. */
const MARKS_STEP = 512;

export interface LaneHost {
  readonly engine: LogEngine;
  readonly markPages: MarkPages;
  /** Something changed that the end of the turn has to note. */
  touched(lane: Lane): void;
}

/** Who is told what becomes of a lane's data. */
export interface LaneOwner {
  onReadable(): void;
  onReadFailed(error: unknown): void;
  /** Messages [from, to) cannot be read any more. */
  onLost(from: number, to: number): void;
}

/** Committed bundles that stay in memory while the first of them is being read. */
const SPARED_BUNDLES_MAX = 4;

/**
 * A FIFO over one log, or over bundles in memory:
 *
 *   settled | handed out, settled or came back | settled early or waiting | not there yet
 *           ^floor                             ^cursor                    ^tail
 */
export class Lane implements CursorOwner {
  readonly log: LogId;
  readonly bundles: LaneBundles;
  floor = 0;
  cursor = 0;
  tail = 0;
  /** Settled messages in [floor, cursor), and in [cursor, tail). */
  settledBelow = 0;
  settledBeyond = 0;
  /** Came back and are ready; came back and wait for their retry. */
  returnedCount = 0;
  delayedCount = 0;
  readyBytes = 0;
  unsettledBytes = 0;
  persistentCount = 0;
  /** Everything before it may have been handed out before the last start. */
  redeliveredBelow = 0;
  /** Notes say of everything before it that it may have been handed out; of what is before the other, committed ones. */
  announcedBelow = 0;
  private promisedBelow = 0;
  /** What is behind it is appended together with the next note. */
  private appendedBelow = 0;
  /** What came by a transfer ends here; everything before the other is committed. */
  private transferredBelow = 0;
  private committedBelow = 0;
  /** Something is to be handed out when it may. */
  private awaitsCommit = false;
  /** In the list of lanes that the end of the turn looks at. */
  dirty = false;
  /** Its queue is gone. */
  dropped = false;
  /** Differs from the last snapshot. */
  changed = false;
  trimmedTo = 0;
  /** Everything before it is settled, and that is committed. */
  trimmable = 0;
  /** Bundle that takes its messages now, or null. */
  openBundle: Bundle | null = null;
  /** Bundles at the front of `bundles` that are committed. */
  private committedBundles = 0;
  private readonly host: LaneHost;
  private readonly owner: LaneOwner;
  /** Marks before it were dropped. */
  private marksFloor = 0;
  private marksOrNull: LaneMarks | null = null;
  private returned: OffsetHeap | null = null;
  private sequential: LaneCursor | null = null;
  private back: LaneCursor | null = null;
  deadlines: DeadlineHeap | null = null;
  retries: DeadlineHeap | null = null;
  /** How often messages were returned; only those that were. */
  returns: Map<number, number> | null = null;
  /** Settled since the last note: from, to, from, to ... */
  readonly newlySettled: number[] = [];
  /** Offsets whose count of returns changed since the last note. */
  readonly newlyReturned: number[] = [];

  /** Where head() found the first ready message. */
  headOffset = -1;
  headReturned = false;

  constructor(host: LaneHost, owner: LaneOwner, log: LogId) {
    this.host = host;
    this.owner = owner;
    this.log = log;
    this.bundles = new LaneBundles();
  }

  get engine(): LogEngine {
    return this.host.engine;
  }

  get ready(): number {
    return this.tail - this.cursor - this.settledBeyond + this.returnedCount;
  }

  get unsettled(): number {
    return this.cursor - this.floor - this.settledBelow - this.returnedCount - this.delayedCount;
  }

  get live(): number {
    return this.tail - this.floor - this.settledBelow - this.settledBeyond;
  }

  get marks(): LaneMarks {
    this.marksOrNull ??= new LaneMarks(this.host.markPages);
    return this.marksOrNull;
  }

  get memoryBytes(): number {
    return (
      (this.marksOrNull?.memoryBytes ?? 0) +
      (this.returned?.memoryBytes ?? 0) +
      (this.deadlines?.memoryBytes ?? 0) +
      (this.retries?.memoryBytes ?? 0) +
      (this.returns?.size ?? 0) * 48
    );
  }

  // ---- what comes in

  /** The bundle takes messages for this lane from now on. */
  open(bundle: Bundle): void {
    this.openBundle = bundle;
    bundle.holders++;
    this.bundles.push(bundle, this.tail);
  }

  /** The open bundle got a message; returns its offset. */
  stored(bytes: number, persistent: boolean): number {
    if (this.log === NO_LOG) this.bundles.grew();
    this.readyBytes += bytes;
    if (persistent) this.persistentCount++;
    this.changed = true;
    if (this.announcedBelow < this.cursor + HAND_OUT_AHEAD / 2) this.touch();
    return this.tail++;
  }

  /** The message that was stored last is handed out at once: nothing else is ready. */
  handOutLast(bytes: number, persistent: boolean): void {
    const offset = this.tail - 1;
    this.marks.set(offset, packMark(bytes, persistent));
    this.cursor = this.tail;
    this.readyBytes -= bytes;
    this.unsettledBytes += bytes;
    this.touch();
  }

  /** The bundle takes no more messages. */
  sealed(bundle: Bundle): void {
    if (this.openBundle === bundle) this.openBundle = null;
    if (this.log !== NO_LOG || this.dropped) return;
    const base = this.tail - bundle.count;
    if (this.bundles.find(base) === bundle && this.bundles.isSpent) this.releaseFound(bundle);
  }

  /** A bundle was appended to the log. */
  appended(bundle: Bundle): void {
    this.appendedBelow += bundle.count;
  }

  /** The oldest bundle that was not committed is now in the log. */
  committed(): void {
    if (this.dropped) return;
    this.committedBundles++;
    this.sweep();
  }

  // ---- what goes out

  /** Looks for the first ready message: then `headWindow` is at it. 'lost' only tells of an empty lane. */
  head(): SeekResult {
    for (;;) {
      const returned = this.firstReturned();
      this.headReturned = returned !== -1;
      if (!this.headReturned) {
        this.skipSettled();
        if (this.cursor === this.tail) return SEEK.lost;
      }
      const offset = this.headReturned ? returned : this.cursor;
      this.headOffset = offset;
      const cursor = this.headReturned ? this.backCursor() : this.forwardCursor();
      const answer = cursor.seek(offset);
      this.sweep();
      if (answer !== SEEK.lost) return answer;
      this.lose(offset, cursor.lostTo);
    }
  }

  get headWindow(): BatchWindow {
    return (this.headReturned ? this.backCursor() : this.forwardCursor()).window;
  }

  /** The message that was stored last came by a transfer: nobody sees it before that is committed. */
  transferred(): void {
    if (this.log === NO_LOG) return;
    this.transferredBelow = this.tail;
    this.touch();
  }

  /** The message that head() found may be handed out: a crash would neither undo it nor forget that it may be known. */
  mayHandOut(): boolean {
    const { headOffset } = this;
    if (this.log === NO_LOG || this.headReturned) return true;
    const undone = headOffset < this.transferredBelow && headOffset >= this.committedBelow;
    const isNoted = headOffset < this.promisedBelow || headOffset < this.redeliveredBelow;
    const forgotten = !isNoted && headOffset < this.appendedBelow;
    if (!undone && !forgotten) return true;
    this.awaitsCommit = true;
    if (forgotten && headOffset >= this.announcedBelow) this.touch();
    return false;
  }

  /** There are messages of which notes say that they may have been handed out, and that were not. */
  get announcesTooMuch(): boolean {
    return this.cursor < this.tail && this.announcedBelow > this.cursor;
  }

  /** A note is being written. Returns true when somebody may wait for it. */
  announce(): boolean {
    if (this.cursor + HAND_OUT_AHEAD / 2 > this.announcedBelow) {
      this.announcedBelow = this.cursor + HAND_OUT_AHEAD;
    }
    return this.announcedBelow > this.promisedBelow || this.transferredBelow > this.committedBelow;
  }

  /** A note is committed, and what was appended with it. */
  noted(announcedBelow: number, tail: number): void {
    if (announcedBelow > this.promisedBelow) this.promisedBelow = announcedBelow;
    if (tail > this.committedBelow) this.committedBelow = tail;
    if (!this.awaitsCommit || this.dropped) return;
    this.awaitsCommit = false;
    this.owner.onReadable();
  }

  /** The message that head() found is handed out. Returns its offset. */
  handOut(): number {
    const { headOffset } = this;
    const bytes = this.leaveReady();
    this.unsettledBytes += bytes;
    this.touch();
    return headOffset;
  }

  /** The message that head() found is settled without being handed out, or by it. */
  settleHead(): void {
    this.handOut();
    this.settle(this.headOffset);
  }

  /** A message that was handed out is done with. */
  settle(offset: number): void {
    const mark = this.marks.get(offset);
    assert(offset >= this.floor && offset < this.cursor && mark !== SETTLED, 'it is unsettled');
    this.unsettledBytes -= markBytes(mark);
    this.finish(offset, mark);
  }

  /** A message that waits is done with, wherever it is; what is not known of it is in mark. */
  settleWaiting(offset: number, mark: number): void {
    const known = offset < this.cursor ? this.marks.get(offset) : mark;
    if (offset < this.cursor) this.returnedCount--;
    this.readyBytes -= markBytes(known);
    this.finish(offset, known);
  }

  /** A message that was handed out is ready again, at its old place. */
  giveBack(offset: number): void {
    const mark = this.marks.get(offset);
    assert(offset >= this.floor && offset < this.cursor && mark !== SETTLED, 'it is unsettled');
    this.marks.set(offset, withReturned(mark, true));
    this.returned ??= new OffsetHeap();
    this.returned.push(offset);
    this.returnedCount++;
    this.unsettledBytes -= markBytes(mark);
    this.readyBytes += markBytes(mark);
  }

  /** True when it waits to be handed out (again). */
  isWaiting(offset: number): boolean {
    if (offset < this.floor) return false;
    const mark = this.marksOrNull?.get(offset) ?? 0;
    return mark !== SETTLED && (offset >= this.cursor || markReturned(mark));
  }

  isSettled(offset: number): boolean {
    if (offset < this.floor) return true;
    return this.marksOrNull !== null && this.marksOrNull.get(offset) === SETTLED;
  }

  /** Settles everything that is ready and returns how many that were. */
  purge(): number {
    const count = this.ready;
    while (this.firstReturned() !== -1) {
      this.settleWaiting(this.returned!.pop(), 0);
    }
    const persistentBelow = this.countPersistentUnsettled();
    this.readyBytes = 0;
    this.persistentCount = persistentBelow;
    if (this.floor === this.cursor) {
      this.settleMemory(this.cursor, this.tail);
      this.floor = this.tail;
      this.marksOrNull?.dropBefore(this.floor);
    } else if (this.cursor < this.tail) {
      this.settleMemory(this.cursor, this.tail);
      this.noteSettled(this.cursor, this.tail);
      const settled = this.marks.settleRange(this.cursor, this.tail);
      this.settledBelow += this.settledBeyond + settled;
    }
    this.settledBeyond = 0;
    this.cursor = this.tail;
    this.touch();
    return count;
  }

  countReturn(offset: number): number {
    this.returns ??= new Map();
    const count = (this.returns.get(offset) ?? 0) + 1;
    this.returns.set(offset, count);
    if (this.log !== NO_LOG) this.newlyReturned.push(offset);
    this.touch();
    return count;
  }

  returnsOf(offset: number): number {
    return this.returns === null ? 0 : (this.returns.get(offset) ?? 0);
  }

  addDeadline(time: number, offset: number, mark: number): void {
    const deadlines = (this.deadlines ??= new DeadlineHeap());
    // Those that were consumed meanwhile stay in the heap: not for ever.
    if (deadlines.length > 1024 && deadlines.length > 2 * this.live) {
      deadlines.filter((other) => !this.isSettled(other));
    }
    deadlines.push(time, offset, mark);
  }

  /** Takes over what recovery found. */
  restore(image: LaneImage, end: number): void {
    this.floor = Math.min(image.floor, end);
    this.cursor = this.floor;
    this.tail = end;
    this.appendedBelow = end;
    this.committedBelow = end;
    this.trimmedTo = this.floor;
    this.trimmable = this.floor;
    this.redeliveredBelow = Math.min(image.cursor, end);
    this.marksOrNull = image.marks;
    this.settledBeyond = image.settledCount;
    this.readyBytes = image.liveBytes;
    this.persistentCount = image.persistentCount;
    this.returns = image.returns.size === 0 ? null : image.returns;
    this.changed = true;
    this.advance();
  }

  /** Lets go of what is only held to be fast, at the end of a turn in which nobody needs it. */
  rest(): void {
    if (this.floor === this.tail && this.marksOrNull !== null) {
      this.marksOrNull.clear();
      this.marksOrNull = null;
    }
    if (this.back !== null && !this.back.reading) {
      this.back.close();
      this.back = null;
    }
    if (this.ready === 0 && this.sequential !== null && !this.sequential.reading) {
      this.sequential.close();
      this.sequential = null;
      this.sweep();
    }
  }

  /** A cursor of one's own; close it. */
  newCursor(options: {
    readonly readsAhead: boolean;
    readonly onReadable: () => void;
  }): LaneCursor {
    const { engine, log, bundles } = this;
    const { onReadable, readsAhead } = options;
    const owner = { engine, log, bundles, onReadable, onReadFailed: onReadable };
    return new LaneCursor(owner, { readsAhead });
  }

  /** Gives back all memory: the queue is gone. */
  drop(): void {
    this.sequential?.close();
    this.back?.close();
    this.marksOrNull?.clear();
    while (this.bundles.length > 0) {
      this.bundles.shift()?.release();
    }
    this.dropped = true;
    this.floor = this.tail;
    this.cursor = this.tail;
    this.openBundle = null;
  }

  onReadable(): void {
    this.owner.onReadable();
  }

  onReadFailed(error: unknown): void {
    this.owner.onReadFailed(error);
  }

  touch(): void {
    this.changed = true;
    if (!this.dirty) this.host.touched(this);
  }

  // ---- inside

  /** The smallest offset that came back, or -1. */
  firstReturned(): number {
    const { returned } = this;
    if (returned === null) return -1;
    while (returned.length > 0) {
      const offset = returned.peek();
      if (this.isWaiting(offset)) return offset;
      returned.pop();
    }
    return -1;
  }

  private skipSettled(): void {
    while (this.settledBeyond > 0 && this.cursor < this.tail) {
      const next = this.marks.skipSettled(this.cursor, this.tail);
      const skipped = next - this.cursor;
      if (skipped === 0) return;
      this.settledBeyond -= skipped;
      this.settledBelow += skipped;
      this.cursor = next;
      this.advance();
    }
  }

  /** Takes the head out of what is ready, gives it a mark, and returns its bytes. */
  private leaveReady(): number {
    const { headOffset } = this;
    if (this.headReturned) {
      this.returned!.pop();
      this.returnedCount--;
      const mark = this.marks.get(headOffset);
      this.marks.set(headOffset, withReturned(mark, false));
      const bytes = markBytes(mark);
      this.readyBytes -= bytes;
      return bytes;
    }
    const { buffer, keyStart, valueStart, valueEnd } = this.sequential!.window;
    const persistent = (buffer[keyStart]! & ENVELOPE.persistent) !== 0;
    const mark = packMark(valueEnd - valueStart, persistent);
    this.marks.set(headOffset, mark);
    this.cursor = headOffset + 1;
    const bytes = markBytes(mark);
    this.readyBytes -= bytes;
    return bytes;
  }

  private finish(offset: number, mark: number): void {
    if (markPersistent(mark)) this.persistentCount--;
    if (this.returns !== null) this.returns.delete(offset);
    if (this.log === NO_LOG) this.settleBundle(offset);
    if (offset === this.floor && offset < this.cursor) {
      this.floor++;
      this.advance();
    } else {
      this.marks.settle(offset);
      if (offset < this.cursor) this.settledBelow++;
      else this.settledBeyond++;
      if (this.log !== NO_LOG) this.noteSettled(offset, offset + 1);
      if (offset === this.cursor) this.skipSettled();
    }
    this.touch();
  }

  /** Moves the floor over what is settled. */
  private advance(): void {
    const marks = this.marksOrNull;
    if (this.settledBelow > 0 && marks !== null) {
      const next = marks.skipSettled(this.floor, this.cursor);
      this.settledBelow -= next - this.floor;
      this.floor = next;
    }
    if (marks !== null && this.floor - this.marksFloor >= MARKS_STEP) {
      marks.dropBefore(this.floor);
      this.marksFloor = this.floor;
    }
  }

  private noteSettled(from: number, to: number): void {
    const { newlySettled } = this;
    const last = newlySettled.length - 1;
    if (last > 0 && newlySettled[last] === from) newlySettled[last] = to;
    else newlySettled.push(from, to);
  }

  private settleBundle(offset: number): void {
    const bundle = this.bundles.find(offset);
    if (bundle !== null && this.bundles.settled() && bundle.sealed) this.releaseFound(bundle);
  }

  private settleMemory(from: number, to: number): void {
    if (this.log !== NO_LOG) return;
    for (let offset = from; offset < to; offset++) {
      if (!this.isSettled(offset)) this.settleBundle(offset);
    }
  }

  private releaseFound(bundle: Bundle): void {
    this.sequential?.leave(bundle);
    this.back?.leave(bundle);
    this.bundles.removeFound();
    bundle.release();
  }

  /** Gives up committed bundles. The one that is being read is spared, unless more and more come behind it. */
  private sweep(): void {
    while (this.committedBundles > 0) {
      const bundle = this.bundles.first;
      const isRead =
        bundle !== null && bundle === this.sequential?.window.bundle && this.inWindow(bundle);
      if (isRead && this.committedBundles <= SPARED_BUNDLES_MAX) return;
      this.bundles.shift();
      this.committedBundles--;
      if (bundle === null) continue;
      this.sequential?.leave(bundle);
      this.back?.leave(bundle);
      bundle.release();
    }
  }

  /** The cursor has not passed the bundle that is first. */
  private inWindow(bundle: Bundle): boolean {
    return this.bundles.find(this.cursor) === bundle;
  }

  private lose(from: number, to: number): void {
    const end = this.headReturned ? from + 1 : Math.min(to, this.tail);
    this.owner.onLost(from, end);
    for (let offset = from; offset < end; offset++) {
      if (this.isWaiting(offset)) this.settleWaiting(offset, 0);
    }
  }

  private countPersistentUnsettled(): number {
    if (this.persistentCount === 0 || this.floor === this.cursor) return 0;
    let count = 0;
    for (let offset = this.floor; offset < this.cursor; offset++) {
      const mark = this.marks.get(offset);
      if (mark !== SETTLED && markPersistent(mark)) count++;
    }
    return count;
  }

  private forwardCursor(): LaneCursor {
    this.sequential ??= new LaneCursor(this, { readsAhead: true });
    return this.sequential;
  }

  private backCursor(): LaneCursor {
    this.back ??= new LaneCursor(this, { readsAhead: false });
    return this.back;
  }
}
