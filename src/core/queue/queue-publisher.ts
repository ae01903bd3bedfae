import { strict as assert } from 'node:assert';
import { copyMessage, type DeathReason, Message } from '../message/message.ts';
import type { PublishResult } from '../routing-types.ts';
import { becomeDeadLetter, isCycle } from './dead-letters.ts';
import type { Queue } from './queue.ts';
import { ADMISSION } from './queue-definition.ts';
import type { QueueContext } from './queue-context.ts';
import { TargetSet } from './target-set.ts';

/** Where messages go that a queue gave up, or that are due. */
export interface RoutingPort {
  publish(namespace: string, message: Message): PublishResult | null;
  /** A delayed message is due: the exchange routes it as if it were published now. */
  publishDue(namespace: string, exchange: string, message: Message): unknown;
}

/** A message that a queue did not take, and that its dead-letter exchange gets. */
interface LateLetter {
  readonly queue: Queue;
  readonly reason: DeathReason;
}

/** What became of a message. Reused: valid until the next one. */
export interface PublishOutcome {
  /** Queues that took it. */
  accepted: number;
  /** Somebody refused it, and its publisher is to be told. */
  rejected: boolean;
}

/** The way of a message into queues. */
export class QueuePublisher {
  private readonly context: QueueContext;
  private readonly outcome: PublishOutcome = { accepted: 0, rejected: false };
  private readonly overflowing: Queue[] = [];
  private depth = 0;
  /** Durable queues take nothing: the disk is full, or storage has failed. */
  refusing = false;
  /** Of the publish under way. */
  private late: LateLetter[] | null = null;
  router: RoutingPort | null = null;
  /** Dead letters are being published that may come round for ever. */
  private checksCycles = false;

  constructor(context: QueueContext) {
    this.context = context;
  }

  /** Hands message to all queues of the set, or keeps it there. */
  publish(targets: object, message: Message): PublishOutcome {
    assert(targets instanceof TargetSet, 'targetSet made it');
    const { outcome, context } = this;
    message.publishedMs = context.turn.nowMs;
    outcome.accepted = 0;
    outcome.rejected = false;
    const outerLate = this.late;
    this.late = null;
    this.depth++;
    const set = this.admitted(targets, message);
    if (set.queues.length === 1) this.publishToOne(set, message);
    else if (set.queues.length > 1) this.publishToMany(set, message);
    let { accepted } = outcome;
    const { rejected } = outcome;
    accepted += set.queues.length;
    if (this.late !== null) this.sendLate(this.late, message);
    this.late = outerLate;
    this.leave();
    context.turn.added();
    // What followed from it may have been published meanwhile.
    outcome.accepted = accepted;
    outcome.rejected = rejected;
    return outcome;
  }

  /** Publishes what a queue gave up to where it wants its dead letters; the message's fields are changed. */
  deadLetter(queue: Queue, message: Message, reason: DeathReason): void {
    becomeDeadLetter(message, queue, reason, this.context.turn.nowMs);
    const before = this.checksCycles;
    this.checksCycles = true;
    this.depth++;
    this.router?.publish(queue.namespace, message);
    this.checksCycles = before;
    this.leave();
  }

  /** A delayed message is due. */
  publishDue(namespace: string, exchange: string, message: Message): void {
    this.depth++;
    this.router?.publishDue(namespace, exchange, message);
    this.leave();
  }

  /** Called by queues that have too much. */
  overflowed(queue: Queue): void {
    if (queue.overflowing) return;
    queue.overflowing = true;
    this.overflowing.push(queue);
    if (this.depth === 0) this.enforceLimits();
  }

  private leave(): void {
    this.depth--;
    if (this.depth === 0 && this.overflowing.length > 0) this.enforceLimits();
  }

  private enforceLimits(): void {
    // Dead letters may make other queues overflow: they join the list.
    this.depth++;
    for (let queue = this.overflowing.pop(); queue !== undefined; queue = this.overflowing.pop()) {
      queue.overflowing = false;
      if (!queue.gone) queue.enforceLimits();
    }
    this.depth--;
  }

  private sendLate(late: readonly LateLetter[], message: Message): void {
    for (const { queue, reason } of late) {
      const letter = new Message();
      copyMessage(message, letter);
      this.deadLetter(queue, letter, reason);
    }
  }

  private publishToOne(set: TargetSet, message: Message): void {
    const queue = set.queues[0]!;
    const consumer = queue.direct();
    if (consumer === null) {
      if (this.expiresAtOnce(queue, message)) return;
    } else if (consumer.noAck) {
      queue.handOver(consumer, message);
      return;
    }
    const level = message.priority <= 0 ? 0 : Math.min(message.priority, queue.lanes.length - 1);
    this.context.turn.add(set.laneSet(level), message, null);
    queue.stored(message, level, consumer);
  }

  private publishToMany(set: TargetSet, message: Message): void {
    const { queues } = set;
    if (this.allTakeItAtOnce(queues)) {
      for (const queue of queues) queue.handOver(queue.direct()!, message);
      return;
    }
    this.context.turn.add(set.laneSet(message.priority), message, null);
    for (const queue of queues) {
      const top = queue.lanes.length - 1;
      const level = message.priority <= 0 ? 0 : Math.min(message.priority, top);
      const consumer = queue.direct();
      queue.stored(message, level, consumer);
    }
  }

  private allTakeItAtOnce(queues: readonly Queue[]): boolean {
    for (const queue of queues) if (queue.direct()?.noAck !== true) return false;
    return true;
  }

  /** A message that may not wait, and would have to. */
  private expiresAtOnce(queue: Queue, message: Message): boolean {
    if (message.ttlMs !== 0 && queue.settings.messageTtlMs !== 0) return false;
    queue.totals.published++;
    queue.totals.expired++;
    if (queue.settings.deadLetterExchange !== null)
      (this.late ??= []).push({ queue, reason: 'expired' });
    return true;
  }

  /** The set without those that do not take it. */
  private admitted(set: TargetSet, message: Message): TargetSet {
    const { queues } = set;
    let refused = false;
    for (const queue of queues) {
      if (queue.guarded || (this.refusing && queue.durable) || this.checksCycles) refused = true;
    }
    if (!refused) return set;
    const takers = queues.filter((queue) => this.takes(queue, message));
    return set.subset(takers);
  }

  private takes(queue: Queue, message: Message): boolean {
    if (this.refusing && queue.durable) {
      this.outcome.rejected = true;
      return false;
    }
    if (this.checksCycles && message.deaths !== null && isCycle(message.deaths, queue.name)) {
      return false;
    }
    switch (queue.admit(message)) {
      case ADMISSION.accept:
        return true;
      case ADMISSION.refuseDeadLetter:
        this.outcome.rejected = true;
        (this.late ??= []).push({ queue, reason: 'maxlen' });
        return false;
      case ADMISSION.refuse:
        this.outcome.rejected = true;
        return false;
      case ADMISSION.duplicate:
        // It is there already: for its publisher that is as good as taken.
        this.outcome.accepted++;
        return false;
      case ADMISSION.gone:
        break;
    }
    return false;
  }
}
