import assert from 'node:assert/strict';
import type { Clock } from '../../src/base/clock.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { EventBus } from '../../src/core/events.ts';
import { Message } from '../../src/core/message/message.ts';
import { QueueStore, type QueueStoreOptions } from '../../src/core/queue/queue-store.ts';
import type { Queue } from '../../src/core/queue/queue.ts';
import type { Arguments, Delivery, NewQueue, QueueConsumer } from '../../src/core/queue-types.ts';
import type { PublishResult } from '../../src/core/routing-types.ts';
import { MemoryEngine } from '../../src/storage/memory/memory-engine.ts';
import type { LogEngine } from '../../src/storage/types.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { ManualClock } from './manual-clock.ts';

export const NAMESPACE = '/';

/** What a delivery said, as it can be kept. */
export interface Received {
  readonly body: string;
  readonly ref: number;
  readonly redelivered: boolean;
  readonly returns: number;
  readonly routingKey: string;
  readonly deaths: Message['deaths'];
}

export function received(delivery: Delivery): Received {
  const { message, ref, redelivered, returns } = delivery;
  const { body, bodyStart, bodyEnd, routingKey, deaths } = message;
  return {
    body: body.toString('utf8', bodyStart, bodyEnd),
    ref,
    redelivered,
    returns,
    routingKey,
    deaths,
  };
}

/** A consumer that writes down what it gets, with so much credit. */
export class RecordingConsumer implements QueueConsumer {
  readonly id: string;
  readonly connectionId: number = 1;
  readonly priority: number;
  readonly exclusive: boolean;
  readonly noAck: boolean;
  credit: number;
  readonly got: Received[] = [];
  readonly active: boolean[] = [];
  cancelled: string | null = null;

  constructor(
    options: {
      id?: string;
      priority?: number;
      exclusive?: boolean;
      noAck?: boolean;
      credit?: number;
    } = {},
  ) {
    this.id = options.id ?? 'c';
    this.priority = options.priority ?? 0;
    this.exclusive = options.exclusive ?? false;
    this.noAck = options.noAck ?? false;
    this.credit = options.credit ?? Infinity;
  }

  get ready(): boolean {
    return this.credit > 0;
  }

  get bodies(): string[] {
    return this.got.map(({ body }) => body);
  }

  take(delivery: Delivery): void {
    this.credit--;
    this.got.push(received(delivery));
  }

  onCancelled(reason: string): void {
    this.cancelled = reason;
  }

  onActive(active: boolean): void {
    this.active.push(active);
  }
}

export function messageOf(body: string | Buffer, fields: Partial<Message> = {}): Message {
  const message = new Message();
  message.body = typeof body === 'string' ? Buffer.from(body) : body;
  message.bodyEnd = message.body.length;
  message.persistent = true;
  return Object.assign(message, fields);
}

/** A store of queues whose dead letters go to the queue that the routing key names. */
export class QueueHarness {
  readonly clock: ManualClock;
  readonly engine: LogEngine;
  readonly store: QueueStore;
  readonly events: EventBus;

  constructor(engine: LogEngine, clock: Clock, options: Partial<QueueStoreOptions> = {}) {
    this.clock = clock as ManualClock;
    this.engine = engine;
    this.events = new EventBus(silentLogger);
    this.store = new QueueStore({
      engine,
      clock,
      logger: silentLogger,
      events: this.events,
      durability: 'os',
      queuesMax: () => 1_000_000,
      memoryBytesMax: () => 1 << 30,
      ...options,
    });
    this.store.connect({
      publish: (namespace, message) => this.route(namespace, message),
      publishDue: (namespace, _exchange, message) => this.route(namespace, message),
    });
  }

  static async open(options: Partial<QueueStoreOptions> = {}): Promise<QueueHarness> {
    const clock = new ManualClock();
    const random = new SeededRandom(2);
    const engine = new MemoryEngine({ clock, random, logger: silentLogger });
    const harness = new QueueHarness(engine, clock, options);
    await harness.start();
    return harness;
  }

  async start(): Promise<void> {
    await this.engine.open({
      onBatches: (log, buffer, start, end) => {
        this.store.replayBatches(log, buffer, start, end);
      },
      onNote: (log, note) => {
        this.store.replayNote(log, note);
      },
    });
    this.store.load();
    await this.store.prepare();
    this.store.start();
  }

  /** Lets turns of the event loop pass, and time. */
  async turn(ms = 0): Promise<void> {
    for (let i = 0; i < 3; i++) {
      this.clock.advance(i === 0 ? ms : 0);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  async declare(
    name: string,
    args: Arguments = {},
    options: Partial<NewQueue> = {},
  ): Promise<Queue> {
    const wanted = {
      namespace: NAMESPACE,
      name,
      durable: true,
      autoDelete: false,
      exclusiveOwner: null,
      arguments: args,
      ...options,
    };
    const declared = this.store.declare(wanted);
    await this.turn();
    const outcome = await declared;
    assert.equal(outcome.status, 'ok', 'message' in outcome ? outcome.message : outcome.status);
    const queue = this.store.byName(NAMESPACE, name);
    assert(queue !== null);
    return queue;
  }

  publish(queue: Queue | readonly Queue[], body: string, fields: Partial<Message> = {}): boolean {
    const set = this.store.targetSet(Array.isArray(queue) ? queue : [queue as Queue]);
    return !this.store.publish(set, messageOf(body, fields)).rejected;
  }

  get(queue: Queue, options: { noAck?: boolean } = {}): Received | null {
    let got: Received | null = null;
    queue.get({ noAck: options.noAck ?? false }, (delivery) => {
      got = delivery === null ? null : received(delivery);
    });
    return got;
  }

  async close(): Promise<void> {
    this.store.close();
    const closed = this.engine.close('drain');
    await this.turn();
    await closed;
    this.store.dispose();
  }

  private route(namespace: string, message: Message): PublishResult | null {
    const queue = this.store.byName(namespace, message.routingKey);
    if (queue === null) return null;
    const { accepted, rejected } = this.store.publish(queue.alone, message);
    return { accepted, matched: 1, rejected };
  }
}
