import type { Arguments } from '../frames.ts';
import type { Channel, Scenario, Session } from '../session.ts';
import type { FieldTable, FieldValue } from '../values.ts';

/** The call on a channel of its own, because a refusal closes the channel. */
async function attempt(s: Session, number: number, name: string, args: Arguments): Promise<void> {
  const ch = await s.channel('a', number);
  await ch.call(name, args);
}

async function attempts(
  s: Session,
  name: string,
  variants: readonly Arguments[],
  from = 10,
): Promise<void> {
  for (const [index, args] of variants.entries()) await attempt(s, from + index, name, args);
}

async function queueOn(
  ch: Channel,
  queue: string,
  exchange: string,
  keys: readonly string[],
  args: FieldTable = {},
): Promise<void> {
  await ch.call('queue.declare', { queue });
  for (const key of keys) {
    await ch.call('queue.bind', { queue, exchange, 'routing-key': key, arguments: args });
  }
}

const DECLARING: readonly Scenario[] = [
  {
    name: 'exchange/declare each type, twice',
    run: async (s) => {
      const ch = await s.channel('a');
      for (const type of ['direct', 'fanout', 'topic', 'headers']) {
        const exchange = `diff.${type}`;
        await ch.call('exchange.declare', { exchange, type });
        await ch.call('exchange.declare', { exchange, type });
        await ch.call('exchange.declare', { exchange, passive: true });
      }
    },
  },
  {
    name: 'exchange/declare again with something else',
    run: async (s) => {
      const ch = await s.channel('a');
      const exchange = 'diff.x';
      await ch.call('exchange.declare', { exchange, type: 'direct' });
      await attempts(s, 'exchange.declare', [
        { exchange, type: 'fanout' },
        { exchange, type: 'direct', durable: true },
        { exchange, type: 'direct', 'auto-delete': true },
        { exchange, type: 'direct', internal: true },
        { exchange, type: 'direct', arguments: { 'alternate-exchange': { S: 'amq.fanout' } } },
        { exchange, type: 'direct', arguments: { 'x-anything': { S: 'else' } } },
      ]);
    },
  },
  {
    name: 'exchange/names and types that are refused',
    run: async (s) => {
      await attempts(s, 'exchange.declare', [
        { exchange: 'diff.none', passive: true },
        { exchange: 'diff.none', type: 'no-such-type' },
        { exchange: 'amq.something', type: 'direct' },
        { exchange: '', type: 'direct' },
        { exchange: 'amq.direct', type: 'fanout' },
        { exchange: 'diff.none', type: 'direct', arguments: { 'alternate-exchange': { I: 1 } } },
      ]);
      await attempt(s, 30, 'exchange.declare', {
        exchange: 'amq.direct',
        type: 'direct',
        durable: true,
      });
      await attempt(s, 31, 'exchange.declare', { exchange: '', passive: true });
    },
  },
  {
    name: 'exchange/default exchange and predeclared ones',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: 'diff.q' });
      await attempt(s, 10, 'exchange.delete', { exchange: '' });
      await attempt(s, 11, 'exchange.delete', { exchange: 'amq.direct' });
      await attempt(s, 12, 'queue.bind', { queue: 'diff.q', exchange: '', 'routing-key': 'k' });
      await attempt(s, 13, 'queue.unbind', {
        queue: 'diff.q',
        exchange: '',
        'routing-key': 'diff.q',
      });
      await attempt(s, 14, 'exchange.bind', { destination: 'amq.fanout', source: '' });
      await attempt(s, 15, 'exchange.bind', { destination: '', source: 'amq.fanout' });
      for (const exchange of [
        'amq.direct',
        'amq.fanout',
        'amq.topic',
        'amq.headers',
        'amq.match',
      ]) {
        await ch.call('exchange.declare', { exchange, passive: true });
      }
    },
  },
  {
    name: 'exchange/delete',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('exchange.delete', { exchange: 'diff.none' });
      await ch.call('exchange.declare', { exchange: 'diff.x', type: 'fanout' });
      await queueOn(ch, 'diff.q', 'diff.x', ['']);
      await attempt(s, 10, 'exchange.delete', { exchange: 'diff.x', 'if-unused': true });
      await ch.call('queue.unbind', { queue: 'diff.q', exchange: 'diff.x' });
      await ch.call('exchange.delete', { exchange: 'diff.x', 'if-unused': true });
      await attempt(s, 11, 'exchange.delete', { exchange: 'diff.none', 'if-unused': true });
    },
  },
  {
    name: 'exchange/without an answer',
    run: async (s) => {
      const ch = await s.channel('a');
      ch.send('exchange.declare', { exchange: 'diff.x', type: 'fanout', 'no-wait': true });
      ch.send('exchange.bind', { destination: 'diff.x', source: 'amq.fanout', 'no-wait': true });
      await ch.call('exchange.declare', { exchange: 'diff.x', passive: true });
      ch.send('exchange.delete', { exchange: 'diff.x', 'no-wait': true });
      await ch.call('exchange.declare', { exchange: 'diff.x', passive: true });
    },
  },
  {
    name: 'exchange/auto-delete',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('exchange.declare', {
        exchange: 'diff.x',
        type: 'fanout',
        'auto-delete': true,
      });
      await queueOn(ch, 'diff.q', 'diff.x', ['1', '2']);
      await ch.call('queue.unbind', { queue: 'diff.q', exchange: 'diff.x', 'routing-key': '1' });
      await ch.call('exchange.declare', { exchange: 'diff.x', passive: true });
      await ch.call('queue.unbind', { queue: 'diff.q', exchange: 'diff.x', 'routing-key': '2' });
      await ch.call('exchange.declare', { exchange: 'diff.x', passive: true });
    },
  },
];

