import type { Channel, Scenario, Session } from '../session.ts';
import type { FieldTable } from '../values.ts';

const Q = 'diff.q';
const DEAD = 'diff.dead';

/** A queue that dead-letters into another through a direct exchange of its own. */
async function deadLettering(s: Session, args: FieldTable = {}, durable = false): Promise<Channel> {
  const ch = await s.channel('a');
  await ch.call('exchange.declare', { exchange: 'diff.dlx', type: 'direct' });
  await ch.call('queue.declare', { queue: DEAD });
  for (const key of [Q, 'other']) {
    await ch.call('queue.bind', { queue: DEAD, exchange: 'diff.dlx', 'routing-key': key });
  }
  await ch.call('queue.declare', {
    queue: Q,
    durable,
    arguments: { 'x-dead-letter-exchange': { S: 'diff.dlx' }, ...args },
  });
  return ch;
}

const DEAD_LETTERS: readonly Scenario[] = [
  {
    name: 'dead letter/rejected',
    run: async (s) => {
      const ch = await deadLettering(s);
      ch.put(Q, 'x', { headers: { kept: { S: 'yes' } }, 'delivery-mode': 2, 'message-id': 'm' });
      await ch.get(Q);
      ch.send('basic.reject', { 'delivery-tag': 1 });
      await s.untilReady(DEAD, 1);
      await ch.get(DEAD);
    },
  },
  {
    name: 'dead letter/expired',
    run: async (s) => {
      const ch = await deadLettering(s, { 'x-message-ttl': { I: 20 } });
      ch.put(Q, 'by the queue');
      await s.untilReady(DEAD, 1);
      ch.put(Q, 'by itself', { expiration: '0' });
      await s.untilReady(DEAD, 2);
      await ch.get(DEAD);
      await ch.get(DEAD);
    },
  },
  {
    name: 'dead letter/too many',
    run: async (s) => {
      const ch = await deadLettering(s, { 'x-max-length': { I: 2 } });
      for (const body of ['1', '2', '3', '4']) ch.put(Q, body);
      await s.untilReady(DEAD, 2);
      for (let i = 0; i < 2; i++) await ch.get(DEAD);
      s.note((await ch.drain(Q)).join(' '));
    },
  },
  {
    name: 'dead letter/rejected by the queue',
    run: async (s) => {
      const ch = await deadLettering(s, {
        'x-max-length': { I: 1 },
        'x-overflow': { S: 'reject-publish-dlx' },
      });
      await ch.call('confirm.select');
      ch.put(Q, 'fits');
      await ch.expect('basic.ack');
      ch.put(Q, 'does not');
      await ch.expect('basic.nack');
      await s.untilReady(DEAD, 1);
      await ch.get(DEAD);
    },
  },
  {
    name: 'dead letter/another routing key',
    run: async (s) => {
      const ch = await deadLettering(s, { 'x-dead-letter-routing-key': { S: 'other' } });
      ch.put(Q, 'x', { headers: { CC: { A: [{ S: 'diff.none' }] } } });
      await ch.get(Q);
      ch.send('basic.nack', { 'delivery-tag': 1 });
      await s.untilReady(DEAD, 1);
      await ch.get(DEAD);
    },
  },
  {
    name: 'dead letter/counted when it comes back',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', {
        queue: 'diff.wait',
        arguments: {
          'x-message-ttl': { I: 20 },
          'x-dead-letter-exchange': { S: '' },
          'x-dead-letter-routing-key': { S: Q },
        },
      });
      await ch.call('queue.declare', {
        queue: Q,
        arguments: {
          'x-dead-letter-exchange': { S: '' },
          'x-dead-letter-routing-key': { S: 'diff.wait' },
        },
      });
      ch.put(Q, 'round');
      for (let round = 1; round <= 3; round++) {
        await s.untilReady(Q, 1);
        await ch.get(Q);
        ch.send('basic.reject', { 'delivery-tag': round });
      }
      await s.untilReady(Q, 1);
      await ch.get(Q, { 'no-ack': true });
    },
  },
  {
    name: 'dead letter/a cycle without a rejection ends',
    run: async (s) => {
      const ch = await s.channel('a');
      const next = (queue: string): FieldTable => ({
        'x-message-ttl': { I: 10 },
        'x-dead-letter-exchange': { S: '' },
        'x-dead-letter-routing-key': { S: queue },
      });
      await ch.call('queue.declare', { queue: 'diff.one', arguments: next('diff.two') });
      await ch.call('queue.declare', { queue: 'diff.two', arguments: next('diff.one') });
      ch.put('diff.one', 'round and round');
      await ch.quiet();
      await ch.call('queue.declare', { queue: 'diff.one', passive: true });
      await ch.call('queue.declare', { queue: 'diff.two', passive: true });
    },
  },
  {
    name: 'dead letter/exchange that is not there',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', {
        queue: Q,
        arguments: { 'x-dead-letter-exchange': { S: 'diff.none' } },
      });
      ch.put(Q, 'lost');
      await ch.get(Q);
      ch.send('basic.reject', { 'delivery-tag': 1 });
      await ch.get(Q);
    },
  },
];

