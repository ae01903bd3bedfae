import { CallbackTimeout } from '../../base/timer-wheel.ts';
import type { DeathReason, Message } from '../message/message.ts';
import type {
  Arguments,
  Attachment,
  Delivery,
  MessageRef,
  QueueConsumer,
  QueueCounts,
  QueueSettings,
  QueueTotals,
  QueueView,
  Settlement,
} from '../queue-types.ts';
import { Consumers, type Slot } from './consumers.ts';
import { DeduplicationWindow } from './deduplication-window.ts';
import { Lane, NO_LOG, type LaneOwner } from './lane.ts';
import { SEEK } from './lane-cursor.ts';
import { LaneReads } from './lane-reads.ts';
import { packMark } from './lane-marks.ts';
import { ADMISSION, type Admission, type QueueDefinition } from './queue-definition.ts';
import type { QueueContext } from './queue-context.ts';
import { QueueGets } from './queue-gets.ts';
import { QueueExpiry } from './queue-expiry.ts';
import { newQueueTotals } from './queue-totals.ts';
import { TargetSet } from './target-set.ts';
import type { Sleeper } from './turn.ts';

/** Messages handed out before other queues get their turn. */
const DISPATCH_MAX = 512;

/** Lanes, consumers, and what happens between them. */
export class Queue implements QueueView, Sleeper, LaneOwner {
  readonly id: number;
  readonly namespace: string;
  readonly name: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly exclusiveOwner: number | null;
  readonly arguments: Arguments;
  settings: QueueSettings;
  policy: string | null = null;
  operatorPolicy: string | null = null;
  gone = false;
  paused = false;
  readonly totals: QueueTotals;
  readonly lanes: readonly Lane[];
  /** Something has to be asked before a message is taken. */
  guarded = false;
  idleSinceMs: number | null;
  awake = false;
  /** In the list of queues that have too much. */
  overflowing = false;
  readonly context: QueueContext;
  private readonly line: Consumers;
  readonly expiry: QueueExpiry;
  private aloneOrNull: TargetSet | null = null;
  private deduplication: DeduplicationWindow | null = null;
  private reads: LaneReads | null = null;
  private waitingGets: QueueGets | null = null;
  private hadConsumers = false;
  private dispatching = false;

  constructor(context: QueueContext, definition: QueueDefinition) {
    this.context = context;
    this.id = definition.id;
    this.namespace = definition.namespace;
    this.name = definition.name;
    this.durable = definition.durable;
    this.autoDelete = definition.autoDelete;
    this.exclusiveOwner = definition.exclusiveOwner;
    this.arguments = definition.arguments;
    this.settings = definition.settings;
    this.totals = newQueueTotals();
    this.lanes = definition.logs.map((log) => new Lane(context.laneHost, this, log));
    this.line = new Consumers();
    this.expiry = new QueueExpiry(this);
    this.idleSinceMs = context.clock.monotonicMs();
    this.applySettings(definition.settings);
  }

  // ---- views

  get counts(): QueueCounts {
    const counts = {
      ready: 0,
      unsettled: 0,
      readyBytes: 0,
      unsettledBytes: 0,
      delayed: 0,
      persistent: 0,
    };
    for (const lane of this.lanes) {
      counts.ready += lane.ready;
      counts.unsettled += lane.unsettled;
      counts.readyBytes += lane.readyBytes;
      counts.unsettledBytes += lane.unsettledBytes;
      counts.delayed += lane.delayedCount;
      counts.persistent += lane.persistentCount;
    }
    return counts;
  }

  get ready(): number {
    if (this.lanes.length === 1) return this.lanes[0]!.ready;
    let ready = 0;
    for (const lane of this.lanes) ready += lane.ready;
    return ready;
  }

  get readyBytes(): number {
    if (this.lanes.length === 1) return this.lanes[0]!.readyBytes;
    let bytes = 0;
    for (const lane of this.lanes) bytes += lane.readyBytes;
    return bytes;
  }

