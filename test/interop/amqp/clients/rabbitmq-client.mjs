// rabbitmq-client: node rabbitmq-client.mjs URL CASE NAME
import { Connection } from 'rabbitmq-client';
import { bodies, check, fibonacci, Inbox, MEGABYTE, runCase, same } from './common.mjs';

const [, , url, name, prefix] = process.argv;
const queue = `${prefix}.q`;
const exchange = `${prefix}.x`;
const dead = `${prefix}.dead`;
const rabbit = new Connection(url);
rabbit.on('error', (error) => process.stderr.write(`${error}\n`));
await rabbit.onConnect(10_000);

/** A consumer of its own, with what came to it. Bodies of type text/plain are strings. */
async function consume(options, handle = () => undefined) {
  const inbox = new Inbox();
  const consumer = rabbit.createConsumer(options, async (message, reply) => {
    const status = await Promise.resolve(handle(message, reply, inbox));
    inbox.push(message);
    return status;
  });
  await new Promise((resolve, reject) => consumer.once('ready', resolve).once('error', reject));
  return inbox;
}

const own = (type, keys, args) => ({
  queueOptions: { exclusive: true },
  exchanges: [{ exchange, type, autoDelete: true }],
  queueBindings: keys.map((routingKey) => ({ exchange, routingKey, arguments: args })),
});
const texts = (messages) => messages.map(({ body }) => String(body));

async function publish(messages, options = {}) {
  const publisher = rabbit.createPublisher({ confirm: true, ...options });
  for (const [envelope, body] of messages) await publisher.send(envelope, body);
  await publisher.close();
}

const put = (list, envelope = {}) =>
  publish(list.map((body) => [{ routingKey: queue, ...envelope }, body]));
const declare = (more = {}) => rabbit.queueDeclare({ queue, ...more });
/** Reads a queue that is there with arguments of its own. */
const there = { queue, queueOptions: { passive: true } };

