import type { Arguments } from '../frames.ts';
import type { Scenario, Session } from '../session.ts';
import type { FieldTable, FieldValue } from '../values.ts';

/** Each call on a channel of its own, because a refusal closes the channel. */
async function attempts(
  s: Session,
  client: string,
  calls: readonly (readonly [name: string, args: Arguments])[],
): Promise<void> {
  for (const [index, [name, args]] of calls.entries()) {
    const ch = await s.channel(client, 10 + index);
    await ch.call(name, args);
  }
}

const declares = (variants: readonly Arguments[]): (readonly [name: string, args: Arguments])[] =>
  variants.map((args) => ['queue.declare', args] as const);

const REFUSED_ARGUMENTS: readonly FieldTable[] = [
  { 'x-message-ttl': { I: -1 } },
  { 'x-message-ttl': { S: '1000' } },
  { 'x-expires': { I: 0 } },
  { 'x-max-length': { I: -1 } },
  { 'x-max-length-bytes': { S: 'x' } },
  { 'x-max-priority': { I: 300 } },
  { 'x-max-priority': { I: -1 } },
  { 'x-overflow': { S: 'sink' } },
  { 'x-dead-letter-exchange': { I: 1 } },
  { 'x-dead-letter-routing-key': { S: 'k' } },
  { 'x-queue-type': { S: 'nonsense' } },
  { 'x-queue-mode': { S: 'nonsense' } },
  { 'x-single-active-consumer': { S: 'yes' } },
];