  get consumers(): readonly QueueConsumer[] {
    return this.line.all;
  }

  get activeConsumer(): QueueConsumer | null {
    return this.line.active?.consumer ?? null;
  }

  get headPublishedMs(): number | null {
    const lane = this.firstReadyLane();
    if (lane?.head() !== SEEK.ready) return null;
    return lane.headWindow.timestamp;
  }

  get memoryBytes(): number {
    let bytes = 1500;
    for (const lane of this.lanes) bytes += 500 + lane.memoryBytes;
    return bytes;
  }

  /** The set of this queue alone. */
  get alone(): TargetSet {
    this.aloneOrNull ??= new TargetSet([this]);
    return this.aloneOrNull;
  }

  laneFor(priority: number): Lane {
    return this.lanes[Math.min(priority, this.lanes.length - 1)]!;
  }

  // ---- messages in

  /** Only asked when guarded. */
  admit(message: Message): Admission {
    if (this.gone) return ADMISSION.gone;
    const key = this.deduplication === null ? null : message.deduplicationKey;
    const { nowMs } = this.context.turn;
    if (key !== null && this.deduplication!.has(key, nowMs)) {
      this.totals.deduplicated++;
      return ADMISSION.duplicate;
    }
    const full = this.isFullFor(message);
    if (full === ADMISSION.accept && key !== null) this.deduplication!.add(key, nowMs);
    return full;
  }

  private isFullFor(message: Message): Admission {
    const { settings } = this;
    if (settings.overflow === 'drop-head') return ADMISSION.accept;
    const bytes = message.bodyEnd - message.bodyStart;
    if (this.ready < settings.maxLength && this.readyBytes + bytes <= settings.maxBytes) {
      return ADMISSION.accept;
    }
    this.totals.droppedMaxLength++;
    return settings.overflow === 'reject-publish' ? ADMISSION.refuse : ADMISSION.refuseDeadLetter;
  }

  /** Somebody who gets the next message straight from its publisher, or null. */
  direct(): QueueConsumer | null {
    if (this.line.size === 0 || this.paused || this.ready > 0) return null;
    if (this.context.turn.transferring && this.lanes[0]!.log !== NO_LOG) return null;
    if (this.waitingGets !== null && this.waitingGets.length > 0) return null;
    return this.nextConsumer();
  }

  /** Hands a message over that is not stored. */
  handOver(consumer: QueueConsumer, message: Message): void {
    this.totals.published++;
    this.totals.deliveredNoAck++;
    this.deliver(consumer, message, 0, message.bodyEnd - message.bodyStart, false, 0);
  }

  /** A message was stored: it waits, or goes to the consumer at once. Its lane knows nothing of it yet. */
  stored(message: Message, laneIndex: number, consumer: QueueConsumer | null): void {
    const lane = this.lanes[laneIndex]!;
    const bytes = message.bodyEnd - message.bodyStart;
    const offset = lane.stored(bytes, message.persistent);
    this.totals.published++;
    if (message.ttlMs >= 0) this.expiry.added(lane, offset, message, bytes);
    if (consumer === null) {
      if (this.context.turn.transferring) lane.transferred();
      this.waits();
      return;
    }
    lane.handOutLast(bytes, message.persistent);
    const ref = offset * this.lanes.length + laneIndex;
    if (consumer.noAck) this.totals.deliveredNoAck++;
    else this.totals.deliveredAck++;
    this.deliver(consumer, message, ref, bytes, false, 0);
    if (consumer.noAck) lane.settle(offset);
  }

  get hasTimeToLive(): boolean {
    return this.settings.messageTtlMs !== Infinity;
  }

  /** ms that a message may wait. */
  timeToLive(message: Message): number {
    const { messageTtlMs } = this.settings;
    return message.ttlMs >= 0 && message.ttlMs < messageTtlMs ? message.ttlMs : messageTtlMs;
  }

  // ---- messages out

