import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { EngineBench } from '../../test/support/engine-contract/harness.ts';
import { buildBatch } from '../../test/support/record-batches.ts';
import { SteppedClock } from '../../test/support/stepped-clock.ts';
import { SeededRandom } from '../base/random.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { GROUP_HEADER_BYTES, decodeGroupHeader, findGroupMagic } from './journal/format.ts';
import { LocalEngine } from './local-engine.ts';
import type { LocalEngineLimits } from './local-engine-options.ts';
import { createNodeFileSystem } from './node-file-system.ts';
import type { LogId, ReadResult } from './types.ts';

interface OnDisk {
  readonly folder: string;
  readonly bench: EngineBench;
}

/** Small files, so that a few appends roll, settle and free them; nothing happens but when a test says so. */
const SMALL: Partial<LocalEngineLimits> = {
  journalFileBytes: 4096,
  journalBytes: 8192,
  cacheBytes: 0,
  blockBytes: 4096,
  blockCacheBytes: 16_384,
  reservedBytes: 0,
};

async function setUp(t: TestContext, limits = SMALL): Promise<OnDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'lyrebird-recovery-'));
  const clock = new SteppedClock();
  const fileSystem = createNodeFileSystem();
  const random = new SeededRandom(7);
  const bench = await EngineBench.open(t, {
    name: 'local',
    durable: true,
    storage: () =>
      Promise.resolve({
        clock,
        engine: () =>
          new LocalEngine({ folder, fileSystem, clock, random, logger: silentLogger, ...limits }),
        dispose: () => rm(folder, { recursive: true }),
      }),
  });
  return { folder, bench };
}

async function filesOf(folder: string, prefix: string): Promise<string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => name.startsWith(prefix))
    .sort()
    .map((name) => join(folder, name));
}

async function flipByte(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  byte[0] = byte[0]! ^ 1;
  await file.write(byte, 0, 1, at);
  await file.close();
}

/** Positions of the groups of a journal file. */
function groupsOf(file: Buffer): number[] {
  const found: number[] = [];
  for (let at = findGroupMagic(file, 0); at !== -1; at = findGroupMagic(file, at + 1)) {
    if (decodeGroupHeader(file, at) !== null) found.push(at);
  }
  return found;
}

const values = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `value ${from + i}`);

/** Commits one group after the other, each with one record. */
async function commitAll(bench: EngineBench, log: LogId, from: number, to: number): Promise<void> {
  for (const value of values(from, to)) await bench.commit(log, [value]);
}

/** Waits for background work: real files, but no clock to wait for. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    assert.ok(turn < 200_000, 'the engine does not get there');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Reads to the end; damaged ranges are collected apart. */
async function readAll(
  bench: EngineBench,
  log: LogId,
): Promise<{ read: string[]; lost: [number, number][] }> {
  const read: string[] = [];
  const lost: [number, number][] = [];
  const { start, committedEnd } = bench.engine.bounds(log)!;
  for (let offset = start; offset < committedEnd;) {
    const result: ReadResult = await bench.read(log, offset, {
      maxBytes: 1,
      atLeastOneBatch: true,
    });
    if (result.status === 'corrupt') {
      lost.push([offset, result.resumeOffset]);
      offset = result.resumeOffset;
      continue;
    }
    const batches = await bench.batches(log, offset, { maxBytes: 1, atLeastOneBatch: true });
    for (const batch of batches) read.push(...batch.values);
    offset = batches[batches.length - 1]!.nextOffset;
  }
  return { read, lost };
}

