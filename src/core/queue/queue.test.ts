import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { QueueHarness, RecordingConsumer } from '../../../test/support/queue-harness.ts';
import type { Queue } from './queue.ts';
import type { Attachment } from '../queue-types.ts';

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

for (const durable of [true, false]) {
  describe(durable ? 'a durable queue' : 'a transient queue', () => {
    const open = (args = {}): Promise<Queue> => harness.declare('q', args, { durable });

    it('gives messages in order', async () => {
      const queue = await open();
      for (let i = 0; i < 1000; i++) harness.publish(queue, `m${i}`);
      assert.equal(queue.counts.ready, 1000);
      const consumer = new RecordingConsumer();
      consume(queue, consumer);
      await harness.turn();
      assert.deepEqual(
        consumer.bodies,
        Array.from({ length: 1000 }, (_, i) => `m${i}`),
      );
      assert.deepEqual(queue.counts, {
        ready: 0,
        unsettled: 1000,
        readyBytes: 0,
        unsettledBytes: 3890,
        delayed: 0,
        persistent: 1000,
      });
      for (const { ref } of consumer.got) queue.settle(ref, 'accept');
      assert.equal(queue.counts.unsettled, 0);
      assert.equal(queue.counts.unsettledBytes, 0);
    });

    it('reads what was committed meanwhile', async () => {
      const queue = await open();
      for (let i = 0; i < 10; i++) {
        harness.publish(queue, `m${i}`);
        await harness.turn();
      }
      const consumer = new RecordingConsumer({ credit: 3 });
      const attachment = consume(queue, consumer);
      await harness.turn();
      assert.deepEqual(consumer.bodies, ['m0', 'm1', 'm2']);
      consumer.credit = 100;
      attachment.resume();
      await harness.turn();
      assert.equal(consumer.got.length, 10);
    });

    it('hands over at once when somebody waits', async () => {
      const queue = await open();
      const consumer = new RecordingConsumer();
      consume(queue, consumer);
      harness.publish(queue, 'a');
      assert.deepEqual(consumer.bodies, ['a']);
      assert.equal(queue.counts.unsettled, 1);
      queue.settle(consumer.got[0]!.ref, 'accept');
      await harness.turn();
      assert.equal(queue.counts.unsettled, 0);
    });

    it('stores nothing for who does not acknowledge', async () => {
      const queue = await open();
      const consumer = new RecordingConsumer({ noAck: true });
      consume(queue, consumer);
      harness.publish(queue, 'a');
      assert.deepEqual(consumer.bodies, ['a']);
      assert.equal(queue.lanes[0]!.tail, 0);
    });

    it('gives back to the old place, flagged', async () => {
      const queue = await open();
      for (const body of ['a', 'b', 'c']) harness.publish(queue, body);
      const first = harness.get(queue)!;
      const second = harness.get(queue)!;
      queue.settle(second.ref, 'requeue');
      queue.settle(first.ref, 'return');
      await harness.turn();
      const consumer = new RecordingConsumer();
      consume(queue, consumer);
      await harness.turn();
      assert.deepEqual(
        consumer.got.map(({ body, redelivered, returns }) => [body, redelivered, returns]),
        [
          ['a', true, 1],
          ['b', true, 0],
          ['c', false, 0],
        ],
      );
    });

    it('purges what is ready only', async () => {
      const queue = await open();
      for (let i = 0; i < 2000; i++) harness.publish(queue, 'x');
      const one = harness.get(queue)!;
      const two = harness.get(queue)!;
      const purging = queue.purge();
      await harness.turn();
      assert.equal(await purging, 1998);
      assert.equal(queue.counts.ready, 0);
      assert.equal(queue.counts.unsettled, 2);
      assert.equal(queue.counts.persistent, 2);
      harness.publish(queue, 'later');
      assert.equal(harness.get(queue)!.body, 'later');
      queue.settle(two.ref, 'requeue');
      queue.settle(one.ref, 'accept');
      assert.equal(harness.get(queue)!.body, 'x');
      assert.equal(queue.counts.unsettled, 2);
    });
  });
}