  addConsumer(consumer: QueueConsumer): Attachment | 'exclusive-conflict' | 'gone' {
    if (this.gone) return 'gone';
    const { line } = this;
    if (line.hasExclusive || (consumer.exclusive && line.size > 0)) return 'exclusive-conflict';
    this.hadConsumers = true;
    this.idleSinceMs = null;
    const slot = line.add(consumer);
    if (this.settings.singleActiveConsumer) line.elect();
    this.wake();
    return {
      resume: () => {
        line.queue(slot);
        if (!slot.gone && this.ready > 0) this.wake();
      },
      cancel: () => this.removeConsumer(slot),
    };
  }

  get(options: { readonly noAck: boolean }, reply: (delivery: Delivery | null) => void): void {
    this.used();
    if (this.gone) return reply(null);
    this.waitingGets ??= new QueueGets(this);
    this.waitingGets.add(options, reply);
  }

  settle(ref: MessageRef, settlement: Settlement): void {
    if (this.gone) return;
    const count = this.lanes.length;
    const lane = this.lanes[count === 1 ? 0 : ref % count]!;
    const offset = count === 1 ? ref : Math.floor(ref / count);
    switch (settlement) {
      case 'accept':
        this.totals.acknowledged++;
        this.expiry.forget(lane, offset);
        lane.settle(offset);
        return;
      case 'requeue':
        this.putBack(lane, offset);
        return;
      case 'return':
        this.countReturn(lane, offset);
        return;
      case 'reject':
        this.totals.rejected++;
        this.giveUp(lane, offset, 'rejected');
        return;
    }
  }

  purge(): Promise<number> {
    let purged = 0;
    for (const lane of this.lanes) purged += lane.purge();
    this.used();
    if (!this.durable || purged === 0) return Promise.resolve(purged);
    const { turn } = this.context;
    return new Promise((resolve, reject) => {
      const listener = { onCommitted: () => resolve(purged), onCommitFailed: reject };
      turn.whenCommitted(turn.ticket, listener);
    });
  }

  async peek(
    options: { readonly offset: number; readonly limit: number },
    visit: (delivery: Delivery) => void,
  ): Promise<void> {
    let skip = options.offset;
    let left = options.limit;
    for (let i = this.lanes.length - 1; i >= 0; i--) {
      await this.laneReads().scan(this.lanes[i]!, (window, returned) => {
        if (left <= 0) return false;
        if (skip-- > 0) return true;
        const { message, envelopes } = this.context;
        window.read(message, envelopes);
        const ref = window.offset * this.lanes.length + i;
        visit(this.describe(message, ref, message.bodyEnd - message.bodyStart, returned, i));
        return --left > 0;
      });
    }
  }

  setPaused(paused: boolean): void {
    this.paused = paused;
    if (!paused) this.wake();
  }

  // ---- the end of the turn

  wake(): void {
    if (!this.awake && !this.gone) this.context.turn.wake(this);
  }

  run(): boolean {
    if (this.gone) return false;
    this.waitingGets?.serve();
    return this.dispatch();
  }

  onReadable(): void {
    this.wake();
  }

  onReadFailed(error: unknown): void {
    const { namespace, name } = this;
    this.context.logger.error('queue.read-failed', 'messages of a queue cannot be read', {
      namespace,
      name,
      error,
    });
    // The disk may answer again: without this, nothing would ask it.
    this.context.timers.start(new CallbackTimeout(() => this.wake()), 1000);
  }

  onLost(from: number, to: number): void {
    const { namespace, name } = this;
    this.context.logger.error('queue.messages-lost', 'messages of a queue are damaged', {
      namespace,
      name,
      from,
      count: to - from,
    });
  }

  /** Drops from the head while there is more than allowed. */
  enforceLimits(): void {
    const { maxLength, maxBytes } = this.settings;
    while (this.ready > maxLength || this.readyBytes > maxBytes) {
      const lane = this.lastReadyLane();
      if (lane === null || lane.head() !== SEEK.ready) return;
      this.totals.droppedMaxLength++;
      this.dropHead(lane, 'maxlen');
    }
  }

