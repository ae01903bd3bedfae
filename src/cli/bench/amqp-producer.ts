import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  AmqpChannel,
  AmqpConnection,
  ChannelListener,
  loadAmqp,
} from '../../server/clients.ts';
import { STAMP_BYTES, type AmqpPlan } from './amqp-plan.ts';
import type { AmqpReport } from './amqp-report.ts';
import { Pace } from './pace.ts';

export type Amqp = Awaited<ReturnType<typeof loadAmqp>>;

/** Publishes between two looks at the socket. */
const PUBLISHES_PER_TURN = 500;
/** Publishes without confirms, whose times of sending need not be kept. */
const KEPT_TIMES = 2 ** 16;
/** Stands in a slot of `sentAt` whose message is settled. */
const SETTLED = -1;

/** One publishing channel. */
export class AmqpProducer implements ChannelListener {
  failure: Error | null = null;
  private readonly channel: AmqpChannel;
  private readonly connection: AmqpConnection;
  private readonly plan: AmqpPlan;
  private readonly report: AmqpReport;
  private readonly content: InstanceType<Amqp['OutgoingContent']>;
  private readonly frameOf: (routingKey: string) => Buffer;
  private readonly body: Buffer;
  /** By delivery tag, modulo its length: when the message was meant to be sent. */
  private readonly sentAt: Float64Array;
  private frame: Buffer;
  private nextTag = 1;
  private firstTag = 1;
  private unconfirmed = 0;
  private wakeUp: () => void = () => {};
  private stopped = false;

  constructor(
    amqp: Amqp,
    connection: AmqpConnection,
    channel: AmqpChannel,
    plan: AmqpPlan,
    options: { readonly report: AmqpReport; readonly body: Buffer; readonly routingKey: string },
  ) {
    this.connection = connection;
    this.channel = channel;
    this.plan = plan;
    this.report = options.report;
    this.body = Buffer.from(options.body);
    this.content = new amqp.OutgoingContent();
    this.content.section = amqp.propertySection(amqp.basicProperties(plan.properties, []));
    this.content.sectionEnd = this.content.section.length;
    this.content.body = this.body;
    this.content.bodyEnd = this.body.length;
    this.frameOf = (routingKey) =>
      amqp.publishFrame(channel.number, {
        exchange: plan.exchange,
        routingKey,
        mandatory: plan.mandatory,
      });
    this.frame = this.frameOf(options.routingKey);
    let slots = 2;
    while (slots < Math.min(plan.confirm ?? KEPT_TIMES, 2 ** 24) + 1) slots *= 2;
    this.sentAt = new Float64Array(slots);
    channel.listener = this;
  }

  /** Publishes at the plan's pace; resolves when all is confirmed, or stop was called. */
  async run(): Promise<void> {
    const { plan } = this;
    const startMs = performance.now();
    const pace = new Pace(plan.rate, startMs);
    let sent = 0;
    while (sent < plan.producerMessages && !this.stopped && this.failure === null) {
      const now = performance.now();
      const due = Math.min(plan.producerMessages, pace.dueAt(now), sent + PUBLISHES_PER_TURN);
      for (; sent < due && this.hasRoom; sent++)
        this.publish(pace.intendedMs(sent, performance.now()));
      if (!this.hasRoom) await this.change();
      else if (pace.isLimited && sent < plan.producerMessages) await pace.untilDue(sent);
      else await nextTurn();
    }
    if (this.failure === null && plan.confirm !== null) await this.confirms();
    if (this.failure !== null) throw this.failure;
  }

  stop(): void {
    this.stopped = true;
    this.wake();
  }

  /** The socket has room again, or something else may have changed. */
  wake(): void {
    this.wakeUp();
  }

  onDelivery(): void {}

  onCancel(): void {}

  onReturn(): void {
    this.report.returned++;
  }

  onConfirm(deliveryTag: number, multiple: boolean, taken: boolean): void {
    const now = performance.now();
    for (let tag = multiple ? this.firstTag : deliveryTag; tag <= deliveryTag; tag++) {
      const slot = tag & (this.sentAt.length - 1);
      const sentMs = this.sentAt[slot] ?? SETTLED;
      if (sentMs === SETTLED) continue;
      this.sentAt[slot] = SETTLED;
      this.unconfirmed--;
      if (taken) this.report.confirmed++;
      else this.report.nacked++;
      this.report.recordConfirm(now - sentMs);
    }
    while (
      this.firstTag < this.nextTag &&
      this.sentAt[this.firstTag & (this.sentAt.length - 1)] === SETTLED
    ) {
      this.firstTag++;
    }
    this.wake();
  }

  onFlow(): void {
    this.wake();
  }

  onFailure(error: Error): void {
    this.failure ??= error;
    this.wake();
  }

  private get hasRoom(): boolean {
    if (this.failure !== null || this.stopped) return false;
    const { confirm } = this.plan;
    // Not counted by unconfirmed alone: the slots of sentAt reach from the oldest to the newest.
    if (confirm !== null && this.nextTag - this.firstTag >= confirm) return false;
    return this.channel.flowing && this.connection.hasRoom;
  }

  private publish(intendedMs: number): void {
    if (this.plan.randomRoutingKey) {
      this.frame = this.frameOf(Math.random().toString(36).slice(2));
    }
    this.body.writeDoubleBE(performance.timeOrigin + intendedMs, STAMP_BYTES - 8);
    if (this.plan.confirm !== null) {
      this.sentAt[this.nextTag & (this.sentAt.length - 1)] = intendedMs;
      this.nextTag++;
      this.unconfirmed++;
    }
    this.channel.publish(this.frame, this.content);
    this.report.sent++;
    this.report.lastSentMs = intendedMs;
  }

  private async confirms(): Promise<void> {
    const deadlineMs = performance.now() + this.plan.confirmTimeoutMs;
    const timer = setInterval(() => this.wake(), 200);
    try {
      while (this.unconfirmed > 0 && this.failure === null && performance.now() < deadlineMs) {
        await this.change();
      }
    } finally {
      clearInterval(timer);
    }
    if (this.unconfirmed > 0) {
      this.failure ??= new Error(`${this.unconfirmed} messages were not confirmed in time`);
    }
  }

  private change(): Promise<void> {
    return new Promise((resolve) => (this.wakeUp = resolve));
  }
}