const QUEUES: readonly Scenario[] = [
  {
    name: 'ttl/of the queue and of the message',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: Q, arguments: { 'x-message-ttl': { I: 60_000 } } });
      ch.put(Q, 'short', { expiration: '20' });
      await s.untilReady(Q, 0);
      ch.put(Q, 'stays', { expiration: '60000' });
      await ch.get(Q, { 'no-ack': true });
      await ch.call('queue.declare', {
        queue: 'diff.zero',
        arguments: { 'x-message-ttl': { I: 0 } },
      });
      ch.put('diff.zero', 'nobody there');
      await ch.get('diff.zero');
      await ch.call('basic.consume', { queue: 'diff.zero', 'consumer-tag': 'c', 'no-ack': true });
      ch.put('diff.zero', 'somebody there');
      await ch.expect('basic.deliver');
    },
  },
  {
    name: 'length/in messages and in bytes',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: Q, arguments: { 'x-max-length': { I: 3 } } });
      await ch.call('queue.declare', {
        queue: 'diff.bytes',
        arguments: { 'x-max-length-bytes': { I: 10 } },
      });
      for (const body of ['aaaa', 'bbbb', 'cccc', 'dddd', 'eeee']) {
        ch.put(Q, body);
        ch.put('diff.bytes', body);
      }
      ch.put('diff.bytes', 'longer than the queue');
      ch.put('diff.bytes', 'f');
      s.note((await ch.drain(Q)).join(' '));
      s.note((await ch.drain('diff.bytes')).join(' '));
    },
  },
  {
    name: 'priority/order',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: Q, arguments: { 'x-max-priority': { I: 5 } } });
      for (const [index, priority] of [1, 5, 0, 9, 3, 5].entries()) {
        ch.put(Q, `${priority} as number ${index}`, { priority });
      }
      ch.put(Q, 'none');
      s.note((await ch.drain(Q)).join(', '));
    },
  },
  {
    name: 'quorum/delivery count and limit',
    run: async (s) => {
      const ch = await deadLettering(
        s,
        { 'x-queue-type': { S: 'quorum' }, 'x-delivery-limit': { I: 2 } },
        true,
      );
      ch.put(Q, 'poison');
      await s.untilReady(Q, 1);
      for (let tag = 1; tag <= 3; tag++) {
        await ch.get(Q);
        ch.send('basic.reject', { 'delivery-tag': tag, requeue: true });
        if (tag < 3) await s.untilReady(Q, 1);
      }
      await s.untilReady(DEAD, 1);
      await ch.get(DEAD);
      await ch.call('queue.declare', { queue: Q, passive: true });
    },
  },
  {
    name: 'quorum/qos for the whole channel',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', {
        queue: Q,
        durable: true,
        arguments: { 'x-queue-type': { S: 'quorum' } },
      });
      await ch.call('basic.qos', { 'prefetch-count': 1, global: true });
      await ch.call('basic.consume', { queue: Q });
    },
  },
];

const STREAMS: readonly Scenario[] = [
  {
    name: 'stream/read twice from the first',
    run: async (s) => {
      const ch = await streamWith(s, 5);
      for (const [tag, offset] of Object.entries({ a: { S: 'first' }, b: { l: 3 } })) {
        await ch.call('basic.consume', {
          queue: Q,
          'consumer-tag': tag,
          arguments: { 'x-stream-offset': offset },
        });
        await ch.expect('basic.deliver', tag === 'a' ? 5 : 2);
      }
    },
  },
  {
    name: 'stream/from the end',
    run: async (s) => {
      const ch = await streamWith(s, 3);
      await ch.call('basic.consume', { queue: Q, 'consumer-tag': 'next' });
      ch.put(Q, 'new');
      await ch.expect('basic.deliver');
    },
  },
  {
    name: 'stream/what is refused',
    run: async (s) => {
      const declare = await s.channel('a', 1);
      await declare.call('queue.declare', {
        queue: Q,
        durable: true,
        arguments: { 'x-queue-type': { S: 'stream' } },
      });
      const consume = async (
        number: number,
        prefetch: number,
        args: Parameters<Channel['call']>[1],
      ): Promise<void> => {
        const ch = await s.channel('a', number);
        if (prefetch > 0) await ch.call('basic.qos', { 'prefetch-count': prefetch });
        await ch.call('basic.consume', { queue: Q, ...args });
      };
      await consume(2, 0, {});
      await consume(3, 10, { 'no-ack': true });
      await consume(4, 10, { arguments: { 'x-stream-offset': { S: 'nonsense' } } });
      await consume(5, 10, { exclusive: true });
      await (await s.channel('b', 1)).get(Q);
      await (await s.channel('c', 1)).call('queue.purge', { queue: Q });
    },
  },
];

async function streamWith(s: Session, count: number): Promise<Channel> {
  const ch = await s.channel('a');
  await ch.call('queue.declare', {
    queue: Q,
    durable: true,
    arguments: { 'x-queue-type': { S: 'stream' } },
  });
  await ch.call('confirm.select');
  for (let i = 0; i < count; i++) ch.put(Q, `entry ${i}`);
  for (let i = 0; i < count; i++) await s.untilReady(Q, count);
  await ch.quiet();
  await ch.call('basic.qos', { 'prefetch-count': 100 });
  return ch;
}

export const FEATURE_SCENARIOS: readonly Scenario[] = [...DEAD_LETTERS, ...QUEUES, ...STREAMS];
