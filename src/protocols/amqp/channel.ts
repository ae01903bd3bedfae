import type { Message } from '../../core/message/message.ts';
import type { Place } from '../../core/namespace/usage.ts';
import type { Settlement } from '../../core/queue-types.ts';
import { writeAck, writeNack } from './codec/content-writer.ts';
import { Confirms, type ConfirmSink } from './confirms.ts';
import type { AmqpConnection } from './connection.ts';
import type { ReplyTarget } from './direct-reply.ts';
import { preconditionFailed } from './errors.ts';
import type { IncomingContent } from './incoming-content.ts';
import type { AmqpServices } from './services.ts';
import { Transaction } from './transaction.ts';
import { Unsettled } from './unsettled.ts';

/** What a channel consumes: a queue, a stream, or the replies to its requests. */
export interface Consuming {
  readonly id: string;
  readonly queueName: string;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  readonly prefetch: number;
  readonly active: boolean;
  readonly unsettled: number;
  /** There is credit again. */
  resume(): void;
  cancel(): void;
}

/**
 * One channel of a connection. Methods are worked on one after the other; while one waits for something, `busy`, the
 * connection is not read from.
 */
export class AmqpChannel implements ConfirmSink {
  readonly connection: AmqpConnection;
  readonly services: AmqpServices;
  readonly number: number;
  readonly openedAtMs: number;
  /** closing: the broker has closed it and ignores everything until the client agrees. */
  phase: 'open' | 'closing' | 'closed' = 'open';
  busy = false;
  readonly unsettled = new Unsettled();
  readonly consumers = new Map<string, Consuming>();
  /** For consumers to come. */
  prefetch = 0;
  /** For all together; 0: no limit. */
  globalPrefetch = 0;
  confirms: Confirms | null = null;
  transaction: Transaction | null = null;
  replies: ReplyTarget | null = null;
  /** What an empty queue name stands for. */
  lastQueue: string | null = null;
  content: IncomingContent | null = null;
  published = 0;
  private readonly place: Place;
  /** Consumers with credit again, told so when the method that brought it is over. */
  private readonly waiting = new Set<Consuming>();
  /** Who got the last delivery that the common limit let through. */
  private lastServed: Consuming | null = null;

  constructor(connection: AmqpConnection, number: number, place: Place) {
    this.connection = connection;
    this.place = place;
    this.services = connection.services;
    this.number = number;
    this.openedAtMs = connection.services.broker.clock.wallMs();
  }

  get delivering(): boolean {
    return this.phase === 'open' && this.connection.delivering;
  }

  get hasGlobalCredit(): boolean {
    return this.globalPrefetch === 0 || this.unsettled.consumed < this.globalPrefetch;
  }

  /** Starts confirm mode. */
  selectConfirms(): void {
    if (this.transaction !== null) {
      throw preconditionFailed('cannot switch from tx to confirm mode');
    }
    this.confirms ??= new Confirms(this.services.queues, this);
  }

  selectTransactions(): void {
    if (this.confirms !== null) throw preconditionFailed('cannot switch from confirm to tx mode');
    this.transaction ??= new Transaction();
  }

  confirm(upTo: number, count: number): void {
    this.services.counters.confirmed += count;
    writeAck(this.connection.startOutput(), this.number, upTo, count > 1);
  }

  refuse(sequence: number): void {
    writeNack(this.connection.startOutput(), this.number, sequence, false);
  }

  /** Settles what the client names. tag 0 with multiple is everything. */
  settle(tag: number, multiple: boolean, settlement: Settlement): void {
    const { unsettled } = this;
    if (multiple && tag === 0) {
      unsettled.settleAll(settlement);
    } else if (!unsettled.has(tag)) {
      throw preconditionFailed(`unknown delivery tag ${tag}`);
    } else if (multiple) {
      unsettled.settleUpTo(tag, settlement);
    } else {
      unsettled.settle(tag, settlement);
    }
    this.resumeConsumers();
  }

  /** A delivery of that consumer was settled: it is told when the whole method was worked on. */
  creditReturned(consumer: Consuming): void {
    this.waiting.add(consumer);
  }

  /** Somebody got a delivery: where all share one limit, it is another one's turn. */
  served(consumer: Consuming): void {
    if (this.globalPrefetch > 0) this.lastServed = consumer;
  }

  resumeConsumers(): void {
    const { waiting } = this;
    if (waiting.size === 0 || !this.delivering) return;
    const resumed = this.globalPrefetch > 0 ? this.inTurn() : [...waiting];
    waiting.clear();
    for (const consumer of resumed) consumer.resume();
  }

  /** All consumers, the one that was served last at the end of the line. */
  private inTurn(): readonly Consuming[] {
    const all = [...this.consumers.values()];
    const last = this.lastServed === null ? -1 : all.indexOf(this.lastServed);
    return [...all.slice(last + 1), ...all.slice(0, last + 1)];
  }

  /** Everything may go on: the client reads again. */
  resumeAll(): void {
    this.waiting.clear();
    for (const consumer of this.consumers.values()) consumer.resume();
  }

  /** The broker ended a consumer: its queue is gone. */
  consumerCancelled(consumer: Consuming): void {
    if (this.consumers.get(consumer.id) !== consumer) return;
    this.consumers.delete(consumer.id);
    this.connection.tellCancelled(this, consumer.id);
  }

  /** A reply for a request of this channel. */
  takeReply(message: Message): void {
    this.replies?.takeReply(message);
  }

  /** Ends everything; what was not acknowledged goes back to its queues. */
  release(phase: 'closing' | 'closed'): void {
    const first = this.phase === 'open';
    this.phase = phase;
    if (!first) return;
    for (const consumer of this.consumers.values()) consumer.cancel();
    this.consumers.clear();
    this.waiting.clear();
    this.replies?.cancel();
    this.replies = null;
    this.confirms?.close();
    if (this.transaction !== null) this.connection.held(-this.transaction.heldBytes);
    if (this.content !== null) this.connection.held(-this.content.heldBytes);
    this.transaction?.rollBackSettlements(this.unsettled);
    this.transaction = null;
    this.content = null;
    this.unsettled.settleAll('return');
    this.place.release();
    this.services.counters.channelsClosed++;
  }

  /**
   * Goes on with the value, at once or when the promise has it; until then the channel works on nothing else. Must be
   * the last thing a handler does.
   */
  later<T>(value: T | Promise<T>, done: (value: T) => void): void {
    if (!(value instanceof Promise)) {
      done(value);
      return;
    }
    const { currentMethod } = this.connection;
    this.busy = true;
    value.then(
      (result) => this.connection.finish(this, currentMethod, () => done(result)),
      (error: unknown) =>
        this.connection.finish(this, currentMethod, () => {
          throw error;
        }),
    );
  }
}
