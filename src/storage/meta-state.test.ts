import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Clock, Timer } from '../base/clock.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { MetaState } from './meta-state.ts';
import type { PreparedTxn } from './meta-state.ts';
import type { MetaEvent, MetaOp, MetaTxn } from './meta-store.ts';

/** Time that moves when told to. */
class ManualClock implements Clock {
  private nowMs = 0;
  private timers: { atMs: number; callback: () => void }[] = [];

  wallMs(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { atMs: this.nowMs + delayMs, callback };
    this.timers.push(timer);
    return { cancel: () => (this.timers = this.timers.filter((other) => other !== timer)) };
  }

  defer(callback: () => void): void {
    this.setTimer(0, callback);
  }

  advance(ms: number): void {
    this.nowMs += ms;
    const due = this.timers.filter((timer) => timer.atMs <= this.nowMs);
    this.timers = this.timers.filter((timer) => timer.atMs > this.nowMs);
    for (const timer of due) timer.callback();
  }
}

function newState(clock = new ManualClock(), expired: number[] = []): MetaState {
  return new MetaState({ clock, logger: silentLogger, onLeaseExpired: (id) => expired.push(id) });
}

function put(key: string, value: string, lease?: number): MetaOp {
  return lease === undefined ? { op: 'put', key, value } : { op: 'put', key, value, lease };
}

function commit(state: MetaState, txn: MetaTxn): PreparedTxn {
  const prepared = state.prepare(txn);
  if (prepared.changes) state.apply(prepared);
  return prepared;
}

test('a put is invisible until it is applied, then has its revisions', () => {
  const state = newState();
  const first = state.prepare({ then: [put('a', '1')] });
  assert.equal(state.get('a'), null);
  assert.equal(state.revision, 0);
  state.apply(first);
  commit(state, { then: [put('a', '2'), put('b', '1')] });
  assert.deepEqual(state.get('a'), {
    key: 'a',
    value: '2',
    createRevision: 1,
    modRevision: 2,
    lease: 0,
  });
  assert.equal(state.get('b')?.createRevision, 2);
  commit(state, { then: [{ op: 'delete', key: 'a' }] });
  commit(state, { then: [put('a', '3')] });
  assert.equal(state.get('a')?.createRevision, 4);
  assert.equal(state.revision, 4);
});

test('compares are decided against transactions in flight', () => {
  const state = newState();
  const create = (value: string): MetaTxn => ({
    compares: [{ key: 'k', modRevision: 0 }],
    then: [put('k', value)],
    else: [put('lost', value)],
  });
  const first = state.prepare(create('1'));
  const second = state.prepare(create('2'));
  assert.deepEqual([first.succeeded, second.succeeded], [true, false]);
  state.apply(first);
  state.apply(second);
  assert.equal(state.get('k')?.value, '1');
  assert.equal(state.get('lost')?.value, '2');
  const removal = state.prepare({ then: [{ op: 'delete', key: 'k' }] });
  const again = state.prepare(create('3'));
  assert.equal(again.succeeded, true);
  state.apply(removal);
  state.apply(again);
  assert.equal(state.get('k')?.createRevision, again.revision);
});

test('a transaction without effect changes no revision', () => {
  const state = newState();
  const failed = commit(state, { compares: [{ key: 'a', modRevision: 9 }], then: [put('a', '1')] });
  assert.deepEqual(
    [failed.succeeded, failed.changes, failed.revision, failed.createLogs],
    [false, false, 0, []],
  );
  const nothing = commit(state, { then: [{ op: 'delete', key: 'absent' }] });
  assert.equal(nothing.changes, false);
});

test('logs go with the successful branch only', () => {
  const state = newState();
  const txn = (modRevision: number): MetaTxn => ({
    compares: [{ key: 'a', modRevision }],
    then: [],
    deleteLogs: [7],
  });
  assert.deepEqual(commit(state, txn(0)).deleteLogs, [7]);
  assert.deepEqual(commit(state, txn(1)).deleteLogs, []);
  assert.equal(state.revision, 0);
});

