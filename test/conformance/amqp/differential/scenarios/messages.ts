import type { Properties } from '../frames.ts';
import type { Scenario } from '../session.ts';
import type { FieldTable } from '../values.ts';

const Q = 'diff.q';

const EVERY_TYPE: FieldTable = {
  boolean: { t: true },
  int8: { b: -8 },
  uint8: { B: 200 },
  int16: { s: -1600 },
  uint16: { u: 60_000 },
  int32: { I: -320_000 },
  uint32: { i: 4_000_000_000 },
  int64: { l: '-6400000000000000000' },
  float: { f: 0.5 },
  double: { d: -0.1 },
  decimal: { D: [2, 314] },
  string: { S: 'text ünïcode' },
  empty: { S: '' },
  bytes: { x: '00ff10' },
  void: { V: null },
  time: { T: 1_700_000_000 },
  array: { A: [{ I: 1 }, { S: 'two' }, { A: [] }, { F: { deep: { t: false } } }] },
  table: { F: { nested: { F: { more: { I: 1 } } } } },
};

const EVERY_PROPERTY: Properties = {
  'content-type': 'text/plain',
  'content-encoding': 'utf-8',
  headers: { h: { S: 'v' } },
  'delivery-mode': 2,
  priority: 9,
  'correlation-id': 'correlation',
  'reply-to': 'somewhere',
  expiration: '600000',
  'message-id': 'id',
  timestamp: 1_700_000_000,
  type: 'type',
  'app-id': 'app',
  'cluster-id': 'cluster',
};

const CONTENT: readonly Scenario[] = [
  {
    name: 'message/every property',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: Q });
      ch.put(Q, 'all', { ...EVERY_PROPERTY, 'user-id': s.address.user });
      ch.put(Q, 'none');
      ch.put(Q, 'empty headers', { headers: {} });
      ch.put(Q, '', { 'content-type': '' });
      for (let i = 0; i < 4; i++) await ch.get(Q, { 'no-ack': true });
    },
  },
  {
    name: 'message/every type of field',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: Q });
      ch.put(Q, 'types', { headers: EVERY_TYPE });
      await ch.get(Q, { 'no-ack': true });
    },
  },
  {
    name: 'message/sizes',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: Q });
      for (const bytes of [0, 1, 131_064, 131_065, 1_000_000]) {
        ch.put(Q, Buffer.alloc(bytes, 'x'));
        await ch.get(Q, { 'no-ack': true });
      }
    },
  },
  {
    name: 'message/smaller frames when the client asked for them',
    run: async (s) => {
      await s.open('a', { frameMax: 4096 });
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: Q });
      const big = await s.channel('b');
      big.put(Q, Buffer.alloc(10_000, 'x'));
      await s.untilReady(Q, 1);
      await ch.get(Q, { 'no-ack': true });
    },
  },
  {
    name: 'message/user-id of somebody else',
    run: async (s) => {
      const ch = await s.channel('a');
      ch.put(Q, 'x', { 'user-id': 'somebody' });
      await ch.expect('channel.close');
    },
  },
  {
    name: 'message/expiration that is no number',
    run: async (s) => {
      for (const [index, expiration] of ['soon', '-1', '1.5', ' 5'].entries()) {
        const ch = await s.channel('a', 1 + index);
        ch.put(Q, 'x', { expiration });
        await ch.expect('channel.close');
      }
    },
  },
  {
    name: 'message/immediate',
    run: async (s) => {
      const ch = await s.channel('a');
      ch.publish({ 'routing-key': Q, immediate: true }, 'x');
      await ch.expect('connection.close');
    },
  },
  {
    name: 'message/mandatory',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: Q });
      ch.publish({ 'routing-key': 'diff.none', mandatory: true }, 'returned', EVERY_PROPERTY);
      ch.publish({ exchange: 'amq.topic', 'routing-key': 'no.body', mandatory: true }, '');
      ch.publish({ 'routing-key': Q, mandatory: true }, 'arrives');
      ch.publish({ 'routing-key': 'diff.none' }, 'dropped');
      await ch.expect('basic.return', 2);
      await ch.get(Q, { 'no-ack': true });
    },
  },
];