describe('local engine: recovery', () => {
  it('takes a checkpoint although each life is too short for one', async (t) => {
    const limits = { ...SMALL, journalFileBytes: 1 << 20, journalBytes: 1 << 20 };
    const { bench } = await setUp(t, { ...limits, checkpointBytes: 16_384 });
    const log = await bench.createLog();
    const value = 'x'.repeat(1000);
    for (let life = 0; life < 3; life++) {
      for (let i = 0; i < 10; i++) await bench.commit(log, [value]);
      if (bench.engine.stats().checkpoints > 0) break;
      await bench.restart('abort');
    }
    await until(() => bench.engine.stats().checkpoints > 0);
  });

  it('cuts a torn tail wherever it is torn, and says so', async (t) => {
    const { folder, bench } = await setUp(t, { ...SMALL, journalFileBytes: 1 << 20 });
    const log = await bench.createLog();
    await commitAll(bench, log, 0, 5);
    await bench.engine.close('abort');
    const [journal] = await filesOf(folder, 'journal-');
    const whole = await readFile(journal!);
    const lastGroup = groupsOf(whole).at(-1)!;
    const manifest = await readFile(join(folder, 'manifest'));
    for (const size of [lastGroup + 10, lastGroup + GROUP_HEADER_BYTES + 1, whole.length - 1]) {
      await writeFile(journal!, whole);
      await truncate(journal!, size);
      await writeFile(join(folder, 'manifest'), manifest);
      for (const extra of (await filesOf(folder, 'journal-')).slice(1)) await rm(extra);
      await bench.restart('abort');
      assert.deepEqual((await readAll(bench, log)).read, values(0, 4), `cut to ${size} bytes`);
      await bench.commit(log, ['after']);
      await bench.restart('abort');
      assert.deepEqual((await readAll(bench, log)).read, [...values(0, 4), 'after']);
      await bench.engine.close('abort');
    }
  });

  it('tells a clean start from one that may have lost something', async (t) => {
    const { folder, bench } = await setUp(t, { ...SMALL, journalFileBytes: 1 << 20 });
    const log = await bench.createLog();
    const epoch = bench.engine.owner(log).epoch;
    await commitAll(bench, log, 0, 3);
    await bench.restart('drain');
    assert.equal(bench.identity?.cleanStart, true);
    assert.equal(bench.engine.owner(log).epoch, epoch);
    await commitAll(bench, log, 3, 6);
    await bench.engine.close('abort');
    const journal = (await filesOf(folder, 'journal-')).at(-1)!;
    await truncate(journal, (await stat(journal)).size - 1);
    await bench.restart('abort');
    assert.equal(bench.identity?.cleanStart, false);
    assert.equal(bench.engine.owner(log).epoch, epoch + 1);
    assert.equal(bench.identity?.incarnation, 3);
  });

  it('quarantines damage to what was acknowledged, and keeps the rest', async (t) => {
    const { folder, bench } = await setUp(t, { ...SMALL, journalFileBytes: 1 << 20 });
    const log = await bench.createLog();
    await commitAll(bench, log, 0, 8);
    await bench.engine.close('abort');
    const [journal] = await filesOf(folder, 'journal-');
    const groups = groupsOf(await readFile(journal!));
    // Groups of the appends follow that of the log's creation: damage the data of value 3.
    const third = groups.length - 8 + 3;
    await flipByte(journal!, groups[third]! + GROUP_HEADER_BYTES + 70);
    await bench.restart('abort');
    const { read, lost } = await readAll(bench, log);
    assert.deepEqual(lost, [[3, 4]]);
    assert.deepEqual(read, [...values(0, 3), ...values(4, 8)]);
    assert.equal(bench.identity?.cleanStart, false);
    assert.equal(bench.engine.stats().quarantinedRanges, 1);
    await bench.restart('drain');
    assert.deepEqual((await readAll(bench, log)).lost, [[3, 4]], 'it is remembered');
  });

  it('goes on behind a group whose header is destroyed', async (t) => {
    const { folder, bench } = await setUp(t, { ...SMALL, journalFileBytes: 1 << 20 });
    const log = await bench.createLog();
    await commitAll(bench, log, 0, 8);
    await bench.engine.close('abort');
    const [journal] = await filesOf(folder, 'journal-');
    const groups = groupsOf(await readFile(journal!));
    await flipByte(journal!, groups[groups.length - 8 + 2]! + 20);
    await bench.restart('abort');
    const { read, lost } = await readAll(bench, log);
    assert.deepEqual(lost, [[2, 3]]);
    assert.deepEqual(read, [...values(0, 2), ...values(3, 8)]);
  });

  it('refuses a folder of a newer version or without its manifest, and changes nothing', async (t) => {
    const { folder, bench } = await setUp(t);
    await bench.createLog();
    await bench.engine.close('drain');
    const path = join(folder, 'manifest');
    const manifest = await readFile(path);
    await rm(path);
    const before = await readdir(folder);
    await assert.rejects(bench.restart(), { code: 'LB2002' });
    assert.deepEqual(await readdir(folder), before);
    await writeFile(path, manifest);
    await bench.restart();
  });

  it('survives the loss of a whole journal file', async (t) => {
    const { folder, bench } = await setUp(t, { ...SMALL, journalBytes: 1 << 20 });
    const log = await bench.createLog();
    await commitAll(bench, log, 0, 60);
    await bench.engine.close('drain');
    const [, second] = await filesOf(folder, 'journal-');
    await rm(second!);
    await bench.restart();
    const { read, lost } = await readAll(bench, log);
    assert.equal(lost.length, 1);
    const [from, to] = lost[0]!;
    assert.deepEqual(read, [...values(0, from), ...values(to, 60)]);
  });
});

