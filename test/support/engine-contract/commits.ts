import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APPEND_REFUSED } from '../../../src/storage/types.ts';
import type { Durability } from '../../../src/storage/types.ts';
import { EngineBench, turns } from './harness.ts';
import type { EngineDriver } from './harness.ts';

export function commitContract(driver: EngineDriver): void {
  test('nothing is readable before it is committed', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    const position = bench.append(log, ['a']);
    assert.equal(bench.engine.bounds(log)?.committedEnd, 0);
    assert.deepEqual(await bench.read(log, 0), { status: 'ok', slices: [], bytes: 0 });
    await bench.committed(position);
    assert.equal(bench.engine.bounds(log)?.committedEnd, 1);
    assert.deepEqual(await bench.values(log), ['a']);
  });

  test('listeners are told once, later than append, in order of position', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    const told: number[] = [];
    let last = 0;
    let inAppend = true;
    for (let round = 0; round < 20; round++) {
      inAppend = true;
      for (let i = 0; i < 5; i++) {
        last = bench.append(log, [`${round}`]);
        const position = last;
        bench.engine.whenCommitted(position, 'fsync', {
          onCommitted: () => {
            assert.equal(inAppend, false);
            told.push(position);
          },
          onCommitFailed: (error) => assert.fail(error),
        });
      }
      inAppend = false;
      await turns();
    }
    await bench.committed(last);
    assert.equal(told.length, 100);
    assert.deepEqual(
      told,
      [...told].sort((a, b) => a - b),
    );
    const positions = new Set(told);
    assert.ok(positions.size > 1, 'later turns open later groups');
  });

  test('a position that is committed already is told in a later turn', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    const position = await bench.commit(log, ['a']);
    for (const durability of ['fsync', 'os', 'memory'] satisfies Durability[]) {
      let told = 0;
      bench.engine.whenCommitted(position, durability, {
        onCommitted: () => told++,
        onCommitFailed: (error) => assert.fail(error),
      });
      assert.equal(told, 0);
      await bench.committed(position, durability);
      assert.equal(told, 1);
    }
  });

  test('every durability commits, and the bounds have moved by then', async (t) => {
    const bench = await EngineBench.open(t, driver);
    for (const durability of ['fsync', 'os', 'memory'] satisfies Durability[]) {
      const log = await bench.createLog({ durability });
      await bench.commit(log, ['a', 'b']);
      assert.equal(bench.engine.bounds(log)?.committedEnd, 2);
      assert.deepEqual(await bench.values(log), ['a', 'b']);
      // A stricter wait than the log's own is possible, too.
      await bench.committed(bench.append(log, ['c']), 'fsync');
    }
  });

  test('progress is monotonic and reaches every position', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    const seen = { os: [] as number[], fsync: [] as number[] };
    const stop = bench.engine.onCommitted((position, durability) => {
      seen[durability].push(position);
    });
    let last = 0;
    for (let i = 0; i < 5; i++) last = await bench.commit(log, ['a']);
    for (const positions of [seen.os, seen.fsync]) {
      assert.deepEqual(
        positions,
        [...positions].sort((a, b) => a - b),
      );
      assert.ok((positions.at(-1) ?? 0) >= last);
    }
    stop();
    const before = seen.fsync.length;
    await bench.commit(log, ['b']);
    assert.equal(seen.fsync.length, before);
  });

  test('watchers of a log hear that it advanced', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const [log, other] = [await bench.createLog(), await bench.createLog()];
    let calls = 0;
    let wrong = 0;
    const stop = bench.engine.onAdvance(log, () => {
      calls++;
      assert.ok((bench.engine.bounds(log)?.committedEnd ?? 0) > 0);
    });
    bench.engine.onAdvance(other, () => wrong++);
    await bench.commit(log, ['a']);
    await turns(2);
    assert.ok(calls >= 1);
    const heard = calls;
    bench.engine.trim(log, 1);
    await bench.commit(other, ['x']);
    await turns(2);
    assert.ok(calls > heard, 'a moved start is an advance');
    stop();
    calls = 0;
    wrong = 0;
    await bench.commit(log, ['b']);
    await turns(2);
    assert.deepEqual([calls, wrong], [0, 0]);
  });

  test('what is appended atomically has one position', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const [a, b] = [await bench.createLog(), await bench.createLog()];
    const positions: number[] = [];
    bench.engine.atomically(() => {
      for (let i = 0; i < 50; i++) positions.push(bench.append(i % 2 ? a : b, [`${i}`]));
      positions.push(bench.engine.appendNote(a, 1, Buffer.from('note')));
      bench.engine.atomically(() => positions.push(bench.append(b, ['nested'])));
    });
    assert.equal(new Set(positions).size, 1);
    await bench.committed(positions[0]!);
    assert.equal(bench.engine.bounds(a)?.committedEnd, 25);
    assert.equal(bench.engine.bounds(b)?.committedEnd, 26);
  });

  test('a throwing listener disturbs nobody', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    const fail = (): never => {
      throw new Error('a listener of no use');
    };
    bench.engine.onAdvance(log, fail);
    const position = bench.append(log, ['a']);
    bench.engine.whenCommitted(position, 'fsync', { onCommitted: fail, onCommitFailed: fail });
    await bench.committed(position);
    await bench.commit(log, ['b']);
  });

  test('closing with drain commits what is pending and refuses what comes later', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    const outcome = bench.committed(bench.append(log, ['a'])).then(() => 'committed');
    await bench.engine.close('drain');
    assert.equal(await outcome, 'committed');
    assert.equal(bench.append(log, ['b']), APPEND_REFUSED.closed);
    assert.equal(bench.engine.appendNote(log, 1, Buffer.from('n')), APPEND_REFUSED.closed);
    await assert.rejects(bench.engine.meta.txn({ then: [{ op: 'put', key: 'a', value: '' }] }), {
      code: 'LB2005',
    });
    await bench.engine.close('drain');
    await bench.engine.close('abort');
  });

  test('closing with abort leaves nobody waiting', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    const outcome = bench.committed(bench.append(log, ['a'])).then(
      () => 'committed',
      (error: { code?: string }) => error.code,
    );
    const txn = bench.engine.meta.txn({ then: [{ op: 'put', key: 'a', value: '' }] }).then(
      () => 'committed',
      (error: { code?: string }) => error.code,
    );
    await bench.engine.close('abort');
    assert.ok(['committed', 'LB2005'].includes((await outcome) ?? ''));
    assert.ok(['committed', 'LB2005'].includes((await txn) ?? ''));
  });
}