const CASES = {
  hello: async () => {
    await declare();
    await put(['Hello World!']);
    same(
      texts(await (await consume({ ...there, noAck: true })).take(1)),
      ['Hello World!'],
      'messages',
    );
  },
  work: async () => {
    const options = { queue, queueOptions: { durable: true }, qos: { prefetchCount: 1 } };
    const pair = [await consume(options), await consume(options)];
    await put(bodies(20), { durable: true });
    while (pair[0].items.length + pair[1].items.length < 20) await new Promise(setImmediate);
    check(
      pair.every(({ items }) => items.length > 0),
      'both workers work',
    );
  },
  pubsub: async () => {
    const inboxes = [await consume(own('fanout', [''])), await consume(own('fanout', ['']))];
    await publish(bodies(3).map((body) => [{ exchange }, body]));
    for (const inbox of inboxes) same(texts(await inbox.take(3)), bodies(3), 'logs');
  },
  routing: async () => {
    const errors = await consume(own('direct', ['error']));
    await publish(['info', 'error', 'error'].map((key) => [{ exchange, routingKey: key }, key]));
    same(texts(await errors.take(2)), ['error', 'error'], 'errors');
  },
  topics: async () => {
    const inbox = await consume(own('topic', ['*.orange.*', 'lazy.#']));
    await publish(
      ['a.orange.b', 'orange', 'lazy.x.y'].map((key) => [{ exchange, routingKey: key }, key]),
    );
    same(texts(await inbox.take(2)), ['a.orange.b', 'lazy.x.y'], 'topics');
  },
  rpc: async () => {
    await consume({ queue, noAck: true }, (message, reply) =>
      reply(String(fibonacci(Number(message.body)))),
    );
    const client = rabbit.createRPCClient({ confirm: true });
    same(String((await client.send(queue, '12')).body), '144', 'answer');
    await client.close();
  },
  confirms: async () => {
    await declare();
    await put(bodies(100), { durable: true });
    same((await rabbit.queueDeclare({ queue, passive: true })).messageCount, 100, 'messages');
  },
  mandatory: async () => {
    const returned = new Inbox();
    const publisher = rabbit.createPublisher({ confirm: true });
    publisher.on('basic.return', (message) => returned.push(message));
    await publisher.send({ routingKey: dead, mandatory: true }, 'x');
    const [message] = await returned.take(1);
    same([message.replyCode, message.replyText], [312, 'NO_ROUTE'], 'return');
  },
  priority: async () => {
    await declare({ arguments: { 'x-max-priority': 10 } });
    await publish(
      [1, 5, 9, 3].map((priority) => [{ routingKey: queue, priority }, String(priority)]),
    );
    same(
      texts(await (await consume({ ...there, noAck: true })).take(4)),
      ['9', '5', '3', '1'],
      'order',
    );
  },
  'ttl-dlx': async () => {
    await rabbit.queueDeclare(dead);
    await declare({
      arguments: {
        'x-message-ttl': 50,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': dead,
      },
    });
    await put(['late']);
    const [message] = await (await consume({ queue: dead, noAck: true })).take(1);
    const [death] = message.headers['x-death'];
    same([death.reason, death.queue, Number(death.count)], ['expired', queue, 1], 'x-death');
  },
  delayed: async () => {
    await rabbit.exchangeDeclare({
      exchange,
      type: 'x-delayed-message',
      arguments: { 'x-delayed-type': 'direct' },
    });
    await declare();
    await rabbit.queueBind({ queue, exchange, routingKey: 'k' });
    await publish(
      [600, 200].map((delay) => [
        { exchange, routingKey: 'k', headers: { 'x-delay': delay } },
        String(delay),
      ]),
    );
    same(texts(await (await consume({ ...there, noAck: true })).take(2)), ['200', '600'], 'order');
  },
  quorum: async () => {
    await rabbit.queueDeclare(dead);
    const args = {
      'x-queue-type': 'quorum',
      'x-delivery-limit': 2,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': dead,
    };
    const options = { queue, queueOptions: { durable: true, arguments: args } };
    const requeue = 1;
    const poisoned = await consume(options, () => requeue);
    await put(['poison']);
    await (await consume({ queue: dead, noAck: true })).take(1);
    same(poisoned.items.length, 3, 'deliveries');
  },
  stream: async () => {
    await declare({ durable: true, arguments: { 'x-queue-type': 'stream' } });
    await put(bodies(10));
    const options = {
      ...there,
      qos: { prefetchCount: 100 },
      arguments: { 'x-stream-offset': 'first' },
    };
    same(texts(await (await consume(options)).take(10)), bodies(10), 'from the first');
  },
  headers: async () => {
    const all = await consume(own('headers', [''], { 'x-match': 'all', a: 1, b: 'x' }));
    const tables = [{ a: 1 }, { a: 1, b: 'x' }];
    await publish(tables.map((headers) => [{ exchange, headers }, JSON.stringify(headers)]));
    same(texts(await all.take(1)), ['{"a":1,"b":"x"}'], 'all');
  },
  tx: async () => {
    await declare();
    const channel = await rabbit.acquire();
    await channel.txSelect();
    await channel.basicPublish({ routingKey: queue }, 'rolled back');
    await channel.txRollback();
    await channel.basicPublish({ routingKey: queue }, 'committed');
    await channel.txCommit();
    same(String((await rabbit.basicGet(queue)).body), 'committed', 'message');
  },
  large: async () => {
    await declare();
    const body = Buffer.alloc(10 * MEGABYTE, 'abcdefg');
    await put([body]);
    const [message] = await (await consume({ ...there, noAck: true })).take(1);
    check(body.equals(message.body), 'content');
  },
  fairness: async () => {
    const options = { queue, qos: { prefetchCount: 1 } };
    let held = 0;
    await consume(options, () => {
      held++;
      return new Promise(() => undefined);
    });
    const fast = await consume(options);
    await put(bodies(10));
    await fast.take(9);
    same(held, 1, 'with the slow one');
  },
};

await runCase(name, CASES);
