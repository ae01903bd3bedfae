import { setTimeout as sleep } from 'node:timers/promises';
import type { AmqpChannel, AmqpClient, AmqpConnection } from '../../server/clients.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { AmqpConsumer } from './amqp-consumer.ts';
import { STAMP_BYTES, type AmqpPlan } from './amqp-plan.ts';
import { AmqpProducer, type Amqp } from './amqp-producer.ts';
import type { AmqpReport } from './amqp-report.ts';
import { payload } from './run.ts';

/** Consumers without a limit are done when nothing came for so long after the last message was sent. */
const IDLE_END_MS = 1000;

/** Does what the plan says; the counts are in the report. */
export class AmqpBench {
  private readonly amqp: Amqp;
  private readonly open: () => AmqpClient;
  private readonly plan: AmqpPlan;
  private readonly report: AmqpReport;
  private readonly clients: AmqpClient[] = [];
  private readonly producers: AmqpProducer[] = [];
  private readonly consumers: AmqpConsumer[] = [];
  /** By which messages of this run are known. */
  private readonly mark = (Math.random() * 2 ** 32) >>> 0;

  constructor(amqp: Amqp, open: () => AmqpClient, plan: AmqpPlan, report: AmqpReport) {
    this.amqp = amqp;
    this.open = open;
    this.plan = plan;
    this.report = report;
  }

  async run(): Promise<void> {
    try {
      await this.declare();
      for (let index = 0; index < this.plan.consumers; index++) await this.addConsumer(index);
      for (let index = 0; index < this.plan.producers; index++) await this.addProducer(index);
      this.report.start();
      await this.untilDone();
      this.report.stop();
    } finally {
      await Promise.all(this.clients.map((client) => client.close()));
    }
  }

  private async untilDone(): Promise<void> {
    const { plan } = this;
    const stopAll = (): void => {
      for (const worker of [...this.producers, ...this.consumers]) worker.stop();
    };
    const timer = plan.durationMs === Infinity ? null : setTimeout(stopAll, plan.durationMs);
    plan.signal.addEventListener('abort', stopAll);
    const whole = [...this.producers, ...this.consumers].map((worker) =>
      worker.run().catch((error: unknown) => {
        stopAll();
        throw error;
      }),
    );
    const producing = whole.slice(0, this.producers.length);
    try {
      // Those without a limit of their own end with those that have one.
      if (plan.producerMessages !== Infinity) await Promise.all(producing);
      if (plan.consumerMessages !== Infinity) await Promise.all(whole.slice(producing.length));
      else if (plan.producerMessages !== Infinity && plan.consumers > 0) await this.untilIdle();
      if (plan.producerMessages !== Infinity || plan.consumerMessages !== Infinity) stopAll();
      await Promise.all(whole);
    } finally {
      if (timer !== null) clearTimeout(timer);
      plan.signal.removeEventListener('abort', stopAll);
      await Promise.allSettled(whole);
    }
  }

  /** What was sent has arrived, as far as it does. */
  private async untilIdle(): Promise<void> {
    const sinceMs = performance.now();
    while (!this.plan.signal.aborted) {
      const idleMs = performance.now() - Math.max(this.report.lastReceivedMs, sinceMs);
      if (idleMs >= IDLE_END_MS) return;
      await sleep(IDLE_END_MS / 10);
    }
  }

  private async declare(): Promise<void> {
    const { amqp, plan } = this;
    if (plan.predeclared) return;
    const { connection, channel } = await this.connect();
    if (plan.exchange !== '' && !plan.exchange.startsWith('amq.')) {
      const target = { kind: 'exchange', exchange: plan.exchange, routingKey: '' } as const;
      if (!(await this.exists(connection, target))) {
        await amqp.declareExchange(channel, plan.exchange, { type: plan.exchangeType });
      }
    }
    if (!plan.exclusive) {
      for (const queue of plan.queues) await this.declareNamed(connection, channel, queue);
    }
  }

  private async declareNamed(
    connection: AmqpConnection,
    channel: AmqpChannel,
    queue: string,
  ): Promise<void> {
    if (!(await this.exists(connection, { kind: 'queue', queue }))) {
      await this.declareQueue(channel, queue);
    }
    await this.bind(channel, queue);
  }

  /** One that exists keeps its arguments. */
  private async exists(
    connection: AmqpConnection,
    target: Parameters<Amqp['requireTarget']>[1],
  ): Promise<boolean> {
    return this.amqp.requireTarget(connection, target).then(
      () => true,
      (error: unknown) => {
        if (this.amqp.replyCodeOf(error) === 404) return false;
        throw error;
      },
    );
  }

  private async declareQueue(channel: AmqpChannel, queue: string): Promise<string> {
    const { durable, exclusive, autoDelete, queueArguments } = this.plan;
    const declared = await this.amqp.declareQueue(channel, queue, {
      durable,
      exclusive: exclusive || (queue === '' && !durable),
      autoDelete,
      arguments: this.amqp.tableOf(queueArguments),
    });
    return declared.queue;
  }

  private async bind(channel: AmqpChannel, queue: string): Promise<void> {
    const { exchange, routingKey, bindQueues, queues } = this.plan;
    if (exchange === '' || !bindQueues) return;
    const key = queues.length > 1 ? queue : routingKey;
    await this.amqp.bindQueue(channel, { queue, exchange, routingKey: key });
  }

  private async addConsumer(index: number): Promise<void> {
    const { amqp, plan, report, mark } = this;
    const { connection, channel: first } = await this.connect();
    const queue = await this.queueOf(first, index);
    for (let count = 0; count < plan.consumerChannels; count++) {
      const channel = count === 0 ? first : await connection.openChannel();
      if (plan.prefetch > 0) await amqp.setPrefetch(channel, plan.prefetch);
      const consumer = new AmqpConsumer(connection, channel, plan, { report, mark });
      this.consumers.push(consumer);
      await amqp.consume(channel, queue, {
        noAck: plan.autoAck,
        arguments: amqp.tableOf(plan.consumerArguments),
      });
    }
  }

  /** The queue of consumer number index. */
  private async queueOf(channel: AmqpChannel, index: number): Promise<string> {
    const { plan } = this;
    const named = plan.queues[index % Math.max(1, plan.queues.length)] ?? '';
    if (named !== '' && !plan.exclusive) return named;
    const queue = await this.declareQueue(channel, named);
    if (plan.exchange === '') {
      throw new CommandError(EXIT.usage, 'the default exchange needs --queue');
    }
    await this.bind(channel, queue);
    return queue;
  }

  private async addProducer(index: number): Promise<void> {
    const { amqp, plan, report } = this;
    const { connection, channel: first } = await this.connect();
    const body = payload(Math.max(plan.messageBytes, STAMP_BYTES));
    body.writeUInt32BE(this.mark, 0);
    const queue = plan.queues[index % Math.max(1, plan.queues.length)] ?? '';
    const routingKey = plan.exchange === '' || plan.queues.length > 1 ? queue : plan.routingKey;
    const own: AmqpProducer[] = [];
    for (let count = 0; count < plan.producerChannels; count++) {
      const channel = count === 0 ? first : await connection.openChannel();
      if (plan.confirm !== null) await amqp.selectConfirms(channel);
      const options = { report, body, routingKey };
      own.push(new AmqpProducer(amqp, connection, channel, plan, options));
    }
    connection.onFlow = () => {
      for (const producer of own) producer.wake();
    };
    this.producers.push(...own);
  }

  private async connect() {
    const client = this.open();
    const connection = await client.connect();
    this.clients.push(client);
    return { connection, channel: await connection.openChannel() };
  }
}
