import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  QueueHarness,
  RecordingConsumer,
  type Received,
} from '../../../test/support/queue-harness.ts';
import type { Arguments, Attachment } from '../queue-types.ts';
import type { Queue } from './queue.ts';

let harness: QueueHarness;

beforeEach(async () => {
  harness = await QueueHarness.open();
});

afterEach(() => harness.close());

function consume(queue: Queue, consumer: RecordingConsumer): Attachment {
  const attachment = queue.addConsumer(consumer);
  assert(typeof attachment === 'object');
  return attachment;
}

function drain(queue: Queue): Received[] {
  const all: Received[] = [];
  for (let got = harness.get(queue, { noAck: true }); got !== null;) {
    all.push(got);
    got = harness.get(queue, { noAck: true });
  }
  return all;
}

const bodies = (all: readonly Received[]): string[] => all.map(({ body }) => body);

/** A queue whose dead letters go to 'dead'. */
async function withDeadLetters(args: Arguments): Promise<{ queue: Queue; dead: Queue }> {
  const dead = await harness.declare('dead');
  const queue = await harness.declare('q', {
    'dead-letter-exchange': 'dlx',
    'dead-letter-routing-key': 'dead',
    ...args,
  });
  return { queue, dead };
}

describe('limits of length', () => {
  it('drop from the head', async () => {
    const { queue, dead } = await withDeadLetters({ 'max-length': 2 });
    for (const body of ['a', 'b', 'c', 'd']) harness.publish(queue, body);
    assert.deepEqual(bodies(drain(queue)), ['c', 'd']);
    await harness.turn();
    const dropped = drain(dead);
    assert.deepEqual(bodies(dropped), ['a', 'b']);
    assert.equal(dropped[0]!.deaths?.[0]?.reason, 'maxlen');
    assert.equal(queue.totals.droppedMaxLength, 2);
  });

  it('count bytes', async () => {
    const queue = await harness.declare('q', { 'max-length-bytes': 10 });
    for (const body of ['12345', '67890', 'abc']) harness.publish(queue, body);
    assert.deepEqual(bodies(drain(queue)), ['67890', 'abc']);
  });

  it('refuse what is too much', async () => {
    const queue = await harness.declare('q', { 'max-length': 1, overflow: 'reject-publish' });
    const other = await harness.declare('other');
    assert.equal(harness.publish(queue, 'a'), true);
    assert.equal(harness.publish([queue, other], 'b'), false);
    assert.deepEqual(bodies(drain(queue)), ['a']);
    assert.deepEqual(bodies(drain(other)), ['b']);
  });

  it('dead-letter what they refuse', async () => {
    const args = { 'max-length': 1, overflow: 'reject-publish-dlx' };
    const { queue, dead } = await withDeadLetters(args);
    harness.publish(queue, 'a');
    assert.equal(harness.publish(queue, 'b'), false);
    assert.deepEqual(bodies(drain(dead)), ['b']);
  });
});

describe('times to live', () => {
  it('end waiting without waiting for those before', async () => {
    const { queue, dead } = await withDeadLetters({});
    harness.publish(queue, 'stays');
    harness.publish(queue, 'later', { ttlMs: 200 });
    harness.publish(queue, 'soon', { ttlMs: 50 });
    await harness.turn(60);
    assert.equal(queue.counts.ready, 2);
    const [letter] = drain(dead);
    assert.equal(letter!.body, 'soon');
    assert.equal(letter!.deaths?.[0]?.originalTtlMs, 50);
    await harness.turn(200);
    assert.deepEqual(bodies(drain(dead)), ['later']);
    assert.deepEqual(bodies(drain(queue)), ['stays']);
  });

  it('of the queue are for all messages', async () => {
    const { queue, dead } = await withDeadLetters({ 'message-ttl': 100 });
    harness.publish(queue, 'a');
    await harness.turn(60);
    harness.publish(queue, 'b');
    await harness.turn(50);
    assert.deepEqual(bodies(drain(dead)), ['a']);
    await harness.turn(60);
    assert.deepEqual(bodies(drain(dead)), ['b']);
    assert.equal(queue.counts.ready, 0);
    assert.equal(queue.counts.readyBytes, 0);
  });

  it('of nothing mean now or never', async () => {
    const { queue, dead } = await withDeadLetters({ 'message-ttl': 0 });
    harness.publish(queue, 'missed');
    const consumer = new RecordingConsumer();
    consume(queue, consumer);
    harness.publish(queue, 'met');
    assert.deepEqual(consumer.bodies, ['met']);
    assert.deepEqual(bodies(drain(dead)), ['missed']);
  });

  it('count while a message is with a consumer, too', async () => {
    const { queue, dead } = await withDeadLetters({});
    harness.publish(queue, 'a', { ttlMs: 50 });
    const got = harness.get(queue)!;
    await harness.turn(100);
    assert.equal(queue.counts.unsettled, 1);
    queue.settle(got.ref, 'requeue');
    await harness.turn();
    assert.deepEqual(bodies(drain(dead)), ['a']);
    assert.equal(queue.counts.ready, 0);
  });
});

