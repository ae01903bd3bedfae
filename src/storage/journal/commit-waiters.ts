import { RingBuffer } from '../../base/ring-buffer.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { CommitListener } from '../types.ts';

/**
 * Everybody who waits for one durability, in position order. No allocation per waiter once the rings have grown.
 */
export class CommitWaiters {
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly positions: RingBuffer<number>;
  private readonly listeners: RingBuffer<CommitListener>;
  private newest: number;
  private committed: number;
  private failure: Error | null;
  private releaseScheduled: boolean;
  private readonly releaseLater: () => void;

  constructor(options: { clock: Clock; logger: Logger }) {
    this.clock = options.clock;
    this.logger = options.logger;
    this.positions = new RingBuffer(64);
    this.listeners = new RingBuffer(64);
    this.newest = 0;
    this.committed = 0;
    this.failure = null;
    this.releaseScheduled = false;
    this.releaseLater = () => {
      this.releaseScheduled = false;
      this.release();
      if (this.failure !== null) this.fail(this.failure);
    };
  }

  get length(): number {
    return this.listeners.length;
  }

  /**
   * Tells the listener when the position is committed, never in this call. A position older than one already
   * waited for is told together with that one: waiters leave in the order in which they came.
   */
  add(position: number, listener: CommitListener): void {
    if (this.listeners.length === 0 || position > this.newest) this.newest = position;
    this.positions.push(this.newest);
    this.listeners.push(listener);
    if (this.failure === null && position > this.committed) return;
    if (this.releaseScheduled) return;
    this.releaseScheduled = true;
    this.clock.defer(this.releaseLater);
  }

  /** Everything up to the position is committed. */
  advance(position: number): void {
    if (position > this.committed) this.committed = position;
    this.release();
  }

  /** Nothing more will commit: everybody who waits, now or later, is told so. */
  fail(error: Error): void {
    this.failure = error;
    let listener = this.listeners.shift();
    while (listener !== undefined) {
      this.positions.shift();
      try {
        listener.onCommitFailed(error);
      } catch (cause) {
        this.logger.error('storage.listener', 'a commit listener threw', { error: cause });
      }
      listener = this.listeners.shift();
    }
  }

  private release(): void {
    let position = this.positions.peek();
    while (position !== undefined && position <= this.committed) {
      this.positions.shift();
      const listener = this.listeners.shift();
      try {
        listener?.onCommitted();
      } catch (cause) {
        this.logger.error('storage.listener', 'a commit listener threw', { error: cause });
      }
      position = this.positions.peek();
    }
  }
}
