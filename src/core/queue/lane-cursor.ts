import { BatchWindow } from '../message/batch-window.ts';
import type { LogEngine, LogId, ReadResult } from '../../storage/types.ts';
import type { LaneBundles } from './lane-bundles.ts';

/** What came of looking for a message. */
export const SEEK = {
  ready: 0,
  /** The data is being read; onReadable follows. */
  pending: 1,
  /** It is damaged or gone; `lostTo` is where reading may go on. */
  lost: 2,
} as const;
export type SeekResult = (typeof SEEK)[keyof typeof SEEK];

/** Read at once: enough to make up for the read, little enough to keep for each of many queues. */
const CHUNK_BYTES = 256 * 1024;
const CHUNK = { maxBytes: CHUNK_BYTES, atLeastOneBatch: true };

export interface CursorOwner {
  readonly engine: LogEngine;
  readonly log: LogId;
  readonly bundles: LaneBundles;
  /** The seek that was pending can be tried again. */
  onReadable(): void;
  onReadFailed(error: unknown): void;
}

/** One place in a lane that is being read: from the bundles in memory, else from the engine. */
export class LaneCursor {
  readonly window: BatchWindow;
  lostTo = 0;
  private readonly owner: CursorOwner;
  /** Goes on reading behind what it got: for those who go through a backlog. */
  private readonly readsAhead: boolean;
  private pendingOffset = -1;
  private ahead: ReadResult | null = null;
  private aheadOffset = -1;
  private closed = false;

  constructor(owner: CursorOwner, options: { readonly readsAhead: boolean }) {
    this.owner = owner;
    this.readsAhead = options.readsAhead;
    this.window = new BatchWindow();
  }

  get reading(): boolean {
    return this.pendingOffset !== -1;
  }

  /** Moves the window to the message with the offset. */
  seek(offset: number): SeekResult {
    if (this.window.seek(offset)) return SEEK.ready;
    return this.load(offset);
  }

  /** Lets go of everything that is held in memory. */
  close(): void {
    this.window.close();
    this.dropAhead();
    this.pendingOffset = -1;
    this.closed = true;
  }

  /** The bundle's memory is about to be used for something else. */
  leave(bundle: object): void {
    if (this.window.bundle === bundle) this.window.close();
  }

  private load(offset: number): SeekResult {
    const { owner, window } = this;
    const bundle = owner.bundles.find(offset);
    if (bundle !== null) {
      window.openBundle(bundle, owner.bundles.base);
      if (window.seek(offset)) return SEEK.ready;
    }
    if (this.pendingOffset !== -1) return SEEK.pending;
    if (this.ahead !== null && this.aheadOffset === offset) {
      const ahead = this.ahead;
      this.ahead = null;
      const answer = this.open(ahead, offset);
      releaseAll(ahead);
      if (answer === SEEK.ready) this.readAhead();
      return answer;
    }
    this.dropAhead();
    const result = owner.engine.read(owner.log, offset, CHUNK);
    if (result instanceof Promise) {
      this.wait(result, offset);
      return SEEK.pending;
    }
    return this.open(result, offset);
  }

  private open(result: ReadResult, offset: number): SeekResult {
    if (result.status === 'ok' && result.slices.length > 0) {
      this.window.openSlices(result.slices);
      if (this.window.seek(offset)) return SEEK.ready;
    }
    this.lostTo = offset + 1;
    if (result.status === 'corrupt') this.lostTo = Math.max(result.resumeOffset, offset + 1);
    if (result.status === 'out-of-range') this.lostTo = Math.max(result.start, offset + 1);
    return SEEK.lost;
  }

  private wait(result: Promise<ReadResult>, offset: number): void {
    this.pendingOffset = offset;
    result.then(
      (found) => {
        if (this.closed || this.pendingOffset !== offset) return;
        this.pendingOffset = -1;
        this.keepAhead(found, offset);
        this.owner.onReadable();
      },
      (error: unknown) => {
        if (this.closed || this.pendingOffset !== offset) return;
        this.pendingOffset = -1;
        this.owner.onReadFailed(error);
      },
    );
  }

  /** The next piece, so that it is there when this one is used up. */
  private readAhead(): void {
    const { owner, window } = this;
    const next = window.endOffset;
    if (!this.readsAhead || next === 0) return;
    const bounds = owner.engine.bounds(owner.log);
    if (bounds === null || next >= bounds.committedEnd) return;
    const result = owner.engine.read(owner.log, next, CHUNK);
    if (result instanceof Promise) this.wait(result, next);
    else this.keepAhead(result, next);
  }

  private keepAhead(result: ReadResult, offset: number): void {
    this.dropAhead();
    if (result.status === 'ok') for (const { lease } of result.slices) lease?.retain();
    this.ahead = result;
    this.aheadOffset = offset;
  }

  private dropAhead(): void {
    if (this.ahead !== null) releaseAll(this.ahead);
    this.ahead = null;
  }
}

function releaseAll(result: ReadResult): void {
  if (result.status === 'ok') for (const { lease } of result.slices) lease?.release();
}
