import { setTimeout as sleep } from 'node:timers/promises';
import { RingBuffer } from '../../base/ring-buffer.ts';
import type {
  AmqpChannel,
  AmqpConnection,
  ChannelListener,
  Delivery,
} from '../../server/clients.ts';
import { nowMs, STAMP_BYTES, type AmqpPlan } from './amqp-plan.ts';
import type { AmqpReport } from './amqp-report.ts';

/** Messages that wait for a slow consumer, above which nothing more is read. */
const WAITING_MAX = 1000;

/** One consuming channel. */
export class AmqpConsumer implements ChannelListener {
  failure: Error | null = null;
  private readonly connection: AmqpConnection;
  private readonly channel: AmqpChannel;
  private readonly plan: AmqpPlan;
  private readonly report: AmqpReport;
  private readonly mark: number;
  /** Delivery tags that wait for their turn, with a consumer rate. */
  private readonly waiting = new RingBuffer<number>(64);
  private received = 0;
  private unacked = 0;
  private isPaused = false;
  private stopped = false;
  private wakeUp: () => void = () => {};

  constructor(
    connection: AmqpConnection,
    channel: AmqpChannel,
    plan: AmqpPlan,
    options: { readonly report: AmqpReport; readonly mark: number },
  ) {
    this.connection = connection;
    this.channel = channel;
    this.plan = plan;
    this.report = options.report;
    this.mark = options.mark;
    channel.listener = this;
  }

  /** Resolves when the plan's messages were received, or stop was called. */
  async run(): Promise<void> {
    while (!this.isDone) {
      if (this.plan.consumerRate === Infinity) await this.change();
      else await this.takeTurns();
    }
    if (this.failure !== null) throw this.failure;
  }

  stop(): void {
    this.stopped = true;
    this.wakeUp();
  }

  onDelivery(delivery: Delivery): void {
    if (this.received >= this.plan.consumerMessages) return; // goes back to the queue at the end
    this.received++;
    this.report.received++;
    this.report.receivedBytes += delivery.bodyEnd - delivery.bodyStart;
    this.report.lastReceivedMs = performance.now();
    this.measure(delivery.body, delivery.bodyStart, delivery.bodyEnd);
    if (this.plan.consumerRate === Infinity) {
      this.settle(delivery.deliveryTag);
    } else {
      this.waiting.push(delivery.deliveryTag);
      if (this.waiting.length > WAITING_MAX && !this.isPaused) this.setReading(false);
    }
    if (this.received >= this.plan.consumerMessages) this.wakeUp();
  }

  onReturn(): void {}

  onConfirm(): void {}

  onFlow(): void {}

  onCancel(): void {
    this.onFailure(new Error('the broker ended a consumer; was its queue deleted?'));
  }

  onFailure(error: Error): void {
    this.failure ??= error;
    this.wakeUp();
  }

  private get isDone(): boolean {
    if (this.stopped || this.failure !== null) return true;
    return this.received >= this.plan.consumerMessages && this.waiting.length === 0;
  }

  private measure(body: Buffer, start: number, end: number): void {
    if (end - start < STAMP_BYTES || body.readUInt32BE(start) !== this.mark) return;
    this.report.recordLatency(nowMs() - body.readDoubleBE(start + STAMP_BYTES - 8));
  }

  private settle(deliveryTag: number): void {
    const { autoAck, multiAckEvery, consumerMessages } = this.plan;
    if (autoAck) return;
    if (multiAckEvery <= 1) return this.channel.ack(deliveryTag, false);
    this.unacked++;
    if (this.unacked < multiAckEvery && this.received < consumerMessages) return;
    this.unacked = 0;
    this.channel.ack(deliveryTag, true);
  }

  /** Settles what waits at the consumer's rate. */
  private async takeTurns(): Promise<void> {
    const startMs = performance.now();
    let settled = 0;
    while (!this.isDone) {
      const due = Math.floor(((performance.now() - startMs) / 1000) * this.plan.consumerRate) + 1;
      for (; settled < due; settled++) {
        const tag = this.waiting.shift();
        // Nothing to do now: time that passes idle is not made up for.
        if (tag === undefined) settled = due - 1;
        else this.settle(tag);
      }
      if (this.isPaused && this.waiting.length < WAITING_MAX / 2) this.setReading(true);
      await sleep(Math.min(50, Math.max(1, 1000 / this.plan.consumerRate)));
    }
  }

  private setReading(reading: boolean): void {
    this.isPaused = !reading;
    this.connection.setReading(reading);
  }

  private change(): Promise<void> {
    return new Promise((resolve) => (this.wakeUp = resolve));
  }
}
