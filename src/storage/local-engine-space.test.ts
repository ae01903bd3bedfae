import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { EngineBench, turns } from '../../test/support/engine-contract/harness.ts';
import { SteppedClock } from '../../test/support/stepped-clock.ts';
import { SeededRandom } from '../base/random.ts';
import { silentLogger } from '../telemetry/logger.ts';
import type { FileHandle, FileSystem } from './file-system.ts';
import { LocalEngine } from './local-engine.ts';
import type { LocalEngineLimits } from './local-engine-options.ts';
import { createNodeFileSystem } from './node-file-system.ts';

const SMALL: Partial<LocalEngineLimits> = {
  journalFileBytes: 4096,
  journalBytes: 8192,
  cacheBytes: 0,
  blockBytes: 4096,
  blockCacheBytes: 16_384,
  reservedBytes: 0,
};

interface Watched {
  /** Bytes read from files. */
  readBytes: number;
  /** Segment files that were wanted. */
  segments: number;
  /** Resolves before a segment file is made. */
  beforeSegment: Promise<void>;
}

/** The system's files; says how much was read of them, and may keep settling waiting. */
function watchedFileSystem(watched: Watched): FileSystem {
  const inner = createNodeFileSystem();
  const open = inner.open.bind(inner);
  inner.open = async (path, options) => {
    if (options.create && path.includes('segment-')) {
      watched.segments++;
      await watched.beforeSegment;
    }
    const handle = await open(path, options);
    const read = handle.read.bind(handle);
    handle.read = async (...args: Parameters<FileHandle['read']>) => {
      const bytes = await read(...args);
      watched.readBytes += bytes;
      return bytes;
    };
    return handle;
  };
  return inner;
}

async function setUp(
  t: TestContext,
  limits = SMALL,
): Promise<{ bench: EngineBench; watched: Watched }> {
  const folder = await mkdtemp(join(tmpdir(), 'lyrebird-space-'));
  const clock = new SteppedClock();
  const watched: Watched = { readBytes: 0, segments: 0, beforeSegment: Promise.resolve() };
  const fileSystem = watchedFileSystem(watched);
  const fixed = { folder, fileSystem, clock, random: new SeededRandom(7), logger: silentLogger };
  const bench = await EngineBench.open(t, {
    name: 'local',
    durable: true,
    storage: () =>
      Promise.resolve({
        clock,
        engine: () => new LocalEngine({ ...fixed, ...limits }),
        dispose: () => rm(folder, { recursive: true }),
      }),
  });
  return { bench, watched };
}

/** Waits for background work: real files, but no clock to wait for. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    assert.ok(turn < 200_000, 'the engine does not get there');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const values = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `value ${from + i}`);

describe('local engine: space', () => {
  it('repacks a segment file that is mostly dead, and reads it as before', async (t) => {
    const { bench } = await setUp(t);
    const { engine } = bench;
    const [kept, trimmed] = [await bench.createLog(), await bench.createLog()];
    for (let i = 0; i < 60; i++) {
      if (i % 10 === 0) await bench.commit(kept, [`kept ${i}`], { timestamp: 500 + i });
      await bench.commit(trimmed, [`value ${i}`]);
    }
    bench.storage.clock.advance(30_000);
    await until(() => engine.stats().settledBytes > 0 && engine.stats().journalFiles < 4);
    const before = engine.stats().segmentBytes;
    const expected = await bench.values(kept);
    await bench.committed(engine.trim(trimmed, 60));
    bench.storage.clock.advance(30_000);
    await until(() => engine.stats().repackedBytes > 0 && engine.stats().segmentBytes < before / 2);
    for (const mode of ['abort', 'drain'] as const) {
      assert.deepEqual(await bench.values(kept), expected);
      assert.deepEqual(bench.engine.bounds(trimmed)!.start, 60);
      assert.equal(await bench.engine.offsetForTime(kept, 511), 2);
      await bench.restart(mode);
    }
    assert.deepEqual(await bench.values(kept), expected);
  });

  it('holds commits back while settling does not keep up, and goes on when it has', async (t) => {
    const { bench, watched } = await setUp(t);
    const { engine } = bench;
    let settle = (): void => {};
    watched.beforeSegment = new Promise((resolve) => {
      settle = resolve;
    });
    const log = await bench.createLog();
    // The journal outgrows its limit; a checkpoint begins the settling, which waits.
    for (const value of values(0, 100)) await bench.commit(log, [value]);
    bench.storage.clock.advance(30_000);
    await until(() => watched.segments > 0);
    let appended = 100;
    let committed = appended;
    const whenDone = { onCommitted: () => void committed++, onCommitFailed: assert.fail };
    while (appended < 400) {
      engine.whenCommitted(bench.append(log, [`value ${appended++}`]), 'os', whenDone);
      await turns(20);
    }
    assert.ok(committed < appended, 'some commits wait');
    assert.ok(engine.stats().journalBytes < 8192 * 2 + 2 * 4096, 'the journal is bounded');
    settle();
    await until(() => {
      bench.storage.clock.advance(1_000);
      // What the system has is committed to whom that is enough; readers see it when it is on the disk.
      return committed === appended && engine.bounds(log)!.committedEnd === appended;
    });
    assert.ok(engine.stats().pacedMsTotal > 0);
    assert.deepEqual(await bench.values(log), values(0, appended));
  });

  it('lets settled data without timestamps expire by when it was written', async (t) => {
    const { bench } = await setUp(t);
    const { engine, storage } = bench;
    const log = await bench.createLog({ retentionMs: 600_000 });
    for (const value of values(0, 60)) await bench.commit(log, [value], { timestamp: -1 });
    storage.clock.advance(30_000);
    await until(() => engine.stats().settledBytes > 0 && engine.stats().journalFiles < 4);
    await bench.restart();
    storage.clock.advance(300_000);
    await until(() => bench.engine.stats().diskTotalBytes > 0);
    assert.equal(bench.engine.bounds(log)!.start, 0);
    storage.clock.advance(600_000);
    await until(() => bench.engine.bounds(log)!.start >= 40);
  });

  it('reads the far-apart runs of a log without its neighbours', async (t) => {
    const { bench, watched } = await setUp(t, {
      ...SMALL,
      journalFileBytes: 64 << 20,
      journalBytes: 64 << 20,
      blockBytes: 1 << 20,
      blockCacheBytes: 4 << 20,
    });
    const [quiet, busy] = [await bench.createLog(), await bench.createLog()];
    const large = 'x'.repeat(100_000);
    for (let i = 0; i < 40; i++) {
      await bench.commit(quiet, [`value ${i}`]);
      await bench.commit(busy, [large]);
    }
    watched.readBytes = 0;
    assert.deepEqual(await bench.values(quiet), values(0, 40));
    assert.ok(watched.readBytes < 1 << 20, `${watched.readBytes} bytes were read for 40 records`);
    assert.equal(bench.engine.stats().coldReadBytes, 0);
  });
});
