// amqplib: node amqplib.mjs URL CASE NAME
import amqp from 'amqplib';
import { bodies, check, fibonacci, Inbox, MEGABYTE, poll, runCase, same } from './common.mjs';

const [, , url, name, prefix] = process.argv;
const text = (message) => message.content.toString();
const queue = `${prefix}.q`;
const exchange = `${prefix}.x`;
const dead = `${prefix}.dead`;

const sender = await amqp.connect(url);
const receiver = await amqp.connect(url);
const out = await sender.createChannel();
const into = await receiver.createChannel();

async function consume(channel, from, options = { noAck: true }) {
  const inbox = new Inbox();
  await channel.consume(from, (message) => inbox.push(message), options);
  return inbox;
}

/** A queue of the receiver's own, bound with these keys. */
async function subscribe(type, keys, args = {}) {
  await into.assertExchange(exchange, type, { durable: false });
  const own = await into.assertQueue('', { exclusive: true });
  for (const key of keys) await into.bindQueue(own.queue, exchange, key, args);
  return await consume(into, own.queue);
}

async function workers(count) {
  await into.assertQueue(queue, { durable: true });
  const inboxes = [];
  for (let i = 0; i < count; i++) {
    const channel = await receiver.createChannel();
    await channel.prefetch(1);
    const inbox = await consume(channel, queue, { noAck: false });
    inboxes.push({ channel, inbox });
  }
  return inboxes;
}