const DECLARING: readonly Scenario[] = [
  {
    name: 'queue/declare, passive and counts',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: 'diff.q' });
      ch.put('diff.q', '1');
      ch.put('diff.q', '2');
      await s.untilReady('diff.q', 2);
      await ch.call('queue.declare', { queue: 'diff.q' });
      await ch.get('diff.q');
      await ch.call('queue.declare', { queue: 'diff.q', passive: true });
      await ch.call('basic.consume', { queue: 'diff.q', 'consumer-tag': 'c' });
      await ch.expect('basic.deliver');
      await ch.call('queue.declare', { queue: 'diff.q', passive: true });
      // Passive asks for nothing but the name.
      await ch.call('queue.declare', {
        queue: 'diff.q',
        passive: true,
        durable: true,
        'auto-delete': true,
      });
      await ch.call('queue.declare', { queue: 'diff.none', passive: true });
    },
  },
  {
    name: 'queue/named by the server',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { exclusive: true });
      await ch.call('queue.declare', { exclusive: true });
      await ch.call('queue.bind', { exchange: 'amq.direct', 'routing-key': 'k' });
      await ch.call('queue.bind', { exchange: 'amq.direct' });
      await ch.call('basic.consume', {});
      ch.publish({ exchange: 'amq.direct', mandatory: true }, 'its name became the key');
      await ch.expect('basic.return');
      ch.publish({ exchange: 'amq.direct', 'routing-key': 'k' }, 'to the last one declared');
      await ch.expect('basic.deliver');
      await ch.call('queue.purge', {});
      await ch.call('queue.delete', {});
      await ch.expect('basic.cancel');
    },
  },
  {
    name: 'queue/no name and none declared',
    run: async (s) => {
      await attempts(s, 'a', [
        ['queue.bind', { exchange: 'amq.direct' }],
        ['queue.purge', {}],
        ['queue.delete', {}],
        ['basic.consume', {}],
        ['basic.get', {}],
        ['queue.unbind', { exchange: 'amq.direct' }],
        ['queue.declare', { passive: true }],
      ]);
    },
  },
  {
    name: 'queue/declare again with something else',
    run: async (s) => {
      const ch = await s.channel('a');
      const queue = 'diff.q';
      await ch.call('queue.declare', { queue });
      await attempts(s, 'a', [
        ...declares([
          { queue, durable: true },
          { queue, 'auto-delete': true },
          { queue, exclusive: true },
          { queue, arguments: { 'x-message-ttl': { I: 1000 } } },
          { queue, arguments: { 'x-max-length': { I: 10 } } },
          { queue, arguments: { 'x-queue-type': { S: 'classic' } } },
          { queue, arguments: { 'x-queue-type': { S: 'quorum' } } },
          { queue, arguments: { 'x-anything': { S: 'else' } } },
        ]),
      ]);
    },
  },
  {
    name: 'queue/arguments declared again',
    run: async (s) => {
      const ch = await s.channel('a');
      const queue = 'diff.q';
      const all = (ttl: FieldValue): FieldTable => ({
        'x-message-ttl': ttl,
        'x-expires': { I: 600_000 },
        'x-max-length': { I: 5 },
        'x-overflow': { S: 'drop-head' },
        'x-dead-letter-exchange': { S: 'amq.fanout' },
        'x-max-priority': { b: 3 },
      });
      await ch.call('queue.declare', { queue, arguments: all({ I: 60_000 }) });
      await attempts(
        s,
        'a',
        declares([
          { queue, arguments: all({ I: 60_000 }) },
          { queue, arguments: all({ l: 60_000 }) },
          { queue, arguments: all({ s: 30_000 }) },
          { queue, arguments: { 'x-message-ttl': { I: 60_000 } } },
          { queue, arguments: { ...all({ I: 60_000 }), 'x-overflow': { S: 'reject-publish' } } },
          { queue, arguments: { ...all({ I: 60_000 }), 'x-dead-letter-exchange': { S: '' } } },
          { queue },
        ]),
      );
    },
  },
  {
    name: 'queue/arguments that are refused',
    run: async (s) => {
      await attempts(
        s,
        'a',
        declares(REFUSED_ARGUMENTS.map((args) => ({ queue: 'diff.q', arguments: args }))),
      );
    },
  },
  {
    name: 'queue/quorum and stream cannot be everything',
    run: async (s) => {
      const quorum: FieldTable = { 'x-queue-type': { S: 'quorum' } };
      const stream: FieldTable = { 'x-queue-type': { S: 'stream' } };
      const queue = 'diff.q';
      await attempts(
        s,
        'a',
        declares([
          { queue, arguments: quorum },
          { queue, durable: true, exclusive: true, arguments: quorum },
          { queue, durable: true, 'auto-delete': true, arguments: quorum },
          { queue: '', durable: true, arguments: quorum },
          { queue, durable: true, arguments: { ...quorum, 'x-max-priority': { I: 5 } } },
          { queue, durable: true, arguments: { ...quorum, 'x-max-age': { S: '1h' } } },
          { queue, arguments: stream },
          { queue, durable: true, exclusive: true, arguments: stream },
          { queue, durable: true, arguments: { ...stream, 'x-message-ttl': { I: 1 } } },
        ]),
      );
    },
  },
  {
    name: 'queue/stream with an x-max-age that is no time',
    run: async (s) => {
      const stream: FieldTable = { 'x-queue-type': { S: 'stream' }, 'x-max-age': { S: 'soon' } };
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: 'diff.q', durable: true, arguments: stream });
    },
  },
  {
    name: 'queue/leader locator that is none',
    run: async (s) => {
      const args: FieldTable = { 'x-queue-master-locator': { S: 'nonsense' } };
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: 'diff.q', arguments: args });
    },
  },
  {
    name: 'queue/reserved and long names',
    run: async (s) => {
      await attempts(s, 'a', [
        ['queue.declare', { queue: 'amq.something' }],
        ['queue.declare', { queue: 'amq.something', passive: true }],
        ['queue.declare', { queue: `diff.${'x'.repeat(250)}` }],
        ['queue.delete', { queue: `diff.${'x'.repeat(250)}` }],
        ['queue.declare', { queue: 'diff. spaced ünïcode/#*' }],
      ]);
    },
  },
  {
    name: 'queue/without an answer',
    run: async (s) => {
      const ch = await s.channel('a');
      ch.send('queue.declare', { queue: 'diff.q', 'no-wait': true });
      ch.send('queue.bind', { queue: 'diff.q', exchange: 'amq.direct', 'no-wait': true });
      ch.publish({ exchange: 'amq.direct' }, 'bound');
      ch.send('queue.purge', { queue: 'diff.q', 'no-wait': true });
      await ch.call('queue.declare', { queue: 'diff.q', passive: true });
      ch.send('queue.delete', { queue: 'diff.q', 'no-wait': true });
      await ch.call('queue.declare', { queue: 'diff.q', passive: true });
    },
  },
];

