import { textOf, type Arguments } from '../frames.ts';
import type { Channel, Scenario } from '../session.ts';

const Q = 'diff.q';

async function filled(ch: Channel, ...bodies: readonly string[]): Promise<void> {
  await ch.call('queue.declare', { queue: Q });
  for (const body of bodies) ch.put(Q, body);
}

const GETTING: readonly Scenario[] = [
  {
    name: 'get/counts down to empty',
    run: async (s) => {
      const ch = await s.channel('a');
      await filled(ch, '1', '2', '3');
      for (let i = 0; i < 4; i++) await ch.get(Q);
      ch.send('basic.ack', { 'delivery-tag': 3, multiple: true });
      await ch.call('queue.declare', { queue: Q });
    },
  },
  {
    name: 'get/unknown queue',
    run: async (s) => {
      await (await s.channel('a')).get('diff.none');
    },
  },
  {
    name: 'get/redelivered after reject, nack, recover and channel close',
    run: async (s) => {
      const ch = await s.channel('a');
      await filled(ch, 'again');
      await ch.get(Q);
      ch.send('basic.reject', { 'delivery-tag': 1, requeue: true });
      await ch.get(Q);
      ch.send('basic.nack', { 'delivery-tag': 2, requeue: true });
      await ch.get(Q);
      await ch.call('basic.recover', { requeue: true });
      await ch.get(Q);
      await ch.call('channel.close', { 'reply-code': 200 });
      await s.untilReady(Q, 1);
      await ch.call('channel.open');
      await ch.get(Q);
      ch.send('basic.reject', { 'delivery-tag': 1, requeue: false });
      await ch.get(Q);
    },
  },
  {
    name: 'get/order after requeueing several',
    run: async (s) => {
      const ch = await s.channel('a');
      await filled(ch, '1', '2', '3', '4', '5');
      for (let i = 0; i < 4; i++) await ch.get(Q);
      ch.send('basic.nack', { 'delivery-tag': 2, requeue: true });
      ch.send('basic.nack', { 'delivery-tag': 4, multiple: true, requeue: true });
      for (let i = 0; i < 6; i++) await ch.get(Q, { 'no-ack': true });
    },
  },
];

/** What acknowledges something that is not there. */
function wrongTag(name: string, method: string, args: Arguments): Scenario {
  return {
    name: `ack/${name}`,
    run: async (s) => {
      const ch = await s.channel('a');
      await filled(ch, '1', '2');
      await ch.get(Q);
      await ch.get(Q);
      ch.send('basic.ack', { 'delivery-tag': 1 });
      ch.send(method, args);
      await ch.sync();
      await s.untilReady(Q, method === 'basic.ack' && args['multiple'] === true ? 0 : 1);
    },
  };
}

const ACKNOWLEDGING: readonly Scenario[] = [
  wrongTag('unknown tag', 'basic.ack', { 'delivery-tag': 99 }),
  wrongTag('tag twice', 'basic.ack', { 'delivery-tag': 1 }),
  wrongTag('tag of zero', 'basic.ack', { 'delivery-tag': 0 }),
  wrongTag('reject of an unknown tag', 'basic.reject', { 'delivery-tag': 99 }),
  wrongTag('nack of an unknown tag', 'basic.nack', { 'delivery-tag': 99, requeue: true }),
  wrongTag('all of them', 'basic.ack', { 'delivery-tag': 0, multiple: true }),
  {
    name: 'ack/multiple of nothing',
    run: async (s) => {
      const ch = await s.channel('a');
      ch.send('basic.ack', { 'delivery-tag': 0, multiple: true });
      await ch.sync();
      ch.send('basic.ack', { 'delivery-tag': 5, multiple: true });
      await ch.sync();
    },
  },
  {
    name: 'ack/recover',
    run: async (s) => {
      const ch = await s.channel('a');
      await filled(ch, '1', '2');
      await ch.call('basic.consume', { queue: Q, 'consumer-tag': 'c' });
      await ch.expect('basic.deliver', 2);
      await ch.call('basic.recover', { requeue: true });
      await ch.expect('basic.deliver', 2);
      ch.send('basic.recover-async', { requeue: true });
      await ch.expect('basic.deliver', 2);
      await ch.call('basic.recover', { requeue: false });
    },
  },
];