describe('dead letters', () => {
  it('are rejected messages, with their history', async () => {
    const { queue, dead } = await withDeadLetters({});
    harness.publish(queue, 'a', { exchange: 'x', routingKey: 'k' });
    queue.settle(harness.get(queue)!.ref, 'reject');
    await harness.turn();
    const [letter] = drain(dead);
    assert.deepEqual(letter!.deaths, [
      {
        queue: 'q',
        reason: 'rejected',
        count: 1,
        timeMs: harness.clock.wallMs(),
        exchange: 'x',
        routingKeys: ['k'],
        originalTtlMs: null,
      },
    ]);
    assert.equal(queue.counts.unsettled, 0);
  });

  it('do not come round for ever', async () => {
    const queue = await harness.declare('q', {
      'message-ttl': 10,
      'dead-letter-exchange': '',
      'dead-letter-routing-key': 'q',
    });
    harness.publish(queue, 'a');
    await harness.turn(20);
    assert.equal(queue.counts.ready, 0);
    harness.publish(queue, 'b');
    queue.settle(harness.get(queue)!.ref, 'reject');
    await harness.turn();
    assert.equal(queue.counts.ready, 1, 'somebody rejected it: that may be repeated');
  });
});

describe('returned messages', () => {
  it('are given up when it was too often', async () => {
    const { queue, dead } = await withDeadLetters({ 'delivery-limit': 2 });
    harness.publish(queue, 'a');
    for (let i = 0; i < 3; i++) queue.settle(harness.get(queue)!.ref, 'return');
    assert.equal(harness.get(queue), null);
    await harness.turn();
    assert.equal(drain(dead)[0]!.deaths?.[0]?.reason, 'delivery_limit');
  });

  it('wait longer each time', async () => {
    const queue = await harness.declare('q', { 'retry-delay-min': 100, 'retry-delay-max': 150 });
    harness.publish(queue, 'a');
    queue.settle(harness.get(queue)!.ref, 'return');
    assert.equal(harness.get(queue), null);
    assert.equal(queue.counts.delayed, 1);
    await harness.turn(101);
    queue.settle(harness.get(queue)!.ref, 'return');
    await harness.turn(120);
    assert.equal(harness.get(queue), null);
    await harness.turn(40);
    assert.equal(harness.get(queue)!.returns, 2);
    assert.deepEqual(queue.counts.delayed, 0);
  });
});

describe('consumers', () => {
  it('take turns, those of higher priority first', async () => {
    const queue = await harness.declare('q');
    const high = new RecordingConsumer({ priority: 5, credit: 1 });
    const one = new RecordingConsumer();
    const two = new RecordingConsumer();
    for (const consumer of [one, two, high]) consume(queue, consumer);
    for (const body of ['a', 'b', 'c', 'd', 'e']) harness.publish(queue, body);
    assert.deepEqual([high.bodies, one.bodies, two.bodies], [['a'], ['b', 'd'], ['c', 'e']]);
  });

  it('are alone when they want to be', async () => {
    const queue = await harness.declare('q');
    const attachment = consume(queue, new RecordingConsumer({ exclusive: true }));
    assert.equal(queue.addConsumer(new RecordingConsumer()), 'exclusive-conflict');
    attachment.cancel();
    consume(queue, new RecordingConsumer());
    assert.equal(
      queue.addConsumer(new RecordingConsumer({ exclusive: true })),
      'exclusive-conflict',
    );
  });

  it('follow each other as the single active one', async () => {
    const queue = await harness.declare('q', { 'single-active-consumer': true });
    const first = new RecordingConsumer();
    const second = new RecordingConsumer();
    const attachment = consume(queue, first);
    consume(queue, second);
    harness.publish(queue, 'a');
    attachment.cancel();
    harness.publish(queue, 'b');
    assert.deepEqual([first.bodies, second.bodies], [['a'], ['b']]);
    assert.deepEqual([first.active, second.active], [[true, false], [true]]);
    assert.equal(queue.activeConsumer, second);
  });

  it('are told when the queue goes', async () => {
    const queue = await harness.declare('q');
    const consumer = new RecordingConsumer();
    consume(queue, consumer);
    const deleting = harness.store.delete('/', 'q', {});
    await harness.turn();
    assert.deepEqual(await deleting, { status: 'ok', messages: 0 });
    assert.equal(consumer.cancelled, 'queue-deleted');
    assert.equal(harness.publish(queue, 'a'), true, 'nobody takes it, nobody minds');
  });
});

