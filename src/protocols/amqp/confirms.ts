import { RingBuffer } from '../../base/ring-buffer.ts';
import type { QueueRegistry } from '../../core/queue-types.ts';
import type { CommitListener } from '../../storage/types.ts';

/** Who tells the client. */
export interface ConfirmSink {
  /** The publishes up to this one, from the one after the last such call, were taken; `count` of them. */
  confirm(upTo: number, count: number): void;
  refuse(sequence: number): void;
}

/** Publishes of one turn of the event loop, numbered without a gap. */
interface Mark {
  upTo: number;
  count: number;
}

/**
 * The publishes of a channel in confirm mode, numbered from 1. Those of one turn of the event loop are confirmed
 * together, when all they changed is committed:
 *
 *   confirmed | ticket 7: up to 20 | ticket 8: up to 31
 */
export class Confirms implements CommitListener {
  /** Number of the last publish. */
  last = 0;
  private readonly queues: QueueRegistry;
  private readonly sink: ConfirmSink;
  private readonly marks = new RingBuffer<Mark>(8);
  private mark: Mark | null = null;
  private ticket = 0;
  private unconfirmed = 0;
  private closed = false;

  constructor(queues: QueueRegistry, sink: ConfirmSink) {
    this.queues = queues;
    this.sink = sink;
  }

  /** Publishes that wait for their confirm. */
  get pending(): number {
    return this.unconfirmed;
  }

  /** A publish was handed to the queues in this turn. */
  taken(): void {
    this.last++;
    this.unconfirmed++;
    const { ticket } = this.queues;
    if (ticket !== this.ticket || this.mark === null) {
      this.ticket = ticket;
      this.mark = { upTo: this.last, count: 0 };
      this.marks.push(this.mark);
      this.queues.whenCommitted(ticket, this);
    }
    this.mark.upTo = this.last;
    this.mark.count++;
  }

  /** A publish was refused. What is taken after it is confirmed on its own: numbers of a mark have no gap. */
  refused(): void {
    this.last++;
    this.mark = null;
    this.sink.refuse(this.last);
  }

  onCommitted(): void {
    const mark = this.shift();
    if (mark !== null) this.sink.confirm(mark.upTo, mark.count);
  }

  onCommitFailed(): void {
    const mark = this.shift();
    if (mark === null) return;
    for (let i = mark.count - 1; i >= 0; i--) this.sink.refuse(mark.upTo - i);
  }

  /** Says nothing more. */
  close(): void {
    this.closed = true;
  }

  private shift(): Mark | null {
    const mark = this.marks.shift() ?? null;
    if (mark === null || this.closed) return null;
    this.unconfirmed -= mark.count;
    if (mark === this.mark) this.mark = null;
    return mark;
  }
}