const CONFIRMS: readonly Scenario[] = [
  {
    name: 'confirm/one for each message',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: Q });
      ch.put(Q, 'before');
      await ch.call('confirm.select');
      await ch.call('confirm.select');
      for (let i = 0; i < 20; i++) ch.put(Q, `m${i}`, { 'delivery-mode': i % 2 === 0 ? 2 : 1 });
      ch.put('diff.none', 'unroutable');
      await s.untilReady(Q, 21);
      await ch.quiet();
      s.note((await ch.drain(Q)).join(' '));
    },
  },
  {
    name: 'confirm/return comes before the confirm',
    run: async (s) => {
      const a = await s.open('a');
      const ch = await s.channel('a');
      await ch.call('confirm.select');
      ch.publish({ 'routing-key': 'diff.none', mandatory: true }, 'x');
      await ch.expect('basic.ack');
      const names = a.received.map(({ name }) => name);
      s.note(`returned first: ${names.indexOf('basic.return') < names.indexOf('basic.ack')}`);
    },
  },
  {
    name: 'confirm/nack when the queue rejects',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', {
        queue: Q,
        arguments: { 'x-max-length': { I: 1 }, 'x-overflow': { S: 'reject-publish' } },
      });
      await ch.call('confirm.select');
      ch.put(Q, 'fits');
      await ch.expect('basic.ack');
      ch.put(Q, 'rejected');
      await ch.expect('basic.nack');
      s.note((await ch.drain(Q)).join(' '));
      ch.put(Q, 'fits again');
      await ch.expect('basic.ack');
    },
  },
  {
    name: 'confirm/without an answer',
    run: async (s) => {
      const ch = await s.channel('a');
      ch.send('confirm.select', { 'no-wait': true });
      ch.put('diff.none', 'x');
      await ch.expect('basic.ack');
    },
  },
  {
    name: 'confirm/not with transactions',
    run: async (s) => {
      const confirming = await s.channel('a', 1);
      await confirming.call('confirm.select');
      await confirming.call('tx.select');
      const transacted = await s.channel('a', 2);
      await transacted.call('tx.select');
      await transacted.call('confirm.select');
    },
  },
];

const TRANSACTIONS: readonly Scenario[] = [
  {
    name: 'tx/commit and rollback without select',
    run: async (s) => {
      for (const [index, name] of ['tx.commit', 'tx.rollback'].entries()) {
        const ch = await s.channel('a', 1 + index);
        await ch.call(name);
      }
    },
  },
  {
    name: 'tx/publish',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: Q });
      await ch.call('tx.select');
      await ch.call('tx.select');
      ch.put(Q, 'rolled back');
      await ch.call('tx.rollback');
      ch.put(Q, 'committed 1');
      ch.put(Q, 'committed 2');
      await ch.get(Q);
      await ch.call('tx.commit');
      await ch.get(Q, { 'no-ack': true });
      await ch.get(Q, { 'no-ack': true });
      ch.publish({ 'routing-key': 'diff.none', mandatory: true }, 'returned on commit');
      await ch.call('tx.commit');
      await ch.expect('basic.return');
    },
  },
  {
    name: 'tx/acknowledge',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: Q });
      for (const body of ['1', '2', '3']) ch.put(Q, body);
      await ch.call('tx.select');
      for (let i = 0; i < 3; i++) await ch.get(Q);
      ch.send('basic.ack', { 'delivery-tag': 1 });
      await ch.call('tx.commit');
      ch.send('basic.ack', { 'delivery-tag': 3, multiple: true });
      await ch.call('tx.rollback');
      await ch.call('basic.recover', { requeue: true });
      await ch.get(Q);
      ch.send('basic.nack', { 'delivery-tag': 4, requeue: true });
      await ch.call('tx.commit');
      await ch.get(Q);
      await ch.get(Q);
      await ch.get(Q);
    },
  },
  {
    name: 'tx/acknowledge of nothing',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('tx.select');
      ch.send('basic.ack', { 'delivery-tag': 5 });
      await ch.call('tx.commit');
    },
  },
  {
    name: 'tx/closed without commit',
    run: async (s) => {
      const ch = await s.channel('a');
      await ch.call('queue.declare', { queue: Q });
      await ch.call('tx.select');
      ch.put(Q, 'never');
      await ch.call('channel.close', { 'reply-code': 200 });
      await ch.call('channel.open');
      await ch.get(Q);
    },
  },
];

export const MESSAGE_SCENARIOS: readonly Scenario[] = [...CONTENT, ...CONFIRMS, ...TRANSACTIONS];
