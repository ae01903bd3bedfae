import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetaEvent, MetaOp } from '../../../src/storage/meta-store.ts';
import { APPEND_REFUSED } from '../../../src/storage/types.ts';
import { EngineBench, NO_LIMITS, turns } from './harness.ts';
import type { EngineDriver } from './harness.ts';

const put = (key: string, value: string): MetaOp => ({ op: 'put', key, value });

export function metaContract(driver: EngineDriver): void {
  test('a transaction is visible when it resolves, not before', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const { meta } = bench.engine;
    const pending = meta.txn({ then: [put('a/1', 'x'), put('a/2', 'y'), put('b', 'z')] });
    assert.equal(meta.get('a/1'), null);
    const result = await pending;
    assert.deepEqual(result, { succeeded: true, revision: meta.revision });
    const entry = meta.get('a/1');
    assert.equal(entry?.value, 'x');
    assert.equal(entry.createRevision, result.revision);
    assert.deepEqual(
      meta.range('a/').map(({ key, value }) => [key, value]),
      [
        ['a/1', 'x'],
        ['a/2', 'y'],
      ],
    );
  });

  test('compares choose the branch, also among transactions in flight', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const { meta } = bench.engine;
    const create = (value: string) =>
      meta.txn({
        compares: [{ key: 'k', modRevision: 0 }],
        then: [put('k', value)],
        else: [put(`refused/${value}`, '')],
      });
    const results = await Promise.all([create('1'), create('2'), create('3')]);
    assert.deepEqual(
      results.map((result) => result.succeeded),
      [true, false, false],
    );
    assert.equal(meta.get('k')?.value, '1');
    assert.equal(meta.range('refused/').length, 2);
    const { modRevision } = meta.get('k')!;
    const swap = await meta.txn({ compares: [{ key: 'k', modRevision }], then: [put('k', '4')] });
    assert.equal(swap.succeeded, true);
    assert.ok(meta.get('k')!.modRevision > modRevision);
    assert.equal(meta.get('k')!.createRevision, modRevision);
  });

  test('watchers hear puts and deletes below their prefix', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const { meta } = bench.engine;
    const events: MetaEvent[] = [];
    const stop = meta.watch('a/', (event) => events.push(event));
    await meta.txn({ then: [put('a/1', 'x'), put('b/1', 'x')] });
    await meta.txn({ then: [{ op: 'delete', key: 'a/1' }] });
    stop();
    await meta.txn({ then: [put('a/2', 'x')] });
    assert.deepEqual(
      events.map(({ type, key, value }) => [type, key, value]),
      [
        ['put', 'a/1', 'x'],
        ['delete', 'a/1', null],
      ],
    );
    assert.ok(events[0]!.revision < events[1]!.revision);
  });

  test('logs are created, changed and deleted with the keys of their transaction', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const { engine } = bench;
    const first = await engine.allocateLogIds(2);
    const logs = [0, 1].map((i) => ({ id: first + i, name: `test/pair-${i}`, spec: NO_LIMITS }));
    let usable = 0;
    engine.meta.watch('topic', () => {
      usable = logs.filter((log) => engine.hasLog(log.id)).length;
    });
    const created = engine.meta.txn({ then: [put('topic', 'pair')], createLogs: logs });
    assert.equal(engine.hasLog(first), false);
    await created;
    assert.equal(usable, 2);
    await bench.commit(first, ['a']);
    assert.deepEqual(
      [...engine.logs()].map(({ id, name }) => [id, name]),
      logs.map(({ id, name }) => [id, name]),
    );
    const spec = { ...NO_LIMITS, durability: 'os' as const, retentionMs: 1_000_000 };
    await engine.meta.txn({ then: [], alterLogs: [{ id: first, spec }] });
    assert.deepEqual(engine.spec(first), spec);
    await bench.commit(first, ['b']);
    await engine.meta.txn({
      then: [{ op: 'delete', key: 'topic' }],
      deleteLogs: [first],
    });
    assert.equal(engine.hasLog(first), false);
    assert.equal(engine.hasLog(first + 1), true);
    assert.equal(bench.append(first, ['c']), APPEND_REFUSED.unknownLog);
    assert.deepEqual(await bench.read(first, 0), { status: 'unknown-log' });
  });

  test('the logs of a branch that is not taken are not created', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const { engine } = bench;
    const id = await engine.allocateLogIds(1);
    const { succeeded } = await engine.meta.txn({
      compares: [{ key: 'absent', modRevision: 1 }],
      then: [],
      createLogs: [{ id, name: 'test/never', spec: NO_LIMITS }],
    });
    assert.deepEqual([succeeded, engine.hasLog(id)], [false, false]);
  });

  test('log ids are never handed out twice', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const [a, b, c] = await Promise.all([1, 10, 1].map((n) => bench.engine.allocateLogIds(n)));
    const log = await bench.createLog();
    const ids = [a!, ...Array.from({ length: 10 }, (_, i) => b! + i), c!, log];
    assert.equal(new Set(ids).size, ids.length);
  });

  test('leased keys vanish when the lease is not kept alive', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const { meta } = bench.engine;
    const { clock } = bench.storage;
    const lease = meta.grantLease(1_000);
    const revoked = meta.grantLease(1_000_000);
    await meta.txn({
      then: [
        { op: 'put', key: 'leased', value: '', lease },
        { op: 'put', key: 'revoked', value: '', lease: revoked },
        { op: 'put', key: 'kept', value: '' },
      ],
    });
    clock.advance(700);
    assert.equal(meta.keepAlive(lease), true);
    clock.advance(700);
    assert.notEqual(meta.get('leased'), null);
    await meta.revokeLease(revoked);
    assert.equal(meta.get('revoked'), null);
    const gone = new Promise<void>((resolve) => meta.watch('leased', () => resolve()));
    clock.advance(700);
    clock.advance(700);
    await gone;
    await turns();
    assert.deepEqual(
      meta.range('').map((entry) => entry.key),
      ['kept'],
    );
    assert.equal(meta.keepAlive(lease), false);
    await assert.rejects(meta.txn({ then: [{ op: 'put', key: 'late', value: '', lease }] }), {
      code: 'LB2007',
    });
  });
}
