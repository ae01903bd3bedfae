import { SeededRandom, randomBelow } from '../../src/base/random.ts';
import type { Queue } from '../../src/core/queue/queue.ts';
import type { Arguments, Attachment, Settlement } from '../../src/core/queue-types.ts';
import { LocalEngine } from '../../src/storage/local-engine.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { NAMESPACE, QueueHarness, RecordingConsumer, messageOf } from '../support/queue-harness.ts';
import type { Received } from '../support/queue-harness.ts';
import { SimDisk } from './disk.ts';
import { Copies } from './queue-copies.ts';
import { Scheduler, SimClock, type SimProcess } from './scheduler.ts';
import { NO_FAULTS, SimFileSystem } from './sim-file-system.ts';

const DEFINITIONS: readonly { name: string; arguments: Arguments }[] = [
  { name: 'plain', arguments: {} },
  { name: 'other', arguments: {} },
  { name: 'levels', arguments: { 'max-priority': 3 } },
  {
    name: 'rejecting',
    arguments: { 'dead-letter-exchange': '', 'dead-letter-routing-key': 'rejected' },
  },
  { name: 'rejected', arguments: {} },
  {
    name: 'short',
    arguments: {
      'max-length': 6,
      'dead-letter-exchange': '',
      'dead-letter-routing-key': 'dropped',
    },
  },
  { name: 'dropped', arguments: {} },
  {
    name: 'brief',
    arguments: {
      'message-ttl': 40,
      'dead-letter-exchange': '',
      'dead-letter-routing-key': 'expired',
    },
  },
  { name: 'expired', arguments: {} },
];
/** Where copies of a queue may also be, by the doing of the queue itself. */
const HEIRS: Readonly<Record<string, string>> = {
  rejecting: 'rejected',
  short: 'dropped',
  brief: 'expired',
};
/** Queues that are published to. */
const ROOTS = ['plain', 'other', 'levels', 'rejecting', 'short', 'brief'];

interface Life {
  readonly process: SimProcess;
  readonly harness: QueueHarness;
  readonly consumers: Map<string, { attachment: Attachment; consumer: SimConsumer }>;
}

/** Gives what it gets to the history. */
class SimConsumer extends RecordingConsumer {
  readonly held: Received[] = [];
  private readonly onTake: (received: Received) => void;

  constructor(options: { credit: number; noAck: boolean }, onTake: (got: Received) => void) {
    super(options);
    this.onTake = onTake;
  }

  override take(delivery: Parameters<RecordingConsumer['take']>[0]): void {
    super.take(delivery);
    const got = this.got.pop()!;
    if (!this.noAck) this.held.push(got);
    this.onTake(got);
  }
}

/**
 * The history of one seed: queues on a simulated disk, used at random, killed at any step, and looked at after each start:
 * what was confirmed is there once or was settled, what was settled for certain never comes back, and what was handed out
 * comes back flagged.
 */
export class QueueHistory {
  problem: string | null = null;
  steps = 0;
  private readonly random: SeededRandom;
  private readonly scheduler = new Scheduler();
  private readonly disk = new SimDisk(1 << 30);
  private readonly diskRandom: SeededRandom;
  private readonly durability: 'os' | 'fsync';
  /** How the life before ended. */
  private crashed = false;
  private readonly copies: Copies;
  private readonly logger: Logger;
  private nextId = 1;

  constructor(seed: number, logger: Logger = silentLogger) {
    this.random = new SeededRandom(seed);
    this.diskRandom = new SeededRandom(seed * 7 + 1);
    this.durability = this.chance(0.5) ? 'os' : 'fsync';
    this.copies = new Copies((problem) => (this.problem ??= problem), HEIRS);
    this.logger = logger;
  }

  async run(): Promise<void> {
    const lives = 2 + this.below(4);
    for (let number = 1; number <= lives && this.problem === null; number++) {
      const life = await this.start(number);
      if (life === null || this.problem !== null) return;
      const actions = 20 + this.below(120);
      for (let i = 0; i < actions && this.problem === null; i++) {
        this.act(life);
        this.checkCounts(life);
        await this.scheduler.runUntil(() => this.chance(0.3), 60);
      }
      await this.end(life, number === lives ? 'drain' : this.chance(0.2) ? 'drain' : 'crash');
    }
    if (this.problem === null) await this.lookOnce(lives + 1);
  }