const DELETING: readonly Scenario[] = [
  {
    name: 'queue/delete if-unused and if-empty',
    run: async (s) => {
      const ch = await s.channel('a');
      const queue = 'diff.q';
      await ch.call('queue.declare', { queue });
      await ch.call('basic.consume', { queue, 'consumer-tag': 'c' });
      await attempts(s, 'a', [['queue.delete', { queue, 'if-unused': true }]]);
      await ch.call('basic.cancel', { 'consumer-tag': 'c' });
      ch.put(queue, '1');
      ch.put(queue, '2');
      await s.untilReady(queue, 2);
      await attempts(s, 'b', [['queue.delete', { queue, 'if-empty': true }]]);
      await ch.get(queue);
      await ch.call('queue.delete', { queue, 'if-unused': true });
      await ch.call('queue.delete', { queue });
      await ch.call('queue.delete', { queue: 'diff.none', 'if-unused': true, 'if-empty': true });
    },
  },
  {
    name: 'queue/purge',
    run: async (s) => {
      const ch = await s.channel('a');
      const queue = 'diff.q';
      await ch.call('queue.declare', { queue });
      for (const body of ['1', '2', '3']) ch.put(queue, body);
      await ch.get(queue);
      await ch.call('queue.purge', { queue });
      await ch.call('queue.purge', { queue });
      ch.send('basic.reject', { 'delivery-tag': 1, requeue: true });
      await ch.get(queue);
      await attempts(s, 'a', [['queue.purge', { queue: 'diff.none' }]]);
    },
  },
  {
    name: 'queue/auto-delete',
    run: async (s) => {
      const ch = await s.channel('a');
      const queue = 'diff.q';
      await ch.call('queue.declare', { queue, 'auto-delete': true });
      ch.put(queue, 'got before anybody consumes');
      await ch.get(queue, { 'no-ack': true });
      await ch.call('basic.consume', { queue, 'consumer-tag': '1' });
      await ch.call('basic.consume', { queue, 'consumer-tag': '2' });
      await ch.call('basic.cancel', { 'consumer-tag': '1' });
      await ch.call('queue.declare', { queue, passive: true });
      await ch.call('basic.cancel', { 'consumer-tag': '2' });
      await s.untilGone(queue);
      await ch.call('queue.declare', { queue, passive: true });
    },
  },
  {
    name: 'queue/exclusive',
    run: async (s) => {
      const queue = 'diff.q';
      const owner = await s.channel('owner');
      await owner.call('queue.declare', { queue, exclusive: true });
      await owner.call('queue.declare', { queue, exclusive: true });
      await owner.call('basic.consume', { queue, 'consumer-tag': 'c' });
      owner.put(queue, 'mine');
      await owner.expect('basic.deliver');
      await attempts(s, 'other', [
        ['queue.declare', { queue, exclusive: true }],
        ['queue.declare', { queue }],
        ['queue.declare', { queue, passive: true }],
        ['queue.bind', { queue, exchange: 'amq.direct' }],
        ['queue.unbind', { queue, exchange: 'amq.direct' }],
        ['basic.consume', { queue }],
        ['basic.get', { queue }],
        ['queue.purge', { queue }],
        ['queue.delete', { queue }],
      ]);
      s.clients.get('owner')?.send(0, 'connection.close', { 'reply-code': 200 });
      await s.clients.get('owner')?.next(0, ['connection.close-ok']);
      await s.clients.get('owner')?.close();
      await s.untilGone(queue);
      const again = await s.channel('other', 40);
      await again.call('queue.declare', { queue });
    },
  },
  {
    name: 'queue/consumers hear that it was deleted',
    run: async (s) => {
      const queue = 'diff.q';
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue });
      await ch.call('basic.consume', { queue, 'consumer-tag': 'c' });
      const plain = await s.open('plain', { clientProperties: {} });
      const quiet = await s.channel('plain');
      await quiet.call('basic.consume', { queue, 'consumer-tag': 'p' });
      const other = await s.channel('b');
      await other.call('queue.delete', { queue });
      await ch.expect('basic.cancel');
      plain.send(1, 'basic.cancel', { 'consumer-tag': 'p' });
      await plain.next(1, ['basic.cancel-ok']);
    },
  },
  {
    name: 'queue/expires when nobody uses it',
    run: async (s) => {
      const queue = 'diff.q';
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue, arguments: { 'x-expires': { I: 300 } } });
      await ch.quiet();
      await ch.quiet();
      await ch.quiet();
      await ch.quiet();
      await ch.quiet();
      await ch.call('queue.declare', { queue, passive: true });
    },
  },
];

export const QUEUE_SCENARIOS: readonly Scenario[] = [...DECLARING, ...DELETING];
