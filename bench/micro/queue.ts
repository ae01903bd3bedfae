/**
 * What queues cost without a network: publish, deliver and settle per second, on a folder of the disk that is measured, and
 * the memory of a backlog.
 *
 *   node --expose-gc --import tsx bench/micro/queue.ts [--folder DIR] [--seconds N] [--only NAME] [--backlog MESSAGES]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SystemClock } from '../../src/base/clock.ts';
import { SystemRandom } from '../../src/base/random.ts';
import { EventBus } from '../../src/core/events.ts';
import { Message } from '../../src/core/message/message.ts';
import { QueueStore } from '../../src/core/queue/queue-store.ts';
import type { Queue } from '../../src/core/queue/queue.ts';
import type { Delivery, QueueConsumer } from '../../src/core/queue-types.ts';
import { LocalEngine } from '../../src/storage/local-engine.ts';
import { createNodeFileSystem } from '../../src/storage/node-file-system.ts';
import type { CommitListener, Durability } from '../../src/storage/types.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';

const NAMESPACE = '/';
const BODY = Buffer.alloc(100, 0x61);
/** As the properties of an AMQP message with a content type and a delivery mode. */
const PROPERTIES = Buffer.from('900018746578742f706c61696e02', 'hex');

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const rssMib = (): string => `${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`;

class Bench {
  readonly store: QueueStore;
  readonly engine: LocalEngine;
  readonly folder: string;
  readonly message: Message;

  private constructor(folder: string, durability: Durability) {
    this.folder = folder;
    const clock = new SystemClock();
    this.engine = new LocalEngine({
      folder,
      fileSystem: createNodeFileSystem(),
      clock,
      random: new SystemRandom(),
      logger: silentLogger,
      cacheBytes: 64 << 20,
      blockCacheBytes: 32 << 20,
    });
    this.store = new QueueStore({
      engine: this.engine,
      clock,
      logger: silentLogger,
      events: new EventBus(silentLogger),
      durability,
      queuesMax: () => 1_000_000,
      memoryBytesMax: () => 1 << 30,
    });
    this.message = new Message();
    this.message.routingKey = 'bench';
    this.message.body = BODY;
    this.message.bodyEnd = BODY.length;
    this.message.properties = PROPERTIES;
    this.message.propertiesEnd = PROPERTIES.length;
    this.message.persistent = true;
  }

  static async open(folder: string, durability: Durability = 'os'): Promise<Bench> {
    const bench = new Bench(await mkdtemp(join(folder, 'lyrebird-bench-')), durability);
    const { store, engine } = bench;
    await engine.open({
      onBatches: (log, buffer, start, end) => void store.replayBatches(log, buffer, start, end),
      onNote: (log, note) => void store.replayNote(log, note),
    });
    store.load();
    await store.prepare();
    return bench;
  }

  async declare(name: string, durable: boolean): Promise<Queue> {
    const wanted = { namespace: NAMESPACE, name, durable, autoDelete: false };
    await this.store.declare({ ...wanted, exclusiveOwner: null, arguments: {} });
    return this.store.byName(NAMESPACE, name)!;
  }

  async close(): Promise<void> {
    this.store.close();
    await this.engine.close('abort');
    await rm(this.folder, { recursive: true });
  }
}

/** Takes everything; settles what it took at the end of the turn, as acknowledgements come in a later read. */
class Sink implements QueueConsumer {
  readonly id = 'sink';
  readonly connectionId = 1;
  readonly priority = 0;
  readonly exclusive = false;
  readonly noAck: boolean;
  taken = 0;
  bytes = 0;
  private readonly creditMax: number;
  private readonly refs: Float64Array;
  private count = 0;
  private next: Float64Array;
  private readonly queue: Queue;
  private resume = (): void => {};
  private scheduled = false;

  constructor(queue: Queue, options: { noAck: boolean; credit: number }) {
    this.queue = queue;
    this.noAck = options.noAck;
    this.creditMax = options.credit;
    this.refs = new Float64Array(options.credit);
    this.next = this.refs;
  }

  attach(): void {
    const attachment = this.queue.addConsumer(this);
    if (typeof attachment === 'string') throw new Error(attachment);
    this.resume = () => attachment.resume();
  }

  get ready(): boolean {
    return this.noAck || this.count < this.creditMax;
  }

  take(delivery: Delivery): void {
    this.taken++;
    const { message } = delivery;
    this.bytes += message.bodyEnd - message.bodyStart;
    if (this.noAck) return;
    this.next[this.count++] = delivery.ref;
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.settle);
  }

  onCancelled(): void {}
  onActive(): void {}

  private readonly settle = (): void => {
    this.scheduled = false;
    const { count } = this;
    this.count = 0;
    for (let i = 0; i < count; i++) this.queue.settle(this.refs[i]!, 'accept');
    this.resume();
  };
}

interface Flow {
  readonly name: string;
  readonly durable: boolean;
  readonly noAck: boolean;
  readonly queues: number;
  readonly perTurn: number;
  readonly durability?: Durability;
}