  // ---- settings, beginning and end

  applySettings(settings: QueueSettings): void {
    this.settings = settings;
    const { deduplicationWindowMs, overflow } = settings;
    if (deduplicationWindowMs === 0) this.deduplication = null;
    else this.deduplication ??= new DeduplicationWindow();
    this.deduplication?.setWindow(deduplicationWindowMs);
    this.guarded = this.deduplication !== null || overflow !== 'drop-head';
    this.expiry.settingsChanged();
    if (this.ready > settings.maxLength || this.readyBytes > settings.maxBytes) {
      this.context.overflowed(this);
    }
    this.wake();
  }

  /** Somebody used it: it does not expire for a while. */
  used(): void {
    if (this.idleSinceMs !== null) this.idleSinceMs = this.context.clock.monotonicMs();
  }

  /** Recovery is over: timers may run. */
  started(): void {
    this.expiry.settingsChanged();
  }

  /** Nothing can be done with it any more; its consumers are told. Returns how many messages it had ready. */
  end(): number {
    const { ready } = this;
    this.gone = true;
    this.guarded = true;
    this.expiry.close();
    this.reads?.close();
    this.waitingGets?.close();
    for (let slot = this.line.slots[0]; slot !== undefined; slot = this.line.slots[0]) {
      this.line.remove(slot);
      slot.consumer.onCancelled('queue-deleted');
    }
    for (const lane of this.lanes) {
      lane.drop();
      this.context.turn.forget(lane);
    }
    return ready;
  }

  // ---- inside

  /** Hands the ready head to the dead letters, or drops it. */
  dropHead(lane: Lane, reason: DeathReason): void {
    const { context } = this;
    if (this.settings.deadLetterExchange === null) {
      lane.settleHead();
      return;
    }
    context.turn.together(() => {
      const { message } = context;
      lane.headWindow.read(message, context.envelopes);
      const offset = lane.handOut();
      context.deadLetter(this, message, reason);
      lane.settle(offset);
    });
  }

  /** A message that was handed out, or waits in the middle, is given up. */
  giveUp(lane: Lane, offset: number, reason: DeathReason): void {
    if (this.settings.deadLetterExchange === null) {
      this.settleAnywhere(lane, offset, 0);
      return;
    }
    this.laneReads().fetch(lane, offset, (window) => {
      if (this.gone || lane.isSettled(offset)) return;
      const { context } = this;
      context.turn.together(() => {
        let mark = 0;
        if (window !== null) {
          const { message } = context;
          window.read(message, context.envelopes);
          mark = packMark(message.bodyEnd - message.bodyStart, message.persistent);
          context.deadLetter(this, message, reason);
        }
        this.settleAnywhere(lane, offset, mark);
      });
    });
  }

  private settleAnywhere(lane: Lane, offset: number, mark: number): void {
    if (lane.isWaiting(offset)) lane.settleWaiting(offset, mark);
    else lane.settle(offset);
  }

  putBack(lane: Lane, offset: number): void {
    if (this.expiry.isOverdue(lane, offset)) {
      this.totals.expired++;
      this.giveUp(lane, offset, 'expired');
      return;
    }
    lane.giveBack(offset);
    this.expiry.cameBack();
    this.waits();
    this.wake();
  }

  private countReturn(lane: Lane, offset: number): void {
    const { deliveryLimit, retryDelayMinMs, retryDelayMaxMs } = this.settings;
    const returns = lane.countReturn(offset);
    if (returns > deliveryLimit) {
      this.totals.deliveryLimited++;
      this.giveUp(lane, offset, 'delivery_limit');
    } else if (retryDelayMinMs > 0) {
      const delayMs = Math.min(retryDelayMinMs * 2 ** (returns - 1), retryDelayMaxMs);
      this.expiry.retryLater(lane, offset, delayMs);
    } else {
      this.putBack(lane, offset);
    }
  }