  private async lookOnce(number: number): Promise<void> {
    const life = await this.start(number);
    if (life !== null) await this.end(life, 'drain');
  }

  private async start(number: number): Promise<Life | null> {
    const process: SimProcess = { number, alive: true };
    const small = (base: number, choices: number): number => base << this.below(choices);
    const clock = new SimClock(this.scheduler, process, 1_700_000_000_000);
    const engine = new LocalEngine({
      folder: '/data',
      fileSystem: new SimFileSystem({
        disk: this.disk,
        scheduler: this.scheduler,
        process,
        random: this.diskRandom,
        faults: NO_FAULTS,
        writesNow: this.chance(0.5),
        tellsBoots: true,
        onMisuse: (message) => (this.problem ??= message),
        onChange: null,
      }),
      clock,
      random: new SeededRandom(number),
      logger: this.logger,
      journalFileBytes: small(8192, 4),
      journalBytes: small(16384, 4),
      cacheBytes: small(16384, 8),
      blockCacheBytes: 65536,
      blockBytes: small(1024, 4),
      checkpointBytes: small(2048, 6),
      checkpointMs: 5 + this.below(300),
      runBytesMax: small(256, 8),
    });
    const harness = new QueueHarness(engine, clock, {
      durability: this.durability,
      logger: this.logger,
    });
    await this.until(harness.start());
    for (const { name, arguments: args } of DEFINITIONS) {
      const wanted = { namespace: NAMESPACE, name, durable: true, autoDelete: false };
      const outcome = await this.until(
        Promise.resolve(
          harness.store.declare({ ...wanted, exclusiveOwner: null, arguments: args }),
        ),
      );
      if (outcome.status !== 'ok') this.problem ??= `${name} cannot be declared: ${outcome.status}`;
    }
    const life: Life = { process, harness, consumers: new Map() };
    if (number > 1) await this.look(life);
    return life;
  }

  /** Compares what is there with what has to be. */
  private async look({ harness }: Life): Promise<void> {
    this.copies.beginLook({ crashed: this.crashed });
    for (const { name } of DEFINITIONS) {
      const queue = harness.store.byName(NAMESPACE, name);
      if (queue === null) {
        this.problem ??= `queue ${name} is gone`;
        return;
      }
      let count = 0;
      await this.until(
        queue.peek({ offset: 0, limit: 1_000_000 }, ({ message, redelivered }) => {
          const { body, bodyStart, bodyEnd } = message;
          this.copies.seen(name, body.toString('utf8', bodyStart, bodyEnd), redelivered);
          count++;
        }),
      );
      const { ready, unsettled, persistent } = queue.counts;
      if (ready !== count || unsettled !== 0 || persistent !== count) {
        const counts = JSON.stringify(queue.counts);
        this.problem ??= `${name} counts ${counts} where ${count} messages are`;
      }
    }
    this.copies.endLook();
  }

  private async end({ harness, process }: Life, how: 'drain' | 'crash'): Promise<void> {
    const { store, engine } = harness;
    this.crashed = how === 'crash';
    if (how === 'drain') {
      store.close();
      await this.until(engine.close('drain'));
      store.dispose();
      process.alive = false;
    } else {
      process.alive = false;
      store.abort();
      this.disk.crash(
        this.durability === 'fsync' && this.chance(0.5) ? 'power' : 'kill',
        this.diskRandom,
      );
    }
    this.disk.locks.clear();
  }

  /** What is counted while messages come and go must fit what is there. */
  private checkCounts({ harness }: Life): void {
    for (const { name } of DEFINITIONS) {
      const { counts, lanes } = this.queueOf(harness, name);
      const { readyBytes, unsettledBytes, persistent } = counts;
      const empty = lanes.every((lane) => lane.live === 0);
      const sound = readyBytes >= 0 && unsettledBytes >= 0 && persistent >= 0;
      const nothing = readyBytes + unsettledBytes + persistent === 0;
      if (!sound || (empty && !nothing)) {
        this.problem ??= `${name} counts ${JSON.stringify(counts)}, empty: ${empty}`;
      }
    }
  }

  private act(life: Life): void {
    const roll = this.below(100);
    if (roll < 40) this.publish(life);
    else if (roll < 60) this.settleSome(life);
    else if (roll < 70) this.consume(life);
    else if (roll < 78) this.resume(life);
    else if (roll < 84) this.cancel(life);
    else if (roll < 90) this.together(life);
    else if (roll < 93) this.get(life);
    else this.burst(life);
  }

