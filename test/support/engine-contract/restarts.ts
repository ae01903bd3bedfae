import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildBatch } from '../record-batches.ts';
import { EngineBench, NO_LIMITS } from './harness.ts';
import type { EngineDriver } from './harness.ts';

const MODES = ['drain', 'abort'] as const;

export function restartContract(driver: EngineDriver): void {
  for (const mode of MODES) {
    test(`what was committed is there after ${mode}`, async (t) => {
      const bench = await EngineBench.open(t, driver);
      const logs = [
        await bench.createLog(),
        await bench.createLog({ durability: 'os' }),
        await bench.createLog({ durability: 'memory' }),
      ];
      for (let i = 0; i < 20; i++) for (const log of logs) await bench.commit(log, [`${i}`]);
      const shared = buildBatch({ values: ['shared'] });
      await bench.committed(bench.engine.appendShared(logs, [1, 1, 1], shared, 0, shared.length));
      const before = bench.identity!;
      await bench.restart(mode);
      const expected = [...Array.from({ length: 20 }, (_, i) => `${i}`), 'shared'];
      assert.deepEqual(await bench.values(logs[0]!), expected);
      assert.deepEqual(await bench.values(logs[1]!), expected);
      assert.equal(bench.engine.hasLog(logs[2]!), true);
      await bench.commit(logs[0]!, ['after']);
      assert.equal(bench.engine.bounds(logs[0]!)?.committedEnd, 22);
      assert.deepEqual(bench.identity!.clusterId, before.clusterId);
      assert.equal(bench.identity!.incarnation, before.incarnation + 1);
    });

    test(`notes are replayed on top of the snapshot after ${mode}`, async (t) => {
      const bench = await EngineBench.open(t, driver);
      const log = await bench.createLog();
      let count = 0;
      bench.engine.onCheckpoint(() => {
        bench.engine.snapshots.save(log, Buffer.from(`${count}`));
      });
      let last = 0;
      for (; count < 10; count++) last = bench.engine.appendNote(log, 1, Buffer.from(`${count}`));
      await bench.committed(last);
      await bench.restart(mode);
      const base = Number(bench.engine.snapshots.load(log)?.toString() ?? '0');
      const notes = bench.replayed.filter((entry) => entry.kind === 'note');
      assert.deepEqual(
        notes.map((entry) => Number(entry.values[0])),
        Array.from({ length: 10 - base }, (_, i) => base + i),
      );
    });

    test(`trims, metadata and log changes survive ${mode}`, async (t) => {
      const bench = await EngineBench.open(t, driver);
      const log = await bench.createLog();
      const deleted = await bench.createLog();
      for (let i = 0; i < 10; i++) await bench.commit(log, [`${i}`]);
      await bench.commit(deleted, ['x']);
      await bench.committed(bench.engine.trim(log, 7));
      const { meta } = bench.engine;
      await meta.txn({ then: [{ op: 'put', key: 'a', value: '1' }] });
      await meta.txn({ then: [{ op: 'put', key: 'a', value: '2' }] });
      await meta.txn({ then: [{ op: 'put', key: 'b', value: 'x' }] });
      const spec = { ...NO_LIMITS, retentionBytes: 12_345_678 };
      await meta.txn({
        then: [{ op: 'delete', key: 'b' }],
        alterLogs: [{ id: log, spec }],
        deleteLogs: [deleted],
      });
      const lease = meta.grantLease(1_000_000);
      const entry = meta.get('a');
      await meta.txn({ then: [{ op: 'put', key: 'leased', value: '', lease }] });
      const { revision } = meta;
      await bench.restart(mode);
      assert.deepEqual(await bench.values(log), ['7', '8', '9']);
      assert.deepEqual(bench.engine.spec(log), spec);
      assert.equal(bench.engine.hasLog(deleted), false);
      assert.deepEqual(bench.engine.meta.get('a'), entry);
      assert.deepEqual(
        bench.engine.meta.range('').map(({ key }) => key),
        ['a'],
      );
      assert.ok(bench.engine.meta.revision > revision);
      assert.ok((await bench.engine.allocateLogIds(1)) > deleted, 'ids are never used again');
    });
  }

  test('positions go on counting', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    const before = await bench.commit(log, ['a']);
    await bench.restart('abort');
    assert.ok((await bench.commit(log, ['b'])) > before);
  });

  test('ten restarts in a row lose nothing', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    const expected: string[] = [];
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 3; i++) {
        expected.push(`${round}/${i}`);
        await bench.commit(log, [`${round}/${i}`]);
      }
      await bench.restart(round % 2 === 0 ? 'abort' : 'drain');
      assert.deepEqual(await bench.values(log), expected);
    }
  });

  test('an engine that is open holds its storage', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const second = bench.storage.engine();
    await assert.rejects(second.open({ onBatches: () => {}, onNote: () => {} }), {
      code: 'LB1003',
    });
    await second.close('abort');
    const log = await bench.createLog();
    await bench.commit(log, ['still works']);
  });
}
