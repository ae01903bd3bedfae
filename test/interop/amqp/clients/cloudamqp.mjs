// @cloudamqp/amqp-client: node cloudamqp.mjs URL CASE NAME
import { AMQPClient } from '@cloudamqp/amqp-client';
import { bodies, check, fibonacci, Inbox, MEGABYTE, poll, runCase, same } from './common.mjs';

const [, , url, name, prefix] = process.argv;
const text = (message) => message.bodyString();
const queue = `${prefix}.q`;
const exchange = `${prefix}.x`;
const dead = `${prefix}.dead`;

const sender = await new AMQPClient(url).connect();
const receiver = await new AMQPClient(url).connect();
const out = await sender.channel();
const into = await receiver.channel();

async function consume(channel, from, options = { noAck: true }) {
  const inbox = new Inbox();
  await channel.basicConsume(from, options, (message) => inbox.push(message));
  return inbox;
}

async function subscribe(type, keys, args = {}) {
  await into.exchangeDeclare(exchange, type, { durable: false });
  const own = await into.queueDeclare('', { exclusive: true });
  for (const key of keys) await into.queueBind(own.name, exchange, key, args);
  return await consume(into, own.name);
}

const put = (body, properties = {}) => out.basicPublish('', queue, body, properties);

const CASES = {
  hello: async () => {
    await out.queueDeclare(queue, { durable: false });
    await put('Hello World!');
    same((await (await consume(into, queue)).take(1)).map(text), ['Hello World!'], 'messages');
  },
  work: async () => {
    await into.queueDeclare(queue);
    const done = new Inbox();
    for (const index of [0, 1]) {
      const channel = await receiver.channel();
      await channel.basicQos(1);
      await channel.basicConsume(queue, { noAck: false }, async (message) => {
        await message.ack();
        done.push([index, text(message)]);
      });
    }
    for (const body of bodies(20)) await put(body, { deliveryMode: 2 });
    const all = await done.take(20);
    same(new Set(all.map(([, body]) => body)).size, 20, 'tasks');
    same(new Set(all.map(([index]) => index)).size, 2, 'workers');
  },
  pubsub: async () => {
    const inboxes = [await subscribe('fanout', ['']), await subscribe('fanout', [''])];
    for (const body of bodies(3)) await out.basicPublish(exchange, '', body);
    for (const inbox of inboxes) same((await inbox.take(3)).map(text), bodies(3), 'logs');
  },
  routing: async () => {
    const errors = await subscribe('direct', ['error']);
    for (const key of ['info', 'error', 'error']) await out.basicPublish(exchange, key, key);
    same((await errors.take(2)).map(text), ['error', 'error'], 'errors');
  },
  topics: async () => {
    const inbox = await subscribe('topic', ['*.orange.*', 'lazy.#']);
    for (const key of ['a.orange.b', 'orange', 'lazy.x.y'])
      await out.basicPublish(exchange, key, key);
    same((await inbox.take(2)).map(text), ['a.orange.b', 'lazy.x.y'], 'topics');
  },
  rpc: async () => {
    await into.queueDeclare(queue, { durable: false });
    await into.basicConsume(queue, { noAck: true }, async (message) => {
      const { replyTo, correlationId } = message.properties;
      await into.basicPublish('', replyTo, String(fibonacci(Number(text(message)))), {
        correlationId,
      });
    });
    const callback = await out.queueDeclare('', { exclusive: true });
    const answers = await consume(out, callback.name);
    await put('12', { correlationId: '1', replyTo: callback.name });
    const [answer] = await answers.take(1);
    same([answer.properties.correlationId, text(answer)], ['1', '144'], 'answer');
  },
  confirms: async () => {
    await out.queueDeclare(queue);
    await out.confirmSelect();
    const tags = await Promise.all(bodies(100).map((body) => put(body, { deliveryMode: 2 })));
    same(new Set(tags).size, 100, 'confirms');
    same((await into.queueDeclare(queue, { passive: true })).messageCount, 100, 'messages');
  },
  mandatory: async () => {
    const returned = new Inbox();
    out.onReturn = (message) => returned.push(message);
    await out.basicPublish('', dead, 'x', {}, true);
    const [message] = await returned.take(1);
    same([message.replyCode, message.replyText], [312, 'NO_ROUTE'], 'return');
  },
  cancel: async () => {
    await out.queueDeclare(queue);
    const consumer = await into.basicConsume(queue, {}, () => undefined);
    const ended = consumer.wait().then(
      () => 'ended',
      (error) => error.message,
    );
    await out.queueDelete(queue);
    check(/cancel/i.test(await ended), 'cancelled');
  },
  priority: async () => {
    await out.queueDeclare(queue, {}, { 'x-max-priority': 10 });
    for (const priority of [1, 5, 9, 3]) await put(String(priority), { priority });
    await poll(async () => (await into.queueDeclare(queue, { passive: true })).messageCount === 4);
    same((await (await consume(into, queue)).take(4)).map(text), ['9', '5', '3', '1'], 'order');
  },
  'ttl-dlx': async () => {
    await out.queueDeclare(dead);
    await out.queueDeclare(
      queue,
      {},
      { 'x-message-ttl': 50, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead },
    );
    await put('late');
    const [message] = await (await consume(into, dead)).take(1);
    const [death] = message.properties.headers['x-death'];
    same([death.reason, death.queue, death.count], ['expired', queue, 1], 'x-death');
  },
  delayed: async () => {
    await out.exchangeDeclare(exchange, 'x-delayed-message', {}, { 'x-delayed-type': 'fanout' });
    await out.queueDeclare(queue);
    await out.queueBind(queue, exchange, '');
    for (const delay of [600, 200]) {
      await out.basicPublish(exchange, '', String(delay), { headers: { 'x-delay': delay } });
    }
    same((await (await consume(into, queue)).take(2)).map(text), ['200', '600'], 'order');
  },
  quorum: async () => {
    await out.queueDeclare(dead);
    const args = {
      'x-queue-type': 'quorum',
      'x-delivery-limit': 2,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': dead,
    };
    await out.queueDeclare(queue, {}, args);
    let deliveries = 0;
    await into.basicConsume(queue, { noAck: false }, async (message) => {
      deliveries++;
      await message.nack(true);
    });
    await put('poison');
    await (await consume(out, dead)).take(1);
    same(deliveries, 3, 'deliveries');
  },
  stream: async () => {
    await out.queueDeclare(queue, {}, { 'x-queue-type': 'stream' });
    await out.confirmSelect();
    for (const body of bodies(10)) await put(body);
    await into.basicQos(100);
    const inbox = await consume(into, queue, { noAck: false, args: { 'x-stream-offset': 5 } });
    const offsets = (await inbox.take(5)).map(
      (message) => message.properties.headers['x-stream-offset'],
    );
    same(offsets, [5, 6, 7, 8, 9], 'offsets');
  },
  headers: async () => {
    const all = await subscribe('headers', [''], { 'x-match': 'all', a: 1, b: 'x' });
    for (const headers of [{ a: 1 }, { a: 1, b: 'x' }]) {
      await out.basicPublish(exchange, '', JSON.stringify(headers), { headers });
    }
    same((await all.take(1)).map(text), ['{"a":1,"b":"x"}'], 'all');
  },
  tx: async () => {
    await out.queueDeclare(queue);
    await out.txSelect();
    await put('rolled back');
    await out.txRollback();
    await put('committed');
    await out.txCommit();
    same(text(await into.basicGet(queue)), 'committed', 'message');
    same(await into.basicGet(queue), null, 'the rest');
  },
  'reply-to': async () => {
    await into.queueDeclare(queue);
    await into.basicConsume(queue, { noAck: true }, (message) =>
      into.basicPublish('', message.properties.replyTo, 'answer'),
    );
    const answers = await consume(out, 'amq.rabbitmq.reply-to');
    await put('question', { replyTo: 'amq.rabbitmq.reply-to' });
    same((await answers.take(1)).map(text), ['answer'], 'answer');
  },
  large: async () => {
    await out.queueDeclare(queue);
    const body = Buffer.alloc(10 * MEGABYTE, 'abcdefg');
    await put(body);
    const [message] = await (await consume(into, queue)).take(1);
    check(body.equals(message.body), 'content');
  },
  fairness: async () => {
    await into.queueDeclare(queue);
    const slow = new Inbox();
    const fast = new Inbox();
    for (const inbox of [slow, fast]) {
      const channel = await receiver.channel();
      await channel.basicQos(1);
      await channel.basicConsume(queue, { noAck: false }, async (message) => {
        if (inbox === fast) await message.ack();
        inbox.push(text(message));
      });
    }
    for (const body of bodies(10)) await put(body);
    await fast.take(9);
    same(slow.items.length, 1, 'with the slow one');
  },
};

await runCase(name, CASES);