const FLOWS: readonly Flow[] = [
  { name: 'transient-no-ack', durable: false, noAck: true, queues: 1, perTurn: 500 },
  { name: 'transient-ack', durable: false, noAck: false, queues: 1, perTurn: 500 },
  { name: 'durable-ack', durable: true, noAck: false, queues: 1, perTurn: 500 },
  {
    name: 'durable-ack-fsync',
    durable: true,
    noAck: false,
    queues: 1,
    perTurn: 500,
    durability: 'fsync',
  },
  { name: 'durable-ack-10-queues', durable: true, noAck: false, queues: 10, perTurn: 500 },
  { name: 'durable-ack-small-turns', durable: true, noAck: false, queues: 1, perTurn: 20 },
];

/** Waits, as publishers with a window of confirms do. */
class Window implements CommitListener {
  outstanding = 0;
  onCommitted(): void {
    this.outstanding--;
  }
  onCommitFailed(error: Error): void {
    throw error;
  }
}

async function runFlow(flow: Flow, folder: string, seconds: number): Promise<void> {
  const bench = await Bench.open(folder, flow.durability);
  const { store, message } = bench;
  const queues: Queue[] = [];
  for (let i = 0; i < flow.queues; i++) queues.push(await bench.declare(`q${i}`, flow.durable));
  const sinks = queues.map((queue) => new Sink(queue, { noAck: flow.noAck, credit: 2000 }));
  for (const sink of sinks) sink.attach();
  const sets = queues.map((queue) => store.targetSet([queue]));
  const window = new Window();
  const endsAt = performance.now() + seconds * 1000;
  const cpu = process.cpuUsage();
  const started = performance.now();
  let published = 0;
  while (performance.now() < endsAt) {
    if (store.accepting() && window.outstanding < 64) {
      for (let i = 0; i < flow.perTurn; i++) store.publish(sets[i % sets.length]!, message);
      published += flow.perTurn;
      window.outstanding++;
      store.whenCommitted(store.ticket, window);
    }
    await turn();
  }
  const taken = sinks.reduce((sum, sink) => sum + sink.taken, 0);
  const used = process.cpuUsage(cpu);
  const elapsed = (performance.now() - started) / 1000;
  const cpuSeconds = (used.user + used.system) / 1e6;
  console.log(
    flow.name.padEnd(26),
    `${(taken / elapsed / 1e3).toFixed(0)}k/s`.padStart(9),
    `${(taken / cpuSeconds / 1e3).toFixed(0)}k per CPU-s`.padStart(18),
    `waiting ${published - taken}`.padStart(16),
    `rss ${rssMib()}`,
  );
  await bench.close();
}

async function runBacklog(folder: string, messages: number): Promise<void> {
  const bench = await Bench.open(folder);
  const { store, message } = bench;
  const queue = await bench.declare('backlog', true);
  const set = store.targetSet([queue]);
  const before = rssMib();
  let started = performance.now();
  let peak = 0;
  for (let published = 0; published < messages;) {
    if (store.accepting()) {
      for (let i = 0; i < 1000; i++) store.publish(set, message);
      published += 1000;
    }
    peak = Math.max(peak, process.memoryUsage.rss());
    await turn();
  }
  const filled = (performance.now() - started) / 1000;
  console.log(
    `backlog ${messages}`.padEnd(26),
    `filled at ${(messages / filled / 1e3).toFixed(0)}k/s, rss before ${before}, peak ${(peak / 2 ** 20).toFixed(0)} MiB`,
  );
  const sink = new Sink(queue, { noAck: false, credit: 2000 });
  sink.attach();
  started = performance.now();
  peak = 0;
  while (sink.taken < messages) {
    await turn();
    peak = Math.max(peak, process.memoryUsage.rss());
  }
  const drained = (performance.now() - started) / 1000;
  console.log(
    ''.padEnd(26),
    `drained at ${(messages / drained / 1e3).toFixed(0)}k/s, peak ${(peak / 2 ** 20).toFixed(0)} MiB`,
  );
  await bench.close();
}

async function runIdle(folder: string): Promise<void> {
  for (const durable of [true, false]) {
    const bench = await Bench.open(folder);
    globalThis.gc?.();
    const before = process.memoryUsage();
    for (let i = 0; i < 10_000; i++) await bench.declare(`queue-${i}`, durable);
    globalThis.gc?.();
    const after = process.memoryUsage();
    const heap = after.heapUsed + after.external - before.heapUsed - before.external;
    console.log(
      `10,000 idle, ${durable ? 'durable' : 'transient'}`.padEnd(26),
      `${(heap / 2 ** 20).toFixed(1)} MiB heap and buffers, rss +${((after.rss - before.rss) / 2 ** 20).toFixed(0)} MiB`,
    );
    await bench.close();
  }
}

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: tmpdir() },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    backlog: { type: 'string', default: '10000000' },
  },
});
for (const flow of FLOWS) {
  if (flow.name.includes(values.only)) await runFlow(flow, values.folder, Number(values.seconds));
}
if ('idle'.includes(values.only)) await runIdle(values.folder);
if ('backlog'.includes(values.only)) await runBacklog(values.folder, Number(values.backlog));