const CONSUMERS: readonly Scenario[] = [
  {
    name: 'consume/and cancel',
    run: async (s) => {
      const ch = await s.channel('a');
      await filled(ch, '1');
      await ch.call('basic.consume', { queue: Q, 'consumer-tag': 'mine' });
      await ch.expect('basic.deliver');
      await ch.call('basic.cancel', { 'consumer-tag': 'mine' });
      ch.send('basic.ack', { 'delivery-tag': 1 });
      await ch.call('basic.cancel', { 'consumer-tag': 'mine' });
      await ch.call('basic.cancel', { 'consumer-tag': 'never there' });
      await ch.call('queue.declare', { queue: Q, passive: true });
    },
  },
  {
    name: 'consume/unknown queue',
    run: async (s) => {
      await (await s.channel('a')).call('basic.consume', { queue: 'diff.none' });
    },
  },
  {
    name: 'consume/tag in use',
    run: async (s) => {
      const ch = await s.channel('a');
      await filled(ch);
      await ch.call('basic.consume', { queue: Q, 'consumer-tag': 'twice' });
      const other = await s.channel('a', 2);
      await other.call('basic.consume', { queue: Q, 'consumer-tag': 'twice' });
      await ch.call('basic.consume', { queue: Q, 'consumer-tag': 'twice' });
    },
  },
  {
    name: 'consume/tags made by the server, and no-wait',
    run: async (s) => {
      const ch = await s.channel('a');
      await filled(ch);
      await ch.call('basic.consume', { queue: Q });
      ch.send('basic.consume', { queue: Q, 'consumer-tag': 'silent', 'no-wait': true });
      await ch.call('queue.declare', { queue: Q, passive: true });
      ch.send('basic.cancel', { 'consumer-tag': 'silent', 'no-wait': true });
      await ch.call('queue.declare', { queue: Q, passive: true });
    },
  },
  {
    name: 'consume/exclusively',
    run: async (s) => {
      const ch = await s.channel('a');
      await filled(ch);
      await ch.call('basic.consume', { queue: Q, 'consumer-tag': 'only', exclusive: true });
      const refused = await s.channel('b', 1);
      await refused.call('basic.consume', { queue: Q });
      await ch.call('basic.cancel', { 'consumer-tag': 'only' });
      await ch.call('basic.consume', { queue: Q, 'consumer-tag': 'shared' });
      const late = await s.channel('b', 2);
      await late.call('basic.consume', { queue: Q, exclusive: true });
    },
  },
  {
    name: 'consume/without acknowledgement',
    run: async (s) => {
      const ch = await s.channel('a');
      await filled(ch, '1', '2', '3');
      await ch.call('basic.consume', { queue: Q, 'consumer-tag': 'c', 'no-ack': true });
      await ch.expect('basic.deliver', 3);
      await ch.call('queue.declare', { queue: Q, passive: true });
      ch.send('basic.ack', { 'delivery-tag': 1 });
      await ch.sync();
    },
  },
  {
    name: 'consume/with priority',
    run: async (s) => {
      const ch = await s.channel('a');
      await filled(ch);
      const consume = async (tag: string, priority: number): Promise<void> => {
        const args = { 'x-priority': { I: priority } };
        await ch.call('basic.consume', { queue: Q, 'consumer-tag': tag, arguments: args });
      };
      await ch.call('basic.qos', { 'prefetch-count': 1 });
      await consume('low', -1);
      await consume('high', 5);
      const other = await s.channel('b');
      other.put(Q, 'first to high');
      await ch.expect('basic.deliver');
      other.put(Q, 'then to low');
      await ch.expect('basic.deliver');
    },
  },
  {
    name: 'consume/with a priority that is no number',
    run: async (s) => {
      const ch = await s.channel('a');
      await filled(ch);
      const args = { 'x-priority': { S: 'high' } };
      await ch.call('basic.consume', { queue: Q, arguments: args });
    },
  },
  {
    name: 'consume/single active consumer',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', {
        queue: Q,
        arguments: { 'x-single-active-consumer': { t: true } },
      });
      await ch.call('basic.consume', { queue: Q, 'consumer-tag': 'first', 'no-ack': true });
      await ch.call('basic.consume', { queue: Q, 'consumer-tag': 'second', 'no-ack': true });
      for (const body of ['1', '2', '3']) ch.put(Q, body);
      await ch.expect('basic.deliver', 3);
      await ch.call('basic.cancel', { 'consumer-tag': 'first' });
      ch.put(Q, '4');
      await ch.expect('basic.deliver');
      const exclusive = await s.channel('a', 2);
      await exclusive.call('basic.consume', { queue: Q, exclusive: true });
      const getter = await s.channel('a', 3);
      await getter.get(Q);
    },
  },
];