  private removeConsumer(slot: Slot): void {
    if (slot.gone) return;
    const { line } = this;
    line.remove(slot);
    if (line.active === slot) {
      slot.consumer.onActive(false);
      line.elect();
      this.wake();
    }
    if (line.size > 0) return;
    this.idleSinceMs = this.context.clock.monotonicMs();
    this.expiry.becameIdle();
    if (this.autoDelete && this.hadConsumers) this.context.discard(this, 'auto-delete');
  }

  private nextConsumer(): QueueConsumer | null {
    return this.settings.singleActiveConsumer ? this.line.nextActive() : this.line.next();
  }

  firstReadyLane(): Lane | null {
    for (let i = this.lanes.length - 1; i >= 0; i--) {
      if (this.lanes[i]!.ready > 0) return this.lanes[i]!;
    }
    return null;
  }

  /** Where messages are dropped first: what is least important. */
  private lastReadyLane(): Lane | null {
    for (const lane of this.lanes) if (lane.ready > 0) return lane;
    return null;
  }

  /** A message has to wait: is that too many, and until when may it? */
  private waits(): void {
    const { settings } = this;
    if (this.hasTimeToLive) this.expiry.watchHead();
    if (
      settings.overflow === 'drop-head' &&
      !this.overflowing &&
      (this.ready > settings.maxLength || this.readyBytes > settings.maxBytes)
    ) {
      this.context.overflowed(this);
    }
    if (this.line.size > 0) this.wake();
  }

  /** True when it stopped though it could have gone on. */
  private dispatch(): boolean {
    if (this.line.size === 0 || this.paused || this.dispatching) return false;
    this.dispatching = true;
    try {
      for (let count = 0; count < DISPATCH_MAX; count++) {
        const lane = this.firstReadyLane();
        if (lane?.head() !== SEEK.ready) return false;
        if (this.expiry.dropIfExpired(lane)) continue;
        if (!lane.mayHandOut()) return false;
        const consumer = this.nextConsumer();
        if (consumer === null) return false;
        this.deliverHead(lane, consumer);
        if (this.gone || this.paused) return false;
      }
      return true;
    } finally {
      this.dispatching = false;
    }
  }

  private deliverHead(lane: Lane, consumer: QueueConsumer): void {
    const { message, envelopes } = this.context;
    const { totals } = this;
    const { headReturned } = lane;
    lane.headWindow.read(message, envelopes);
    const offset = lane.handOut();
    const index = this.lanes.length === 1 ? 0 : this.lanes.indexOf(lane);
    const ref = offset * this.lanes.length + index;
    const redelivered = headReturned || offset < lane.redeliveredBelow;
    if (consumer.noAck) totals.deliveredNoAck++;
    else totals.deliveredAck++;
    if (redelivered) totals.redelivered++;
    const bytes = message.bodyEnd - message.bodyStart;
    this.deliver(consumer, message, ref, bytes, redelivered, lane.returnsOf(offset));
    if (consumer.noAck && !this.gone) lane.settle(offset);
  }

  private deliver(
    consumer: QueueConsumer,
    message: Message,
    ref: MessageRef,
    bytes: number,
    redelivered: boolean,
    returns: number,
  ): void {
    const { delivery } = this.context;
    delivery.queue = this;
    delivery.message = message;
    delivery.ref = ref;
    delivery.bytes = bytes;
    delivery.redelivered = redelivered;
    delivery.returns = returns;
    consumer.take(delivery);
  }

  describe(
    message: Message,
    ref: MessageRef,
    bytes: number,
    returned: boolean,
    laneIndex: number,
  ): Delivery {
    const lane = this.lanes[laneIndex]!;
    const offset = Math.floor(ref / this.lanes.length);
    const redelivered = returned || offset < lane.redeliveredBelow;
    return { queue: this, message, ref, bytes, redelivered, returns: lane.returnsOf(offset) };
  }

  private laneReads(): LaneReads {
    this.reads ??= new LaneReads(this.context.turn);
    return this.reads;
  }
}