test('watchers hear matching events in order, after the whole transaction', () => {
  const state = newState();
  const events: MetaEvent[] = [];
  const stop = state.watch('t/', (event) => {
    assert.equal(state.get('t/2')?.value, 'y');
    events.push(event);
  });
  state.watch('t/', () => {
    throw new Error('a watcher of no use');
  });
  commit(state, { then: [put('t/1', 'x'), put('other', 'x'), put('t/2', 'y')] });
  commit(state, { then: [{ op: 'delete', key: 't/1' }] });
  stop();
  commit(state, { then: [put('t/3', 'x')] });
  assert.deepEqual(
    events.map((event) => [event.type, event.key, event.value, event.revision]),
    [
      ['put', 't/1', 'x', 1],
      ['put', 't/2', 'y', 1],
      ['delete', 't/1', null, 2],
    ],
  );
});

test('keys of a lease go when it runs out, keep-alive prolongs it', () => {
  const clock = new ManualClock();
  const expired: number[] = [];
  const state = newState(clock, expired);
  const lease = state.leases.grant(100);
  commit(state, { then: [put('leased', '1', lease), put('moved', '1', lease)] });
  commit(state, { then: [put('moved', '2')] });
  const staged = state.prepare({ then: [put('staged', '1', lease)] });
  clock.advance(90);
  assert.equal(state.leases.keepAlive(lease), true);
  clock.advance(20);
  assert.deepEqual(expired, []);
  clock.advance(80);
  assert.deepEqual(expired, [lease]);
  const revoke = state.prepareRevoke(lease);
  assert.throws(() => state.prepare({ then: [put('late', '1', lease)] }), { code: 'LB2007' });
  state.apply(staged);
  state.apply(revoke);
  assert.deepEqual(
    state.range('').map((entry) => entry.key),
    ['moved'],
  );
  assert.equal(state.leases.keepAlive(lease), false);
});

test('a sweep removes what a former process leased', () => {
  const before = newState();
  const lease = before.leases.grant(100);
  commit(before, { then: [put('leased', '1', lease), put('kept', '1')] });
  const after = newState();
  after.restore(before.all(), before.revision);
  const sweep = after.prepareSweep();
  after.apply(sweep);
  assert.deepEqual([sweep.revision, after.size], [2, 1]);
  assert.equal(after.prepareSweep().changes, false);
});

const KEYS = ['a', 'a/1', 'a/2', 'b', 'b/1'];
const keyArbitrary = fc.constantFrom(...KEYS);
const opArbitrary: fc.Arbitrary<MetaOp> = fc.oneof(
  fc.record({ op: fc.constant('put' as const), key: keyArbitrary, value: fc.string() }),
  fc.record({ op: fc.constant('delete' as const), key: keyArbitrary }),
);
const txnArbitrary: fc.Arbitrary<MetaTxn> = fc.record({
  compares: fc.array(fc.record({ key: keyArbitrary, modRevision: fc.nat(4) }), { maxLength: 1 }),
  then: fc.array(opArbitrary, { maxLength: 3 }),
  else: fc.array(opArbitrary, { maxLength: 2 }),
});

test('any pipelining equals one transaction at a time; replays and delta checkpoints give the same', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ txn: txnArbitrary, applyAfter: fc.nat(3) }), { maxLength: 30 }),
      (steps) => {
        const serial = newState();
        const pipelined = newState();
        const replayed = newState();
        const waiting: PreparedTxn[] = [];
        const journal: PreparedTxn[] = [];
        const checkpoint = new Map<string, unknown>();
        for (const { txn, applyAfter } of steps) {
          const expected = commit(serial, txn);
          const prepared = pipelined.prepare(txn);
          assert.deepEqual(prepared, expected);
          if (prepared.changes) waiting.push(prepared);
          for (let i = 0; i < applyAfter && waiting.length > 0; i++) {
            journal.push(waiting[0]!);
            pipelined.apply(waiting.shift()!);
          }
          const { puts, deletes } = pipelined.takeChanges();
          for (const entry of puts) checkpoint.set(entry.key, entry);
          for (const key of deletes) checkpoint.delete(key);
          assert.deepEqual(new Set(checkpoint.values()), new Set(pipelined.range('')));
        }
        for (const prepared of waiting) {
          journal.push(prepared);
          pipelined.apply(prepared);
        }
        for (const prepared of journal) replayed.apply(structuredClone(prepared));
        for (const state of [pipelined, replayed]) {
          assert.deepEqual(state.range(''), serial.range(''));
          assert.equal(state.revision, serial.revision);
        }
      },
    ),
  );
});
