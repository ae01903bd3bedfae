// rascal: node rascal.mjs URL CASE NAME
import rascal from 'rascal';
import { bodies, check, Inbox, MEGABYTE, runCase, same } from './common.mjs';

const [, , url, name, prefix] = process.argv;
const queue = `${prefix}.q`;
const exchange = `${prefix}.x`;
const dead = `${prefix}.dead`;

/** A broker whose one virtual host is this topology. */
async function broker({ exchanges = [], queues, bindings = [], publications, subscriptions }) {
  const vhosts = {
    '/': { connection: url, exchanges, queues, bindings, publications, subscriptions },
  };
  const made = await rascal.BrokerAsPromised.create({ vhosts });
  made.on('error', (error) => process.stderr.write(`${error}\n`));
  return made;
}

async function publish(target, publication, list, overrides = {}) {
  for (const body of list) {
    const sent = await target.publish(publication, body, overrides);
    await new Promise((resolve, reject) => sent.once('success', resolve).once('error', reject));
  }
}

async function subscribe(target, subscription, handle = (_message, ack) => ack()) {
  const inbox = new Inbox();
  const session = await target.subscribe(subscription);
  session.on('error', (error) => process.stderr.write(`${error}\n`));
  session.on('message', (message, content, ackOrNack) => {
    handle(message, ackOrNack);
    inbox.push({ message, content });
  });
  return inbox;
}

const contents = (items) => items.map(({ content }) => content);
const toQueue = { out: { queue, confirm: true } };
const simple = (options = {}) => ({
  queues: { [queue]: options },
  publications: toQueue,
  subscriptions: { in: { queue } },
});

const CASES = {
  hello: async () => {
    const made = await broker(simple());
    await publish(made, 'out', ['Hello World!']);
    same(contents(await (await subscribe(made, 'in')).take(1)), ['Hello World!'], 'messages');
  },
  work: async () => {
    const subscriptions = { one: { queue, prefetch: 1 }, two: { queue, prefetch: 1 } };
    const made = await broker({ ...simple(), subscriptions });
    const pair = [await subscribe(made, 'one'), await subscribe(made, 'two')];
    await publish(made, 'out', bodies(20));
    while (pair[0].items.length + pair[1].items.length < 20) await new Promise(setImmediate);
    check(
      pair.every(({ items }) => items.length > 0),
      'both workers work',
    );
  },
  pubsub: async () => {
    const made = await broker({
      exchanges: { [exchange]: { type: 'fanout' } },
      queues: { [queue]: {}, [dead]: {} },
      bindings: [`${exchange} -> ${queue}`, `${exchange} -> ${dead}`],
      publications: { out: { exchange } },
      subscriptions: { one: { queue }, two: { queue: dead } },
    });
    const inboxes = [await subscribe(made, 'one'), await subscribe(made, 'two')];
    await publish(made, 'out', bodies(3));
    for (const inbox of inboxes) same(contents(await inbox.take(3)), bodies(3), 'logs');
  },
  topics: async () => {
    const made = await broker({
      exchanges: { [exchange]: { type: 'topic' } },
      queues: { [queue]: {} },
      bindings: [`${exchange}[*.orange.*,lazy.#] -> ${queue}`],
      publications: { out: { exchange } },
      subscriptions: { in: { queue } },
    });
    const inbox = await subscribe(made, 'in');
    for (const routingKey of ['a.orange.b', 'orange', 'lazy.x.y']) {
      await publish(made, 'out', [routingKey], { routingKey });
    }
    same(contents(await inbox.take(2)), ['a.orange.b', 'lazy.x.y'], 'topics');
  },
  confirms: async () => {
    const made = await broker(simple());
    await publish(made, 'out', bodies(100));
    same((await (await subscribe(made, 'in')).take(100)).length, 100, 'messages');
  },
  mandatory: async () => {
    const made = await broker({
      exchanges: { [exchange]: { type: 'direct' } },
      queues: {},
      publications: { out: { exchange, options: { mandatory: true } } },
      subscriptions: {},
    });
    const sent = await made.publish('out', 'x');
    const message = await new Promise((resolve) => sent.once('return', resolve));
    same(message.fields.replyCode, 312, 'return');
  },
  'ttl-dlx': async () => {
    const args = { messageTtl: 50, deadLetterExchange: '', deadLetterRoutingKey: dead };
    const made = await broker({
      queues: { [queue]: { options: args }, [dead]: {} },
      publications: toQueue,
      subscriptions: { in: { queue: dead } },
    });
    await publish(made, 'out', ['late']);
    const [{ message }] = await (await subscribe(made, 'in')).take(1);
    same(message.properties.headers['x-death'][0].reason, 'expired', 'x-death');
  },
  quorum: async () => {
    const args = {
      'x-queue-type': 'quorum',
      'x-delivery-limit': 2,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': dead,
    };
    const made = await broker({
      queues: { [queue]: { options: { arguments: args } }, [dead]: {} },
      publications: toQueue,
      subscriptions: { in: { queue }, dead: { queue: dead } },
    });
    const poisoned = await subscribe(made, 'in', (_message, ackOrNack) =>
      ackOrNack(new Error('poison'), [{ strategy: 'nack', requeue: true }]),
    );
    await publish(made, 'out', ['poison']);
    await (await subscribe(made, 'dead')).take(1);
    same(poisoned.items.length, 3, 'deliveries');
  },
  stream: async () => {
    const made = await broker({
      queues: { [queue]: { options: { arguments: { 'x-queue-type': 'stream' } } } },
      publications: toQueue,
      subscriptions: {
        in: { queue, prefetch: 100, options: { arguments: { 'x-stream-offset': 'first' } } },
      },
    });
    await publish(made, 'out', bodies(10));
    same(contents(await (await subscribe(made, 'in')).take(10)), bodies(10), 'from the first');
  },
  large: async () => {
    const made = await broker(simple());
    const body = Buffer.alloc(10 * MEGABYTE, 'abcdefg');
    await publish(made, 'out', [body]);
    const [{ content }] = await (await subscribe(made, 'in')).take(1);
    check(body.equals(content), 'content');
  },
};

await runCase(name, CASES);