describe('priorities, duplicates, pauses', () => {
  it('give the most important first', async () => {
    const queue = await harness.declare('q', { 'max-priority': 5 });
    for (const [body, priority] of [
      ['low', -1],
      ['mid', 2],
      ['top', 9],
      ['five', 5],
    ] as const) {
      harness.publish(queue, body, { priority });
    }
    assert.deepEqual(bodies(drain(queue)), ['top', 'five', 'mid', 'low']);
  });

  it('drop what came in the window already', async () => {
    const queue = await harness.declare('q', { 'deduplication-window': 1000 });
    harness.publish(queue, 'a', { deduplicationKey: 'k' });
    harness.publish(queue, 'b', { deduplicationKey: 'k' });
    await harness.turn(1001);
    harness.publish(queue, 'c', { deduplicationKey: 'k' });
    assert.deepEqual(bodies(drain(queue)), ['a', 'c']);
    assert.equal(queue.totals.deduplicated, 1);
  });

  it('hold messages back while it is paused', async () => {
    const queue = await harness.declare('q');
    const consumer = new RecordingConsumer();
    consume(queue, consumer);
    queue.setPaused(true);
    harness.publish(queue, 'a');
    await harness.turn();
    assert.deepEqual(consumer.bodies, []);
    queue.setPaused(false);
    await harness.turn();
    assert.deepEqual(consumer.bodies, ['a']);
  });

  it('can be looked at without being touched', async () => {
    const queue = await harness.declare('q');
    for (const body of ['a', 'b', 'c', 'd']) harness.publish(queue, body);
    await harness.turn();
    const seen: string[] = [];
    await queue.peek({ offset: 1, limit: 2 }, ({ message }) => {
      seen.push(message.body.toString('utf8', message.bodyStart, message.bodyEnd));
    });
    assert.deepEqual(seen, ['b', 'c']);
    assert.deepEqual(bodies(drain(queue)), ['a', 'b', 'c', 'd']);
  });
});

describe('queues', () => {
  it('go with their last consumer, their connection, or when nobody uses them', async () => {
    const auto = await harness.declare('auto', {}, { autoDelete: true, durable: false });
    consume(auto, new RecordingConsumer()).cancel();
    assert.equal(harness.store.byName('/', 'auto'), null);
    await harness.declare('mine', {}, { exclusiveOwner: 7 });
    harness.store.connectionClosed(7);
    assert.equal(harness.store.byName('/', 'mine'), null);
    const idle = await harness.declare('idle', { expires: 1000 });
    await harness.turn(600);
    idle.used();
    await harness.turn(600);
    assert.notEqual(harness.store.byName('/', 'idle'), null);
    await harness.turn(600);
    assert.equal(harness.store.byName('/', 'idle'), null);
  });

  it('are what they were declared as', async () => {
    await harness.declare('q', { 'max-length': 3 });
    const base = { namespace: '/', name: 'q', durable: true, autoDelete: false };
    const again = await harness.store.declare({
      ...base,
      exclusiveOwner: null,
      arguments: { 'max-length': 4 },
    });
    assert(again.status === 'inequivalent');
    assert.deepEqual([again.property, again.received, again.current], ['max-length', '4', '3']);
    const wrong = await harness.store.declare({
      ...base,
      name: 'r',
      exclusiveOwner: null,
      arguments: { 'message-ttl': -1 },
    });
    assert(wrong.status === 'invalid-argument');
    assert.equal(wrong.argument, 'message-ttl');
  });

  it('that are not durable hold publishers back when memory is used up', async () => {
    await harness.close();
    harness = await QueueHarness.open({ memoryBytesMax: () => 10_000 });
    const queue = await harness.declare('q', {}, { durable: false });
    let told = 0;
    harness.store.onAccepting(() => told++);
    for (let i = 0; i < 20; i++) harness.publish(queue, 'x'.repeat(1000));
    await harness.turn();
    assert.equal(harness.store.accepting(), false);
    assert.equal(harness.store.blockedReason, 'memory');
    drain(queue);
    await harness.turn();
    assert.equal(told, 1);
    assert.equal(harness.store.memoryBytes, 0);
  });
});