  private publish({ harness }: Life): void {
    const names = ROOTS.filter(() => this.chance(0.3));
    if (names.length === 0) return;
    const queues = names.map((name) => this.queueOf(harness, name));
    const persistent = this.chance(0.8);
    const body = `${this.nextId++}`;
    const message = messageOf(body.padEnd(this.chance(0.1) ? 3000 : 10), {
      persistent,
      priority: this.below(6) - 1,
    });
    // Before: a consumer may get it at once.
    const added = names.map((name) => this.copies.published(name, message, persistent));
    harness.store.publish(harness.store.targetSet(queues), message);
    for (const copy of added) this.copies.whenCommitted(harness.store, copy);
  }

  private burst(life: Life): void {
    for (let i = 0; i < 30; i++) this.publish(life);
  }

  private together(life: Life): void {
    life.harness.store.atomically(() => {
      this.publish(life);
      this.settleSome(life);
      this.publish(life);
    });
  }

  private consume(life: Life): void {
    const name = DEFINITIONS[this.below(DEFINITIONS.length)]!.name;
    if (life.consumers.has(name)) return;
    const queue = this.queueOf(life.harness, name);
    const options = { credit: 1 + this.below(20), noAck: this.chance(0.2) };
    const consumer = new SimConsumer(options, (got) => {
      this.copies.delivered(life.harness.store, name, got, consumer.noAck);
    });
    const attachment = queue.addConsumer(consumer);
    if (typeof attachment === 'object') life.consumers.set(name, { attachment, consumer });
  }

  private resume({ consumers }: Life): void {
    for (const { attachment, consumer } of consumers.values()) {
      consumer.credit += this.below(10);
      attachment.resume();
    }
  }

  /** As when a connection ends: what was not settled goes back. */
  private cancel({ consumers, harness }: Life): void {
    for (const [name, { attachment, consumer }] of consumers) {
      if (this.chance(0.5)) continue;
      attachment.cancel();
      consumers.delete(name);
      for (const { ref } of consumer.held) this.queueOf(harness, name).settle(ref, 'requeue');
      this.copies.requeued(name, consumer.held);
    }
  }

  private get({ harness }: Life): void {
    const name = ROOTS[this.below(ROOTS.length)]!;
    const queue = this.queueOf(harness, name);
    queue.get({ noAck: true }, (delivery) => {
      if (delivery === null) return;
      const { message, ref, redelivered, returns } = delivery;
      const body = message.body.toString('utf8', message.bodyStart, message.bodyEnd);
      const got = { body, ref, redelivered, returns, routingKey: '', deaths: null };
      this.copies.delivered(harness.store, name, got, true);
    });
  }

  private settleSome({ consumers, harness }: Life): void {
    for (const [name, { consumer }] of consumers) {
      const queue = this.queueOf(harness, name);
      for (let left = this.below(8); left > 0 && consumer.held.length > 0; left--) {
        const at = this.chance(0.5) ? 0 : this.below(consumer.held.length);
        const [got] = consumer.held.splice(at, 1);
        const roll = this.below(10);
        const settlement: Settlement =
          roll < 6 ? 'accept' : roll < 7 ? 'return' : roll < 8 ? 'requeue' : 'reject';
        this.copies.settling(name, got!);
        queue.settle(got!.ref, settlement);
        this.copies.settled(harness.store, name, got!, settlement);
      }
    }
  }

  private queueOf(harness: QueueHarness, name: string): Queue {
    return harness.store.byName(NAMESPACE, name)!;
  }

  private async until<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    let outcome: { value: T } | null = null;
    let failure: unknown = null;
    promise.then(
      (value) => {
        outcome = { value };
        done = true;
      },
      (error: unknown) => {
        failure = error;
        done = true;
      },
    );
    const finished = await this.scheduler.runUntil(() => done, 200_000);
    this.steps = this.scheduler.steps;
    if (!finished || outcome === null) throw failure ?? new Error('it does not come to an end');
    return (outcome as { value: T }).value;
  }

  private below(limit: number): number {
    return randomBelow(this.random, limit);
  }

  private chance(probability: number): boolean {
    return this.random.float() < probability;
  }
}
