import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildBatch } from '../record-batches.ts';
import { EngineBench } from './harness.ts';
import type { EngineDriver } from './harness.ts';

export function readContract(driver: EngineDriver): void {
  test('a read begins with the batch that holds the offset', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    bench.append(log, ['a', 'b', 'c']);
    await bench.commit(log, ['d', 'e']);
    const bases = async (from: number): Promise<number[]> =>
      (await bench.batches(log, from)).map((batch) => batch.baseOffset);
    assert.deepEqual(await bases(0), [0, 3]);
    assert.deepEqual(await bases(2), [0, 3]);
    assert.deepEqual(await bases(3), [3]);
    assert.deepEqual(await bases(4), [3]);
    assert.deepEqual(await bases(5), []);
  });

  test('limits are kept, but for the first batch when asked', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    const size = buildBatch({ values: ['a'] }).length;
    for (const value of ['a', 'b', 'c']) bench.append(log, [value]);
    await bench.commit(log, ['d']);
    const read = async (
      from: number,
      options: { maxBytes: number; atLeastOneBatch: boolean; endOffset?: number },
    ): Promise<string[]> =>
      (await bench.batches(log, from, options)).flatMap((batch) => batch.values);
    assert.deepEqual(await read(0, { maxBytes: 2 * size, atLeastOneBatch: false }), ['a', 'b']);
    assert.deepEqual(await read(1, { maxBytes: 3 * size - 1, atLeastOneBatch: true }), ['b', 'c']);
    assert.deepEqual(await read(0, { maxBytes: 1, atLeastOneBatch: true }), ['a']);
    assert.deepEqual(await read(0, { maxBytes: 1, atLeastOneBatch: false }), []);
    assert.deepEqual(await read(0, { maxBytes: 0, atLeastOneBatch: true }), ['a']);
    const upTo2 = { maxBytes: 1 << 20, atLeastOneBatch: true, endOffset: 2 };
    assert.deepEqual(await read(0, upTo2), ['a', 'b']);
    assert.deepEqual(await read(2, upTo2), []);
    assert.deepEqual(await read(0, { ...upTo2, endOffset: 99 }), ['a', 'b', 'c', 'd']);
  });

  test('outside the bounds a read says so', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    for (const value of ['a', 'b', 'c']) bench.append(log, [value]);
    await bench.commit(log, ['d']);
    const expected = { status: 'out-of-range', start: 0, committedEnd: 4 };
    assert.deepEqual(await bench.read(log, 5), expected);
    assert.deepEqual(await bench.read(log, -1), expected);
    bench.engine.trim(log, 2);
    assert.deepEqual(await bench.read(log, 1), { ...expected, start: 2 });
    assert.deepEqual(await bench.values(log), ['c', 'd']);
  });

  test('more than fits into one piece of memory reads back, from every batch', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog({ durability: 'os' });
    const filler = 'f'.repeat(9_777);
    const count = 900;
    let last = 0;
    for (let i = 0; i < count; i++) {
      last = bench.append(log, [`${i}:${filler}`]);
      if (i % 90 === 89) await bench.committed(last);
    }
    await bench.committed(last);
    const options = { maxBytes: 300_000, atLeastOneBatch: true };
    for (let from = 0; from < count;) {
      const batches = await bench.batches(log, from, options);
      assert.equal(batches[0]?.baseOffset, from);
      for (const batch of batches) {
        assert.equal(batch.values[0], `${batch.baseOffset}:${filler}`);
        from = batch.nextOffset;
      }
    }
  });

  test('many appends of many sizes read back, from every offset', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const logs = [await bench.createLog(), await bench.createLog({ durability: 'os' })];
    const expected: string[][] = [[], []];
    let last = 0;
    for (let i = 0; i < 200; i++) {
      const value = `${i}:${'v'.repeat((i * 37) % 900)}`;
      last = bench.append(logs[i % 2]!, i % 3 === 0 ? [value, 'and'] : [value]);
      expected[i % 2]!.push(...(i % 3 === 0 ? [value, 'and'] : [value]));
      if (i % 50 === 49) await bench.committed(last);
    }
    for (const [index, log] of logs.entries()) {
      assert.deepEqual(await bench.values(log), expected[index]);
      for (let from = 0; from < expected[index]!.length; from += 7) {
        assert.deepEqual(await bench.values(log, from), expected[index]!.slice(from));
      }
    }
  });

  test('a lease keeps bytes unchanged in later turns', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    await bench.commit(log, ['kept']);
    const result = await bench.engine.read(log, 0, { maxBytes: 1 << 20, atLeastOneBatch: true });
    assert.equal(result.status, 'ok');
    if (result.status !== 'ok') return;
    const [slice] = result.slices;
    assert.ok(slice !== undefined);
    slice.lease?.retain();
    const before = Buffer.from(slice.buffer.subarray(slice.start, slice.end));
    for (let i = 0; i < 20; i++) await bench.commit(log, ['x'.repeat(5000)]);
    assert.deepEqual(slice.buffer.subarray(slice.start, slice.end), before);
    slice.lease?.release();
  });

  test('finds offsets by time, and the newest time', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const { engine } = bench;
    const log = await bench.createLog();
    assert.equal(engine.maxTimestamp(log), null);
    assert.equal(await engine.offsetForTime(log, 0), null);
    bench.append(log, ['a', 'b'], { timestamp: 1000 });
    bench.append(log, ['c'], { timestamp: 3000 });
    bench.append(log, ['d'], { timestamp: 2000 });
    const late = buildBatch({ values: ['e'], timestamp: 2500 });
    const latest = buildBatch({ values: ['f'], timestamp: 4000 });
    const two = Buffer.concat([late, latest]);
    await bench.committed(engine.append(log, 1, two, 0, two.length));
    const offsets = await Promise.all(
      [0, 1000, 1001, 3000, 3001, 4000, 4001].map((time) => engine.offsetForTime(log, time)),
    );
    assert.deepEqual(offsets, [0, 0, 2, 2, 5, 5, null]);
    assert.deepEqual(engine.maxTimestamp(log), { timestamp: 4000, baseOffset: 5 });
    engine.trim(log, 3);
    assert.equal(await engine.offsetForTime(log, 0), 3);
    await bench.commit(log, ['g'], { timestamp: 500 });
    assert.deepEqual(engine.maxTimestamp(log), { timestamp: 4000, baseOffset: 5 });
    engine.trim(log, 6);
    assert.deepEqual(engine.maxTimestamp(log), { timestamp: 500, baseOffset: 6 });
    engine.trim(log, 7);
    assert.equal(engine.maxTimestamp(log), null);
    assert.equal(await engine.offsetForTime(log, 0), null);
  });

  test('the owner of every log is this engine', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const owner = bench.engine.owner(await bench.createLog());
    assert.equal(owner.mine, true);
    assert.equal(owner.node, bench.identity?.nodeId);
  });
}
