import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { AmqpTestBroker, channelError, consumeInto, textsOf } from '../support/amqp.ts';
import { numbered } from '../support/kafkajs.ts';
import { tempFolder, type TempFolder } from '../support/temp-folder.ts';

describe('AMQP over restarts', () => {
  let folder: TempFolder;
  let server: AmqpTestBroker;

  beforeEach(async () => {
    folder = await tempFolder();
    server = await AmqpTestBroker.start({ storage: { path: folder.path } });
  });

  afterEach(async () => {
    await server.stop();
    await folder.remove();
  });

  async function restart(): Promise<void> {
    await server.stop();
    server = await AmqpTestBroker.start({ storage: { path: folder.path } });
  }

  it('keeps durable queues, exchanges and bindings with persistent messages, and nothing else', async () => {
    const channel = await server.confirmChannel();
    await channel.assertQueue('durable', { durable: true, arguments: { 'x-max-length': 100 } });
    await channel.assertQueue('transient', { durable: false });
    await channel.assertExchange('kept', 'topic', { durable: true });
    await channel.assertExchange('lost', 'topic', { durable: false });
    await channel.bindQueue('durable', 'kept', 'a.#');
    await channel.bindQueue('durable', 'lost', '#');
    for (const [i, text] of numbered('m', 10).entries()) {
      channel.publish('kept', 'a.b', Buffer.from(text), { persistent: i % 2 === 0, type: text });
      channel.sendToQueue('transient', Buffer.from(text), { persistent: true });
    }
    await channel.waitForConfirms();
    const taken = await channel.get('durable');
    assert(taken !== false);
    channel.ack(taken);
    await channel.close();
    await restart();

    const next = await server.channel();
    await next.assertQueue('durable', { durable: true, arguments: { 'x-max-length': 100 } });
    next.publish('kept', 'a.c', Buffer.from('routed'));
    const inbox = await consumeInto(next, 'durable', { acks: 'each' });
    const messages = await inbox.holds(5);
    assert.deepEqual(textsOf(messages), ['m-2', 'm-4', 'm-6', 'm-8', 'routed']);
    assert.equal(messages[0]?.properties.type, 'm-2');
    for (const name of ['transient', 'lost']) {
      const probe = await server.channel();
      const work = (): unknown =>
        name === 'lost' ? probe.checkExchange(name) : probe.checkQueue(name);
      assert.equal((await channelError(probe, work)).code, 404);
    }
  });

  it('gives back what was not acknowledged, flagged, and keeps its priorities and ends', async () => {
    const channel = await server.confirmChannel();
    await channel.assertQueue('priorities', { durable: true, maxPriority: 3 });
    await channel.assertQueue('dead', { durable: true });
    await channel.assertQueue('timed', {
      durable: true,
      arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' },
    });
    for (const priority of [0, 3, 1, 3]) {
      const body = Buffer.from(`p${priority}`);
      channel.sendToQueue('priorities', body, { persistent: true, priority });
    }
    channel.sendToQueue('timed', Buffer.from('over'), { persistent: true, expiration: '300' });
    await channel.waitForConfirms();
    const first = await channel.get('priorities');
    assert(first !== false);
    await restart();

    const next = await server.channel();
    const inbox = await consumeInto(next, 'priorities', { acks: 'each' });
    const messages = await inbox.holds(4);
    assert.deepEqual(textsOf(messages), ['p3', 'p3', 'p1', 'p0']);
    assert.equal(messages[0]?.fields.redelivered, true);
    assert.equal(messages[3]?.fields.redelivered, false);
    const dead = await consumeInto(next, 'dead', { acks: 'each' });
    assert.deepEqual(textsOf(await dead.holds(1)), ['over']);
  });

  it('keeps streams with what was in them', async () => {
    const channel = await server.confirmChannel();
    const stream = { durable: true, arguments: { 'x-queue-type': 'stream', 'x-max-age': '1Y' } };
    await channel.assertQueue('stream', stream);
    for (const text of numbered('m', 50)) channel.sendToQueue('stream', Buffer.from(text));
    await channel.waitForConfirms();
    await restart();
    const next = await server.channel();
    await next.assertQueue('stream', stream);
    await next.prefetch(10);
    const args = { 'x-stream-offset': 20 };
    const inbox = await consumeInto(next, 'stream', { arguments: args, acks: 'each' });
    assert.deepEqual(textsOf(await inbox.holds(30)), numbered('m', 50).slice(20));
  });
});