describe('local engine: settling', () => {
  it('moves old data into segments, where it is read as before, also after a restart', async (t) => {
    const { folder, bench } = await setUp(t);
    const logs = [await bench.createLog(), await bench.createLog({ durability: 'os' })];
    for (let i = 0; i < 60; i++) {
      for (const log of logs) await bench.commit(log, [`value ${i}`], { timestamp: 1000 + i });
    }
    bench.storage.clock.advance(30_000);
    await until(
      () => bench.engine.stats().settledBytes > 0 && bench.engine.stats().journalFiles < 4,
    );
    assert.ok((await filesOf(folder, 'segment-')).length > 0);
    for (let restarts = 0; restarts < 3; restarts++) {
      for (const log of logs) {
        assert.deepEqual(await bench.values(log), values(0, 60));
        assert.deepEqual((await bench.values(log, 7)).slice(0, 2), values(7, 9));
        assert.equal(await bench.engine.offsetForTime(log, 1005), 5);
        assert.deepEqual(bench.engine.maxTimestamp(log), { timestamp: 1059, baseOffset: 59 });
      }
      await bench.restart(restarts === 0 ? 'abort' : 'drain');
    }
  });

  it('settles shared bodies with the offsets of each log', async (t) => {
    const { bench } = await setUp(t);
    const [a, b] = [await bench.createLog(), await bench.createLog()];
    await bench.commit(b, ['only b']);
    for (let i = 0; i < 60; i++) {
      const batch = buildBatch({ values: [`value ${i}`] });
      await bench.committed(bench.engine.appendShared([a, b], [3, 4], batch, 0, batch.length));
    }
    bench.storage.clock.advance(30_000);
    await until(() => bench.engine.stats().settledBytes > 0);
    assert.deepEqual(await bench.values(a), values(0, 60));
    assert.deepEqual(await bench.values(b), ['only b', ...values(0, 60)]);
    const [first] = await bench.batches(a, 0);
    const [second] = await bench.batches(b, 1);
    assert.deepEqual([first!.epoch, second!.epoch], [3, 4]);
  });

  it('frees the files of trimmed data without copying it', async (t) => {
    const { folder, bench } = await setUp(t);
    const log = await bench.createLog();
    await commitAll(bench, log, 0, 60);
    await bench.committed(bench.engine.trim(log, 58));
    bench.storage.clock.advance(30_000);
    await until(() => bench.engine.stats().journalFiles <= 3);
    assert.deepEqual(await filesOf(folder, 'segment-'), []);
    assert.equal(bench.engine.stats().settledBytes, 0);
    assert.deepEqual(await bench.values(log), values(58, 60));
    await bench.restart('abort');
    assert.deepEqual(await bench.values(log), values(58, 60));
  });

  it('deletes a segment when no log needs it any more', async (t) => {
    const { folder, bench } = await setUp(t);
    const log = await bench.createLog();
    await commitAll(bench, log, 0, 60);
    bench.storage.clock.advance(30_000);
    await until(() => bench.engine.stats().settledBytes > 0);
    await bench.committed(bench.engine.trim(log, 60));
    bench.storage.clock.advance(30_000);
    await until(() => bench.engine.stats().segmentFiles === 0);
    await bench.restart();
    assert.deepEqual(await filesOf(folder, 'segment-'), []);
    assert.deepEqual(await bench.values(log), []);
  });

  it('reports damage in a segment and reads on behind it', async (t) => {
    const { folder, bench } = await setUp(t);
    const log = await bench.createLog();
    await commitAll(bench, log, 0, 60);
    bench.storage.clock.advance(30_000);
    await until(() => bench.engine.stats().settledBytes > 0);
    const [segment] = await filesOf(folder, 'segment-');
    const bytes = await readFile(segment!);
    await flipByte(segment!, bytes.indexOf('value 4') + 3);
    await bench.restart();
    const { read, lost } = await readAll(bench, log);
    assert.deepEqual(lost, [[4, 5]]);
    assert.deepEqual(read, [...values(0, 4), ...values(5, 60)]);
  });

  it('keeps the order and every offset while clients append, read and trim', async (t) => {
    const { bench } = await setUp(t);
    const log = await bench.createLog();
    let next = 0;
    for (let round = 0; round < 12; round++) {
      await commitAll(bench, log, next, next + 25);
      next += 25;
      bench.storage.clock.advance(30_000);
      if (round % 3 === 2) bench.engine.trim(log, next - 60);
      const { start } = bench.engine.bounds(log)!;
      assert.deepEqual(await bench.values(log, start), values(start, next));
      if (round % 4 === 3) await bench.restart(round % 8 === 3 ? 'abort' : 'drain');
    }
  });
});