const BINDING: readonly Scenario[] = [
  {
    name: 'binding/unknown ends',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: 'diff.q' });
      await attempt(s, 10, 'queue.bind', { queue: 'diff.none', exchange: 'amq.direct' });
      await attempt(s, 11, 'queue.bind', { queue: 'diff.q', exchange: 'diff.none' });
      await attempt(s, 12, 'queue.bind', { queue: 'diff.none', exchange: 'diff.none' });
      await attempt(s, 13, 'queue.unbind', { queue: 'diff.none', exchange: 'amq.direct' });
      await attempt(s, 14, 'queue.unbind', { queue: 'diff.q', exchange: 'diff.none' });
      await attempt(s, 15, 'exchange.bind', { destination: 'diff.none', source: 'amq.direct' });
      await attempt(s, 16, 'exchange.bind', { destination: 'amq.direct', source: 'diff.none' });
      await attempt(s, 17, 'exchange.unbind', { destination: 'diff.none', source: 'amq.direct' });
      await ch.call('queue.unbind', {
        queue: 'diff.q',
        exchange: 'amq.direct',
        'routing-key': 'none',
      });
      await ch.call('exchange.unbind', { destination: 'amq.direct', source: 'amq.topic' });
    },
  },
  {
    name: 'binding/the same twice delivers once',
    run: async (s) => {
      const ch = await s.channel('a');
      await queueOn(ch, 'diff.q', 'amq.direct', ['k', 'k', 'l']);
      ch.publish({ exchange: 'amq.direct', 'routing-key': 'k' }, 'once');
      await ch.drain('diff.q');
      await ch.call('queue.unbind', {
        queue: 'diff.q',
        exchange: 'amq.direct',
        'routing-key': 'k',
      });
      ch.publish({ exchange: 'amq.direct', 'routing-key': 'k' }, 'never');
      ch.publish({ exchange: 'amq.direct', 'routing-key': 'l' }, 'other key');
      await ch.drain('diff.q');
    },
  },
  {
    name: 'binding/exchange to exchange',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('exchange.declare', { exchange: 'diff.source', type: 'topic' });
      await ch.call('exchange.declare', { exchange: 'diff.target', type: 'fanout' });
      await ch.call('exchange.bind', {
        destination: 'diff.target',
        source: 'diff.source',
        'routing-key': 'a.#',
      });
      await queueOn(ch, 'diff.q', 'diff.target', ['']);
      await ch.call('queue.bind', {
        queue: 'diff.q',
        exchange: 'diff.source',
        'routing-key': '#.b',
      });
      for (const key of ['a', 'a.b', 'c.b', 'c']) {
        ch.publish({ exchange: 'diff.source', 'routing-key': key }, key);
      }
      await ch.drain('diff.q');
      await ch.call('exchange.unbind', {
        destination: 'diff.target',
        source: 'diff.source',
        'routing-key': 'a.#',
      });
      ch.publish({ exchange: 'diff.source', 'routing-key': 'a' }, 'unbound');
      await ch.drain('diff.q');
    },
  },
  {
    name: 'binding/cycle of exchanges',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('exchange.declare', { exchange: 'diff.one', type: 'fanout' });
      await ch.call('exchange.declare', { exchange: 'diff.two', type: 'fanout' });
      await ch.call('exchange.bind', { destination: 'diff.two', source: 'diff.one' });
      await ch.call('exchange.bind', { destination: 'diff.one', source: 'diff.two' });
      await queueOn(ch, 'diff.q', 'diff.two', ['']);
      ch.publish({ exchange: 'diff.one' }, 'once');
      await ch.drain('diff.q');
    },
  },
];

