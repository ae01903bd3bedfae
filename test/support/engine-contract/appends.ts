import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APPEND_REFUSED } from '../../../src/storage/types.ts';
import { buildBatch } from '../record-batches.ts';
import { EngineBench, NO_LIMITS } from './harness.ts';
import type { EngineDriver } from './harness.ts';

export function appendContract(driver: EngineDriver): void {
  test('stamps consecutive offsets and the epoch, and keeps the bytes', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    const { engine } = bench;
    assert.deepEqual(engine.bounds(log), { start: 0, committedEnd: 0, pendingEnd: 0, bytes: 0 });
    const first = buildBatch({ values: ['a', 'b'] });
    const second = buildBatch({ values: ['c'] });
    engine.append(log, 5, first, 0, first.length);
    assert.equal(engine.pendingEnd(log), 2);
    const last = engine.append(log, 7, second, 0, second.length);
    assert.equal(engine.pendingEnd(log), 3);
    await bench.committed(last);
    const batches = await bench.batches(log, 0);
    assert.deepEqual(
      batches.map((batch) => [batch.baseOffset, batch.nextOffset, batch.epoch, batch.values]),
      [
        [0, 2, 5, ['a', 'b']],
        [2, 3, 7, ['c']],
      ],
    );
    const bytes = first.length + second.length;
    assert.deepEqual(engine.bounds(log), { start: 0, committedEnd: 3, pendingEnd: 3, bytes });
  });

  test('takes several batches at once, out of the middle of a buffer', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    const batches = ['a', 'b', 'c'].map((value) => buildBatch({ values: [value, value] }));
    const buffer = Buffer.concat([Buffer.from('before'), ...batches, Buffer.from('after')]);
    const end = buffer.length - 'after'.length;
    await bench.committed(bench.engine.append(log, 1, buffer, 'before'.length, end));
    const read = await bench.batches(log, 0);
    assert.deepEqual(
      read.map((batch) => [batch.baseOffset, batch.values]),
      [
        [0, ['a', 'a']],
        [2, ['b', 'b']],
        [4, ['c', 'c']],
      ],
    );
  });

  test('copies: the caller may reuse its buffer at once', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    const batch = buildBatch({ values: ['kept'] });
    const position = bench.engine.append(log, 1, batch, 0, batch.length);
    batch.fill(0);
    await bench.committed(position);
    assert.deepEqual(await bench.values(log), ['kept']);
  });

  test('a shared append has offsets of its own in every log', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const { engine } = bench;
    const [a, b] = [await bench.createLog(), await bench.createLog()];
    await bench.commit(b, ['own']);
    const batch = buildBatch({ values: ['x', 'y'] });
    await bench.committed(engine.appendShared([a, b], [3, 4], batch, 0, batch.length));
    await bench.commit(a, ['later']);
    assert.deepEqual(
      (await bench.batches(a, 0)).map((found) => [found.baseOffset, found.epoch, found.values]),
      [
        [0, 3, ['x', 'y']],
        [2, 1, ['later']],
      ],
    );
    assert.deepEqual(
      (await bench.batches(b, 1)).map((found) => [found.baseOffset, found.epoch, found.values]),
      [[1, 4, ['x', 'y']]],
    );
    const fromMiddle = await bench.batches(b, 2);
    assert.equal(fromMiddle[0]?.baseOffset, 1);
  });

  test('a shared append may mix durabilities, and is refused wholly when a log is unknown', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const logs = [
      await bench.createLog({ durability: 'memory' }),
      await bench.createLog({ durability: 'os' }),
      await bench.createLog({ durability: 'fsync' }),
    ];
    const batch = buildBatch({ values: ['x'] });
    const { engine } = bench;
    const unknown = engine.appendShared([...logs, 999_999], [1, 1, 1, 1], batch, 0, batch.length);
    assert.equal(unknown, APPEND_REFUSED.unknownLog);
    assert.deepEqual(
      logs.map((log) => engine.pendingEnd(log)),
      [0, 0, 0],
    );
    await bench.committed(engine.appendShared(logs, [1, 1, 1], batch, 0, batch.length));
    for (const log of logs) assert.deepEqual(await bench.values(log), ['x']);
  });

  test('refuses unknown logs', async (t) => {
    const bench = await EngineBench.open(t, driver);
    assert.equal(bench.append(999_999, ['x']), APPEND_REFUSED.unknownLog);
    assert.equal(bench.engine.appendNote(999_999, 1, Buffer.from('x')), APPEND_REFUSED.unknownLog);
    assert.equal(bench.engine.bounds(999_999), null);
    assert.equal(bench.engine.spec(999_999), null);
    assert.equal(bench.engine.hasLog(999_999), false);
    assert.deepEqual(await bench.read(999_999, 0), { status: 'unknown-log' });
  });

  test('refuses appends to memory logs above the limit, and takes them again after a trim', async (t) => {
    const bench = await EngineBench.open(t, driver, { memoryBytesMax: 4096 });
    const log = await bench.createLog({ durability: 'memory' });
    const other = await bench.createLog({ durability: 'memory' });
    const value = 'x'.repeat(1000);
    let last = 0;
    for (let i = 0; i < 3; i++) last = bench.append(log, [value]);
    assert.ok(last >= 0);
    assert.equal(bench.append(log, [value]), APPEND_REFUSED.memoryFull);
    const shared = buildBatch({ values: [value] });
    const { engine } = bench;
    assert.equal(
      engine.appendShared([other, log], [1, 1], shared, 0, shared.length),
      APPEND_REFUSED.memoryFull,
    );
    assert.equal(engine.pendingEnd(other), 0);
    await bench.committed(last, 'memory');
    engine.trim(log, 2);
    assert.ok(bench.append(log, [value]) >= 0);
  });

  test('ten thousand logs take appends in one turn', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const { engine } = bench;
    const first = await engine.allocateLogIds(10_000);
    const createLogs = Array.from({ length: 10_000 }, (_, i) => ({
      id: first + i,
      name: `test/many-${i}`,
      spec: { ...NO_LIMITS, durability: 'os' as const },
    }));
    await engine.meta.txn({ then: [], createLogs });
    const batch = buildBatch({ values: ['x'] });
    let last = 0;
    for (let i = 0; i < 10_000; i++) last = engine.append(first + i, 1, batch, 0, batch.length);
    await bench.committed(last);
    assert.equal(engine.bounds(first + 9_999)?.committedEnd, 1);
    assert.deepEqual(await bench.values(first + 5_000), ['x']);
  });
}
