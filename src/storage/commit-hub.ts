import type { Clock } from '../base/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CommitWaiters } from './journal/commit-waiters.ts';
import type { CommitListener, Durability, Position, Unsubscribe } from './types.ts';

export type CommitCallback = (position: Position, durability: 'fsync' | 'os') => void;

/** Everybody who waits for commits: listeners of single positions, and callbacks told of every step. */
export class CommitHub {
  private readonly logger: Logger;
  private readonly memory: CommitWaiters;
  private readonly os: CommitWaiters;
  private readonly fsync: CommitWaiters;
  private callbacks: readonly CommitCallback[];
  private written: Position;
  private synced: Position;

  constructor(options: { clock: Clock; logger: Logger }) {
    this.logger = options.logger;
    this.memory = new CommitWaiters(options);
    this.os = new CommitWaiters(options);
    this.fsync = new CommitWaiters(options);
    this.callbacks = [];
    this.written = 0;
    this.synced = 0;
    this.memory.advance(Infinity);
  }

  /** Everything up to the position was committed before the engine was opened. */
  start(position: Position): void {
    this.written = position;
    this.synced = position;
    this.os.advance(position);
    this.fsync.advance(position);
  }

  add(position: Position, durability: Durability, listener: CommitListener): void {
    if (durability === 'fsync') this.fsync.add(position, listener);
    else if (durability === 'os') this.os.add(position, listener);
    else this.memory.add(0, listener);
  }

  onCommitted(callback: CommitCallback): Unsubscribe {
    this.callbacks = [...this.callbacks, callback];
    return () => {
      this.callbacks = this.callbacks.filter((other) => other !== callback);
    };
  }

  /** Releases whoever waited for positions up to these. */
  advance(written: Position, synced: Position): void {
    this.os.advance(written);
    this.fsync.advance(synced);
    if (written > this.written) {
      this.written = written;
      this.tell(written, 'os');
    }
    if (synced > this.synced) {
      this.synced = synced;
      this.tell(synced, 'fsync');
    }
  }

  /** Nothing more is committed to disk. */
  fail(error: Error): void {
    this.os.fail(error);
    this.fsync.fail(error);
  }

  private tell(position: Position, durability: 'fsync' | 'os'): void {
    for (const callback of this.callbacks) {
      try {
        callback(position, durability);
      } catch (error) {
        this.logger.error('storage.listener', 'a commit callback threw', { error });
      }
    }
  }
}