const CASES = {
  hello: async () => {
    await out.assertQueue(queue, { durable: false });
    out.sendToQueue(queue, Buffer.from('Hello World!'));
    const inbox = await consume(into, queue);
    same((await inbox.take(1)).map(text), ['Hello World!'], 'messages');
  },
  work: async () => {
    const pair = await workers(2);
    const done = new Inbox();
    for (const [index, { channel, inbox }] of pair.entries()) {
      inbox.push = (message) => {
        channel.ack(message);
        done.push([index, text(message)]);
      };
    }
    for (const body of bodies(20)) out.sendToQueue(queue, Buffer.from(body), { persistent: true });
    const all = await done.take(20);
    same(new Set(all.map(([, body]) => body)).size, 20, 'tasks');
    check(new Set(all.map(([index]) => index)).size === 2, 'both workers work');
  },
  pubsub: async () => {
    const inboxes = [await subscribe('fanout', ['']), await subscribe('fanout', [''])];
    for (const body of bodies(3)) out.publish(exchange, '', Buffer.from(body));
    for (const inbox of inboxes) same((await inbox.take(3)).map(text), bodies(3), 'logs');
  },
  routing: async () => {
    const errors = await subscribe('direct', ['error']);
    const all = await subscribe('direct', ['info', 'warning', 'error']);
    for (const key of ['info', 'error', 'debug', 'warning', 'error'])
      out.publish(exchange, key, Buffer.from(key));
    same((await all.take(4)).map(text), ['info', 'error', 'warning', 'error'], 'all');
    same((await errors.take(2)).map(text), ['error', 'error'], 'errors');
  },
  topics: async () => {
    const orange = await subscribe('topic', ['*.orange.*']);
    const others = await subscribe('topic', ['*.*.rabbit', 'lazy.#']);
    const keys = [
      'quick.orange.rabbit',
      'lazy.orange.elephant',
      'quick.brown.fox',
      'lazy',
      'lazy.pink.rabbit',
      'orange',
    ];
    for (const key of keys) out.publish(exchange, key, Buffer.from(key));
    same((await others.take(4)).map(text), [keys[0], keys[1], keys[3], keys[4]], 'others');
    same((await orange.take(2)).map(text), [keys[0], keys[1]], 'orange');
  },
  rpc: async () => {
    await into.assertQueue(queue, { durable: false });
    await into.consume(queue, (message) => {
      const answer = String(fibonacci(Number(text(message))));
      const { replyTo, correlationId } = message.properties;
      into.sendToQueue(replyTo, Buffer.from(answer), { correlationId });
      into.ack(message);
    });
    const callback = await out.assertQueue('', { exclusive: true });
    const answers = await consume(out, callback.queue);
    for (const id of ['1', '2']) {
      out.sendToQueue(queue, Buffer.from('12'), { correlationId: id, replyTo: callback.queue });
    }
    const received = await answers.take(2);
    same(
      received.map((message) => [message.properties.correlationId, text(message)]),
      [
        ['1', '144'],
        ['2', '144'],
      ],
      'answers',
    );
  },
  confirms: async () => {
    const channel = await sender.createConfirmChannel();
    await channel.assertQueue(queue);
    let confirmed = 0;
    for (const body of bodies(100)) {
      channel.sendToQueue(
        queue,
        Buffer.from(body),
        { persistent: true },
        (error) => (confirmed += error === null ? 1 : 0),
      );
    }
    await channel.waitForConfirms();
    same(confirmed, 100, 'confirmed');
    same((await channel.checkQueue(queue)).messageCount, 100, 'messages');
  },
  mandatory: async () => {
    const returned = new Inbox();
    out.on('return', (message) => returned.push(message));
    out.publish('', `${prefix}.nowhere`, Buffer.from('x'), { mandatory: true, messageId: 'id' });
    const [message] = await returned.take(1);
    same(
      [message.fields.replyCode, message.fields.replyText, message.properties.messageId],
      [312, 'NO_ROUTE', 'id'],
      'return',
    );
  },
  cancel: async () => {
    await out.assertQueue(queue);
    const inbox = await consume(into, queue);
    await out.deleteQueue(queue);
    same(await inbox.take(1), [null], 'cancelled');
  },
  priority: async () => {
    await out.assertQueue(queue, { maxPriority: 10 });
    for (const priority of [1, 5, 9, 3])
      out.sendToQueue(queue, Buffer.from(String(priority)), { priority });
    await poll(async () => (await into.checkQueue(queue)).messageCount === 4);
    same((await (await consume(into, queue)).take(4)).map(text), ['9', '5', '3', '1'], 'order');
  },
  'ttl-dlx': async () => {
    await out.assertQueue(dead);
    await out.assertQueue(queue, {
      messageTtl: 50,
      deadLetterExchange: '',
      deadLetterRoutingKey: dead,
    });
    out.sendToQueue(queue, Buffer.from('late'));
    const [message] = await (await consume(into, dead)).take(1);
    const [death] = message.properties.headers['x-death'];
    same(
      [death.reason, death.queue, death.count, text(message)],
      ['expired', queue, 1, 'late'],
      'x-death',
    );
  },
  delayed: async () => {
    await out.assertExchange(exchange, 'x-delayed-message', {
      arguments: { 'x-delayed-type': 'direct' },
    });
    await out.assertQueue(queue);
    await out.bindQueue(queue, exchange, 'k');
    const started = Date.now();
    out.publish(exchange, 'k', Buffer.from('later'), { headers: { 'x-delay': 600 } });
    out.publish(exchange, 'k', Buffer.from('sooner'), { headers: { 'x-delay': 200 } });
    same((await (await consume(into, queue)).take(2)).map(text), ['sooner', 'later'], 'order');
    check(Date.now() - started >= 590, 'came too early');
  },
  quorum: async () => {
    await out.assertQueue(dead);
    const args = {
      'x-queue-type': 'quorum',
      'x-delivery-limit': 2,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': dead,
    };
    await out.assertQueue(queue, { durable: true, arguments: args });
    let deliveries = 0;
    await into.consume(queue, (message) => {
      deliveries++;
      into.nack(message, false, true);
    });
    out.sendToQueue(queue, Buffer.from('poison'));
    const [message] = await (await consume(out, dead)).take(1);
    same(
      [deliveries, message.properties.headers['x-death'][0].reason],
      [3, 'delivery_limit'],
      'poison',
    );
  },
  stream: async () => {
    const channel = await sender.createConfirmChannel();
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'stream' } });
    for (const body of bodies(10)) channel.sendToQueue(queue, Buffer.from(body));
    await channel.waitForConfirms();
    await into.prefetch(100);
    const read = (offset) => consume(into, queue, { arguments: { 'x-stream-offset': offset } });
    same((await (await read('first')).take(10)).map(text), bodies(10), 'from the first');
    const later = await (await read(5)).take(5);
    same(
      later.map((message) => message.properties.headers['x-stream-offset']),
      [5, 6, 7, 8, 9],
      'offsets',
    );
  },
  headers: async () => {
    const all = await subscribe('headers', [''], { 'x-match': 'all', a: 1, b: 'x' });
    const any = await subscribe('headers', [''], { 'x-match': 'any', a: 1, b: 'x' });
    const send = (body, headers) => out.publish(exchange, '', Buffer.from(body), { headers });
    send('one', { a: 1 });
    send('none', { a: 2 });
    send('both', { a: 1, b: 'x' });
    same((await any.take(2)).map(text), ['one', 'both'], 'any');
    same((await all.take(1)).map(text), ['both'], 'all');
  },
  large: async () => {
    await out.assertQueue(queue);
    const body = Buffer.alloc(10 * MEGABYTE, 'abcdefg');
    out.sendToQueue(queue, body);
    const [message] = await (await consume(into, queue)).take(1);
    check(body.equals(message.content), 'content');
  },
  'reply-to': async () => {
    await into.assertQueue(queue);
    await into.consume(
      queue,
      (message) => into.sendToQueue(message.properties.replyTo, Buffer.from('answer')),
      { noAck: true },
    );
    const answers = await consume(out, 'amq.rabbitmq.reply-to');
    out.sendToQueue(queue, Buffer.from('question'), { replyTo: 'amq.rabbitmq.reply-to' });
    same((await answers.take(1)).map(text), ['answer'], 'answer');
  },
  fairness: async () => {
    const [slow, fast] = await workers(2);
    const fastDone = new Inbox();
    fast.inbox.push = (message) => {
      fast.channel.ack(message);
      fastDone.push(text(message));
    };
    for (const body of bodies(10)) out.sendToQueue(queue, Buffer.from(body));
    await fastDone.take(9);
    same((await slow.inbox.take(1)).length, 1, 'with the slow one');
  },
};

await runCase(name, CASES);
