import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineBench, turns } from './harness.ts';
import type { EngineDriver } from './harness.ts';

export function retentionContract(driver: EngineDriver): void {
  test('trim moves the start at once, never backwards, never past the committed end', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const { engine } = bench;
    const log = await bench.createLog();
    for (const value of ['a', 'b', 'c']) bench.append(log, [value]);
    await bench.commit(log, ['d']);
    const position = engine.trim(log, 2);
    assert.equal(engine.bounds(log)?.start, 2);
    await bench.committed(position);
    engine.trim(log, 1);
    assert.equal(engine.bounds(log)?.start, 2);
    bench.append(log, ['e']);
    engine.trim(log, 99);
    const bounds = engine.bounds(log)!;
    assert.ok(bounds.start <= 5 && bounds.start >= 4);
    assert.ok(bounds.start <= bounds.pendingEnd);
    await bench.commit(log, ['f']);
    assert.equal((await bench.values(log)).at(-1), 'f');
  });

  test('trimming inside a batch keeps it readable from there', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    await bench.commit(log, ['a', 'b', 'c', 'd']);
    bench.engine.trim(log, 2);
    const [batch] = await bench.batches(log, 2);
    assert.deepEqual([batch?.baseOffset, batch?.nextOffset], [0, 4]);
    assert.deepEqual(await bench.values(log), ['c', 'd']);
  });

  test('an emptied log goes on at its offset', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog();
    await bench.commit(log, ['a', 'b', 'c']);
    await bench.committed(bench.engine.trim(log, 3));
    assert.deepEqual(bench.engine.bounds(log), {
      start: 3,
      committedEnd: 3,
      pendingEnd: 3,
      bytes: 0,
    });
    await bench.commit(log, ['d']);
    assert.equal((await bench.batches(log, 3))[0]?.baseOffset, 3);
  });

  test('old records go after their time', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const { clock } = bench.storage;
    const log = await bench.createLog({ retentionMs: 60_000 });
    const kept = await bench.createLog();
    await bench.commit(log, ['old'], { timestamp: clock.wallMs() });
    await bench.commit(kept, ['old'], { timestamp: clock.wallMs() });
    for (let i = 0; i < 8; i++) {
      clock.advance(10_000);
      await turns(2);
      if (i < 4) assert.equal(bench.engine.bounds(log)?.start, 0);
      if (i === 5) await bench.commit(log, ['young'], { timestamp: clock.wallMs() });
    }
    for (let i = 0; i < 10 && bench.engine.bounds(log)?.start === 0; i++) {
      clock.advance(10_000);
      await turns(4);
      await bench.commit(kept, ['tick']);
    }
    assert.ok((bench.engine.bounds(log)?.start ?? 0) >= 1);
    assert.equal((await bench.values(kept))[0], 'old');
  });

  test('the oldest records go when a log grows too large', async (t) => {
    const bench = await EngineBench.open(t, driver);
    const log = await bench.createLog({ retentionBytes: 10_000, segmentBytes: 4_000 });
    const value = 'x'.repeat(1000);
    for (let i = 0; i < 30; i++) await bench.commit(log, [`${i}${value}`]);
    for (let i = 0; i < 10; i++) {
      bench.storage.clock.advance(10_000);
      await turns(4);
      await bench.commit(log, [`${30 + i}${value}`]);
    }
    const bounds = bench.engine.bounds(log)!;
    assert.ok(bounds.start > 0);
    assert.ok(bounds.bytes < 20_000, `${bounds.bytes} bytes are kept`);
    const values = await bench.values(log);
    assert.equal(values.at(-1), `39${value}`);
    assert.equal(values.length, bounds.committedEnd - bounds.start);
  });
}
