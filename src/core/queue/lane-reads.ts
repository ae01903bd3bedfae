import type { BatchWindow } from '../message/batch-window.ts';
import type { Lane } from './lane.ts';
import { SEEK, type LaneCursor } from './lane-cursor.ts';
import { markReturned } from './lane-marks.ts';
import type { Sleeper, Turn } from './turn.ts';

interface Fetch {
  readonly lane: Lane;
  readonly offset: number;
  /** null: it cannot be read any more. */
  readonly found: (window: BatchWindow | null) => void;
}

/** Looks at single messages of a queue's lanes, beside what is being delivered. */
export class LaneReads implements Sleeper {
  awake = false;
  private readonly turn: Turn;
  private readonly fetches: Fetch[] = [];
  private next = 0;
  private lane: Lane | null = null;
  private cursor: LaneCursor | null = null;
  private running = false;

  constructor(turn: Turn) {
    this.turn = turn;
  }

  /** Calls found once with the message, at once when it is in memory and nobody asked before. */
  fetch(lane: Lane, offset: number, found: (window: BatchWindow | null) => void): void {
    this.fetches.push({ lane, offset, found });
    this.serve();
  }

  /** Visits what is ready, in order, until visit says false. */
  async scan(
    lane: Lane,
    visit: (window: BatchWindow, returned: boolean) => boolean,
  ): Promise<void> {
    let readable = (): void => {};
    const cursor = lane.newCursor({ readsAhead: true, onReadable: () => readable() });
    try {
      let offset = lane.floor;
      while (offset < lane.tail && !lane.dropped) {
        if (!lane.isWaiting(offset)) {
          offset++;
          continue;
        }
        const answer = cursor.seek(offset);
        if (answer === SEEK.pending) {
          await new Promise<void>((resolve) => (readable = resolve));
          continue;
        }
        if (answer === SEEK.lost) {
          offset = cursor.lostTo;
          continue;
        }
        const returned = offset < lane.cursor && markReturned(lane.marks.get(offset));
        if (!visit(cursor.window, returned)) return;
        offset++;
      }
    } finally {
      cursor.close();
    }
  }

  /** The turn is over: lets go of the memory that the last reads were from. */
  run(): boolean {
    if (this.cursor !== null && !this.cursor.reading) this.drop();
    return false;
  }

  close(): void {
    this.fetches.length = 0;
    this.next = 0;
    this.drop();
  }

  private serve(): void {
    if (this.running) return;
    this.running = true;
    try {
      while (this.next < this.fetches.length) {
        const { lane, offset, found } = this.fetches[this.next]!;
        const cursor = this.cursorOf(lane);
        const answer = cursor.seek(offset);
        if (answer === SEEK.pending) return;
        this.next++;
        found(answer === SEEK.ready ? cursor.window : null);
      }
      this.fetches.length = 0;
      this.next = 0;
      this.turn.wake(this);
    } finally {
      this.running = false;
    }
  }

  private cursorOf(lane: Lane): LaneCursor {
    if (this.cursor !== null && this.lane === lane) return this.cursor;
    this.drop();
    this.lane = lane;
    this.cursor = lane.newCursor({ readsAhead: false, onReadable: () => this.serve() });
    return this.cursor;
  }

  private drop(): void {
    this.cursor?.close();
    this.cursor = null;
    this.lane = null;
  }
}
