import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { AmqpTestBroker, consumeInto, settled, textOf, textsOf } from '../support/amqp.ts';
import { numbered } from '../support/kafkajs.ts';
import { tempFolder, type TempFolder } from '../support/temp-folder.ts';

for (const kind of ['memory', 'disk'] as const) {
  describe(`AMQP as the tutorials use it, ${kind} storage`, () => {
    let folder: TempFolder;
    let server: AmqpTestBroker;

    before(async () => {
      folder = await tempFolder();
      const storage = kind === 'memory' ? 'memory' : { path: folder.path };
      server = await AmqpTestBroker.start({ storage });
    });

    afterEach(() => server.disconnect());

    after(async () => {
      await server.stop();
      await folder.remove();
    });

    it('sends a message to a queue and receives it, properties and all', async () => {
      const sender = await server.channel();
      await sender.assertQueue('hello', { durable: false });
      const properties = {
        contentType: 'text/plain',
        contentEncoding: 'identity',
        headers: { text: 'ü', number: 7, list: [1, 'two'], table: { yes: true }, nothing: null },
        deliveryMode: 2,
        priority: 3,
        correlationId: 'c-1',
        replyTo: 'elsewhere',
        expiration: '60000',
        messageId: 'm-1',
        timestamp: 1_700_000_000,
        type: 'greeting',
        userId: 'guest',
        appId: 'test',
      };
      sender.sendToQueue('hello', Buffer.from('Hello World!'), properties);
      const receiver = await server.channel();
      const inbox = await consumeInto(receiver, 'hello', { noAck: true });
      const [message] = await inbox.holds(1);
      assert(message !== undefined);
      assert.equal(textOf(message), 'Hello World!');
      assert.deepEqual({ ...message.properties }, { ...properties, clusterId: undefined });
      assert.equal(message.fields.exchange, '');
      assert.equal(message.fields.routingKey, 'hello');
      assert.equal(message.fields.redelivered, false);
    });

    it('gives a worker no more than it can do, and its work to another when it goes', async () => {
      const boss = await server.confirmChannel();
      await boss.assertQueue('tasks', { durable: true });
      for (const task of numbered('task', 6)) {
        boss.sendToQueue('tasks', Buffer.from(task), { persistent: true });
      }
      await boss.waitForConfirms();
      const slow = await server.channel();
      await slow.prefetch(1);
      const slowInbox = await consumeInto(slow, 'tasks');
      const [stuck] = await slowInbox.holds(1);
      assert.equal(textOf(stuck!), 'task-0');
      const busy = await server.channel();
      await busy.prefetch(1);
      const busyInbox = await consumeInto(busy, 'tasks', { acks: 'each' });
      await busyInbox.holds(5);
      assert.deepEqual(textsOf(busyInbox.messages), [
        'task-1',
        'task-2',
        'task-3',
        'task-4',
        'task-5',
      ]);
      assert.equal(slowInbox.messages.length, 1);
      await slow.close();
      const [, , , , , last] = await busyInbox.holds(6);
      assert.equal(textOf(last!), 'task-0');
      assert.equal(last?.fields.redelivered, true);
    });

    it('publishes to all who subscribed', async () => {
      const channel = await server.channel();
      await channel.assertExchange('logs', 'fanout', { durable: false });
      const inboxes = [];
      for (let i = 0; i < 3; i++) {
        const subscriber = await server.channel();
        const { queue } = await subscriber.assertQueue('', { exclusive: true });
        assert.match(queue, /^amq\.gen-/);
        await subscriber.bindQueue(queue, 'logs', '');
        inboxes.push(await consumeInto(subscriber, queue, { noAck: true }));
      }
      channel.publish('logs', '', Buffer.from('to everybody'));
      for (const inbox of inboxes)
        assert.deepEqual(textsOf(await inbox.holds(1)), ['to everybody']);
    });

    it('routes by severity with a direct exchange', async () => {
      const channel = await server.channel();
      await channel.assertExchange('direct_logs', 'direct', { durable: false });
      const { queue: errors } = await channel.assertQueue('', { exclusive: true });
      const { queue: all } = await channel.assertQueue('', { exclusive: true });
      await channel.bindQueue(errors, 'direct_logs', 'error');
      for (const key of ['info', 'warning', 'error'])
        await channel.bindQueue(all, 'direct_logs', key);
      const some = await consumeInto(channel, errors, { noAck: true });
      const every = await consumeInto(channel, all, { noAck: true });
      for (const key of ['info', 'error', 'warning', 'debug']) {
        channel.publish('direct_logs', key, Buffer.from(key));
      }
      assert.deepEqual(textsOf(await every.holds(3)), ['info', 'error', 'warning']);
      await settled(channel);
      assert.deepEqual(textsOf(some.messages), ['error']);
    });

    it('routes by patterns with a topic exchange', async () => {
      const channel = await server.channel();
      await channel.assertExchange('topic_logs', 'topic', { durable: false });
      const patterns = ['#', 'kern.*', '*.critical', 'kern.#.deep', 'a.*.c'];
      const inboxes = new Map<string, Awaited<ReturnType<typeof consumeInto>>>();
      for (const pattern of patterns) {
        const { queue } = await channel.assertQueue('', { exclusive: true });
        await channel.bindQueue(queue, 'topic_logs', pattern);
        inboxes.set(pattern, await consumeInto(channel, queue, { noAck: true }));
      }
      const keys = [
        'kern.critical',
        'kern.deep',
        'kern.x.y.deep',
        'a.b.c',
        'a.c',
        'mail.critical',
        '',
      ];
      for (const key of keys) channel.publish('topic_logs', key, Buffer.from(key));
      await inboxes.get('#')?.holds(keys.length);
      await settled(channel);
      const got = (pattern: string): string[] => textsOf(inboxes.get(pattern)?.messages ?? []);
      assert.deepEqual(got('#'), keys);
      assert.deepEqual(got('kern.*'), ['kern.critical', 'kern.deep']);
      assert.deepEqual(got('*.critical'), ['kern.critical', 'mail.critical']);
      assert.deepEqual(got('kern.#.deep'), ['kern.deep', 'kern.x.y.deep']);
      assert.deepEqual(got('a.*.c'), ['a.b.c']);
    });

    it('calls procedures, with a reply queue and with direct replies', async () => {
      const worker = await server.channel();
      await worker.assertQueue('rpc_queue', { durable: false });
      await worker.consume('rpc_queue', (request) => {
        if (request === null) return;
        const { replyTo, correlationId } = request.properties;
        const answer = Buffer.from(String(Number(textOf(request)) * 2));
        worker.sendToQueue(String(replyTo), answer, { correlationId: String(correlationId) });
        worker.ack(request);
      });
      const caller = await server.channel();
      const { queue } = await caller.assertQueue('', { exclusive: true });
      for (const replyTo of [queue, 'amq.rabbitmq.reply-to']) {
        const inbox = await consumeInto(caller, replyTo, { noAck: true });
        for (const id of ['1', '2']) {
          caller.sendToQueue('rpc_queue', Buffer.from(id), { replyTo, correlationId: id });
        }
        const replies = await inbox.holds(2);
        assert.deepEqual(
          replies.map((reply) => [reply.properties.correlationId, textOf(reply)]),
          [
            ['1', '2'],
            ['2', '4'],
          ],
        );
        await caller.cancel(inbox.tag);
      }
    });
  });
}
