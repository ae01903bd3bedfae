import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SystemRandom } from '../../base/random.ts';
import { LocalEngine } from '../../storage/local-engine.ts';
import { createNodeFileSystem } from '../../storage/node-file-system.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import {
  NAMESPACE,
  QueueHarness,
  RecordingConsumer,
  messageOf,
} from '../../../test/support/queue-harness.ts';
import { SteppedClock } from '../../../test/support/stepped-clock.ts';
import type { Queue } from '../queue/queue.ts';
import { Schedule } from './schedule.ts';

interface Life {
  readonly harness: QueueHarness;
  readonly schedule: Schedule;
  readonly clock: SteppedClock;
}

let folder: string;
let life: Life;
let elapsedMs: number;

/** A broker's worth of parts on the folder, at the time at which the one before ended. */
async function start(): Promise<Life> {
  const clock = new SteppedClock();
  clock.advance(elapsedMs);
  const engine = new LocalEngine({
    folder,
    fileSystem: createNodeFileSystem(),
    clock,
    random: new SystemRandom(),
    logger: silentLogger,
  });
  const harness = new QueueHarness(engine, clock);
  const schedule = new Schedule({
    engine,
    logger: silentLogger,
    store: harness.store,
    durability: 'os',
    messagesMax: () => 100_000,
  });
  await harness.start();
  schedule.start();
  return { harness, schedule, clock };
}

async function end(how: 'drain' | 'abort'): Promise<void> {
  const { harness, schedule } = life;
  schedule.close();
  if (how === 'drain') harness.store.close();
  else harness.store.abort();
  await harness.engine.close(how);
  harness.store.dispose();
}

function committed(): Promise<void> {
  const { store } = life.harness;
  return new Promise((resolve, reject) => {
    store.whenCommitted(store.ticket, { onCommitted: resolve, onCommitFailed: reject });
  });
}

async function declare(): Promise<Queue> {
  const wanted = { namespace: NAMESPACE, name: 'q', durable: true, autoDelete: false };
  await life.harness.store.declare({ ...wanted, exclusiveOwner: null, arguments: {} });
  return life.harness.store.byName(NAMESPACE, 'q')!;
}

function defer(body: string, delayMs: number, persistent = true): void {
  const message = messageOf(body, { routingKey: 'q', delayMs, persistent });
  assert.deepEqual(life.schedule.defer(NAMESPACE, 'later', message), {
    accepted: 1,
    rejected: false,
  });
}

/** Moves time and waits until what is due was routed and committed. */
async function pass(ms: number): Promise<void> {
  elapsedMs += ms;
  life.clock.advance(ms);
  await committed();
  await committed();
}

describe('a schedule', () => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lyrebird-schedule-'));
    elapsedMs = 0;
    life = await start();
  });

  afterEach(async () => {
    await end('abort');
    await rm(folder, { recursive: true });
  });

  it('routes messages when they are due, in order of time', async () => {
    const queue = await declare();
    const consumer = new RecordingConsumer();
    queue.addConsumer(consumer);
    defer('late', 5000);
    defer('soon', 20);
    defer('brief', 30, false);
    await committed();
    assert.equal(life.schedule.count, 3);
    await pass(19);
    assert.deepEqual(consumer.bodies, []);
    await pass(2);
    assert.deepEqual(consumer.bodies, ['soon']);
    await pass(10);
    assert.deepEqual(consumer.bodies, ['soon', 'brief']);
    await pass(5000);
    assert.deepEqual(consumer.bodies, ['soon', 'brief', 'late']);
    assert.equal(life.schedule.count, 0);
  });

  for (const how of ['drain', 'abort'] as const) {
    it(`keeps persistent messages through a restart (${how})`, async () => {
      await declare();
      for (let i = 0; i < 200; i++) defer(`m${i}`, 1000 + i);
      defer('transient', 1000, false);
      await committed();
      await pass(1099);
      await end(how);
      life = await start();
      const queue = life.harness.store.byName(NAMESPACE, 'q')!;
      const consumer = new RecordingConsumer();
      queue.addConsumer(consumer);
      await pass(2000);
      assert.deepEqual(
        consumer.bodies,
        Array.from({ length: 200 }, (_, i) => `m${i}`),
      );
      assert.equal(life.schedule.count, 0);
    });
  }

  it('lists and cancels what waits', async () => {
    const queue = await declare();
    for (const body of ['a', 'b', 'c']) defer(body, 100);
    await committed();
    const ids = new Map<string, number>();
    await life.schedule.list(NAMESPACE, ({ id, dueMs, exchange, message }) => {
      assert.equal(exchange, 'later');
      assert.equal(dueMs, life.clock.wallMs() + 100);
      ids.set(message.body.toString('utf8', message.bodyStart, message.bodyEnd), id);
      return true;
    });
    assert.deepEqual([...ids.keys()], ['a', 'b', 'c']);
    assert.equal(await life.schedule.cancel(NAMESPACE, ids.get('b')!), true);
    assert.equal(await life.schedule.cancel(NAMESPACE, ids.get('b')!), false);
    await pass(101);
    const consumer = new RecordingConsumer();
    queue.addConsumer(consumer);
    await committed();
    assert.deepEqual(consumer.bodies, ['a', 'c']);
  });
});