const TOPICS = ['a', 'a.b', 'a.b.c', 'b', 'a..c', '', '.', 'a.b.c.d'];
const PATTERNS = [
  '#',
  '*',
  'a.*',
  'a.#',
  '*.b.*',
  '#.c',
  'a.#.c',
  '#.#',
  '*.#.*',
  'a.*.c',
  '',
  '*.*',
];

const matching =
  (s: Session, exchange: string, tables: readonly FieldTable[]) =>
  async (bindings: readonly FieldTable[]): Promise<void> => {
    const ch = await s.channel('a');
    for (const [index, binding] of bindings.entries()) {
      await queueOn(ch, `diff.q${index}`, exchange, [''], binding);
    }
    for (const [index, headers] of tables.entries()) {
      ch.publish({ exchange }, `message ${index}`, { headers });
    }
    for (const [index, binding] of bindings.entries()) {
      const bodies = await ch.drain(`diff.q${index}`);
      s.note(`${JSON.stringify(binding)} takes ${bodies.join(', ')}`);
    }
  };

const ROUTING: readonly Scenario[] = [
  {
    name: 'routing/topic patterns',
    run: async (s) => {
      const ch = await s.channel('a');
      for (const [index, pattern] of PATTERNS.entries()) {
        await queueOn(ch, `diff.q${index}`, 'amq.topic', [pattern]);
      }
      for (const key of TOPICS) ch.publish({ exchange: 'amq.topic', 'routing-key': key }, key);
      for (const [index, pattern] of PATTERNS.entries()) {
        s.note(`'${pattern}' takes '${(await ch.drain(`diff.q${index}`)).join("', '")}'`);
      }
    },
  },
  {
    name: 'routing/headers',
    run: async (s) => {
      const one: FieldValue = { S: '1' };
      await matching(s, 'amq.headers', [
        {},
        { a: one },
        { a: one, b: one },
        { a: { I: 1 }, b: one },
        { b: one, 'x-c': one },
        { a: { V: null } },
      ])([
        {},
        { 'x-match': { S: 'all' }, a: one, b: one },
        { 'x-match': { S: 'any' }, a: one, b: one },
        { a: one },
        { a: { V: null } },
        { a: { I: 1 } },
        { 'x-match': { S: 'all' }, b: one, 'x-c': { S: 'ignored' } },
        { 'x-match': { S: 'any-with-x' }, 'x-c': one },
        { 'x-match': { S: 'all-with-x' }, b: one, 'x-c': { S: 'other' } },
      ]);
    },
  },
  {
    name: 'routing/headers with a wrong x-match',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: 'diff.q' });
      const bind = (match: FieldValue): Arguments => ({
        queue: 'diff.q',
        exchange: 'amq.headers',
        arguments: { 'x-match': match },
      });
      await attempts(s, 'queue.bind', [bind({ S: 'some' }), bind({ I: 1 })]);
    },
  },
  {
    name: 'routing/CC and BCC',
    run: async (s) => {
      const ch = await s.channel('a');
      for (const queue of ['diff.to', 'diff.cc', 'diff.bcc'])
        await ch.call('queue.declare', { queue });
      ch.put('diff.to', 'three ways', {
        headers: {
          CC: { A: [{ S: 'diff.cc' }] },
          BCC: { A: [{ S: 'diff.bcc' }] },
          other: { S: 'x' },
        },
      });
      ch.put('diff.to', 'once', { headers: { CC: { A: [{ S: 'diff.to' }] } } });
      for (const queue of ['diff.to', 'diff.cc', 'diff.bcc']) await ch.drain(queue);
      ch.put('diff.to', 'no array', { headers: { CC: { S: 'diff.cc' } } });
      await ch.expect('channel.close');
    },
  },
  {
    name: 'routing/alternate exchange',
    run: async (s) => {
      const ch = await s.channel('a');
      const alternate = (exchange: string): FieldTable => ({
        'alternate-exchange': { S: exchange },
      });
      await ch.call('exchange.declare', { exchange: 'diff.last', type: 'fanout' });
      await ch.call('exchange.declare', {
        exchange: 'diff.middle',
        type: 'direct',
        arguments: alternate('diff.last'),
      });
      await ch.call('exchange.declare', {
        exchange: 'diff.first',
        type: 'direct',
        arguments: alternate('diff.middle'),
      });
      await queueOn(ch, 'diff.direct', 'diff.first', ['k']);
      await queueOn(ch, 'diff.rest', 'diff.last', ['']);
      for (const key of ['k', 'other']) {
        ch.publish({ exchange: 'diff.first', 'routing-key': key, mandatory: true }, key);
      }
      await ch.drain('diff.direct');
      await ch.drain('diff.rest');
      await ch.call('queue.delete', { queue: 'diff.rest' });
      ch.publish({ exchange: 'diff.first', 'routing-key': 'lost', mandatory: true }, 'lost');
      await ch.expect('basic.return');
    },
  },
  {
    name: 'routing/alternate exchange that is not there, or itself',
    run: async (s) => {
      const ch = await s.channel('a');
      for (const other of ['diff.none', 'diff.x']) {
        await ch.call('exchange.declare', {
          exchange: 'diff.x',
          type: 'direct',
          arguments: { 'alternate-exchange': { S: other } },
        });
        ch.publish({ exchange: 'diff.x', 'routing-key': 'k', mandatory: true }, other);
        await ch.expect('basic.return');
        await ch.call('exchange.delete', { exchange: 'diff.x' });
      }
    },
  },
  {
    name: 'routing/unknown exchange',
    run: async (s) => {
      const ch = await s.channel('a');
      ch.publish({ exchange: 'diff.none', 'routing-key': 'k' }, 'x');
      await ch.expect('channel.close');
    },
  },
  {
    name: 'routing/internal exchange',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('exchange.declare', { exchange: 'diff.inner', type: 'fanout', internal: true });
      await queueOn(ch, 'diff.q', 'diff.inner', ['']);
      await ch.call('exchange.bind', { destination: 'diff.inner', source: 'amq.fanout' });
      ch.publish({ exchange: 'amq.fanout' }, 'from another exchange');
      await ch.drain('diff.q');
      ch.publish({ exchange: 'diff.inner' }, 'from a client');
      await ch.expect('channel.close');
    },
  },
];

export const EXCHANGE_SCENARIOS: readonly Scenario[] = [...DECLARING, ...BINDING, ...ROUTING];