const LIMITS: readonly Scenario[] = [
  {
    name: 'qos/per consumer',
    run: async (s) => {
      const ch = await s.channel('a');
      await filled(ch, '1', '2', '3', '4', '5');
      await ch.call('basic.qos', { 'prefetch-count': 2 });
      await ch.call('basic.consume', { queue: Q, 'consumer-tag': 'c' });
      await ch.expect('basic.deliver', 2);
      await ch.quiet();
      ch.send('basic.ack', { 'delivery-tag': 2, multiple: true });
      await ch.expect('basic.deliver', 2);
      ch.send('basic.reject', { 'delivery-tag': 3 });
      await ch.expect('basic.deliver');
    },
  },
  {
    name: 'qos/per channel',
    run: async (s) => {
      const ch = await s.channel('a');
      await filled(ch, '1', '2', '3', '4', '5');
      await ch.call('basic.qos', { 'prefetch-count': 3, global: true });
      await ch.call('basic.qos', { 'prefetch-count': 2 });
      await ch.call('basic.consume', { queue: Q, 'consumer-tag': 'c' });
      await ch.expect('basic.deliver', 2);
      await ch.call('basic.consume', { queue: Q, 'consumer-tag': 'd' });
      await ch.expect('basic.deliver', 1);
      await ch.quiet();
      await ch.call('basic.qos', { 'prefetch-count': 4, global: true });
      await ch.expect('basic.deliver', 1);
    },
  },
  {
    name: 'qos/in octets',
    run: async (s) => {
      await (await s.channel('a')).call('basic.qos', { 'prefetch-size': 1000 });
    },
  },
];

const REPLIES: readonly Scenario[] = [
  {
    name: 'reply-to/request and reply',
    run: async (s) => {
      const client = await s.channel('client');
      const server = await s.channel('server');
      await server.call('queue.declare', { queue: Q });
      await client.call('basic.consume', {
        queue: 'amq.rabbitmq.reply-to',
        'no-ack': true,
        'consumer-tag': 'c',
      });
      client.put(Q, 'question', { 'reply-to': 'amq.rabbitmq.reply-to', 'correlation-id': '1' });
      await s.untilReady(Q, 1);
      const request = await server.get(Q, { 'no-ack': true });
      const replyTo = textOf(request.content?.properties['reply-to']);
      await server.call('queue.declare', { queue: replyTo, passive: true });
      server.publish({ 'routing-key': replyTo, mandatory: true }, 'answer', {
        'correlation-id': '1',
      });
      await client.expect('basic.deliver');
      await client.call('basic.cancel', { 'consumer-tag': 'c' });
      server.publish({ 'routing-key': replyTo, mandatory: true }, 'too late');
      await server.expect('basic.return');
      const asker = await s.channel('server', 2);
      await asker.call('queue.declare', { queue: replyTo, passive: true });
    },
  },
  {
    name: 'reply-to/what is refused',
    run: async (s) => {
      const queue = 'amq.rabbitmq.reply-to';
      const noConsumer = await s.channel('a', 1);
      noConsumer.put(Q, 'x', { 'reply-to': queue });
      await noConsumer.expect('channel.close');
      const withAck = await s.channel('a', 2);
      await withAck.call('basic.consume', { queue });
      const twice = await s.channel('a', 3);
      await twice.call('basic.consume', { queue, 'no-ack': true, 'consumer-tag': '1' });
      await twice.call('basic.consume', { queue, 'no-ack': true, 'consumer-tag': '2' });
      const declared = await s.channel('a', 4);
      await declared.call('queue.declare', { queue });
      const passive = await s.channel('a', 5);
      await passive.call('queue.declare', { queue: `${queue}.nonsense`, passive: true });
    },
  },
];

export const CONSUMING_SCENARIOS: readonly Scenario[] = [
  ...GETTING,
  ...ACKNOWLEDGING,
  ...CONSUMERS,
  ...LIMITS,
  ...REPLIES,
];
