import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { SeededRandom } from '../base/random.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { DiskLadder } from './disk-ladder.ts';
import { createNodeFileSystem } from './node-file-system.ts';
import type { DiskState } from './types.ts';

interface Bench {
  readonly folder: string;
  readonly ladder: DiskLadder;
  readonly states: DiskState[];
  /** Share of the disk in use. */
  used: number;
}

async function setUp(t: TestContext): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'lyrebird-ladder-'));
  t.after(() => rm(folder, { recursive: true }));
  const states: DiskState[] = [];
  const node = createNodeFileSystem();
  const space = (): Promise<{ totalBytes: number; freeBytes: number }> =>
    Promise.resolve({ totalBytes: 10_000, freeBytes: Math.round(10_000 * (1 - bench.used)) });
  const fileSystem = Object.assign(Object.create(node) as typeof node, { space });
  const ladder = new DiskLadder({
    fileSystem,
    logger: silentLogger,
    random: new SeededRandom(1),
    folder,
    warn: 0.7,
    shrink: 0.75,
    alarm: 0.8,
    blocked: 0.9,
    reservedBytes: 5000,
    onState: (state) => states.push(state),
  });
  const bench: Bench = { folder, ladder, states, used: 0 };
  return bench;
}

describe('disk ladder', () => {
  it('climbs as the disk fills and comes down with some slack', async (t) => {
    const bench = await setUp(t);
    const expected: [number, DiskState][] = [
      [0.5, 'ok'],
      [0.7, 'warn'],
      [0.695, 'warn'],
      [0.68, 'ok'],
      [0.95, 'blocked'],
      [0.895, 'blocked'],
      [0.85, 'alarm'],
      [0.76, 'shrink'],
      [0.1, 'ok'],
    ];
    for (const [used, state] of expected) {
      bench.used = used;
      await bench.ladder.check();
      assert.equal(bench.ladder.state, state, `${used}`);
    }
    const told = ['warn', 'ok', 'blocked', 'alarm', 'shrink', 'ok'];
    assert.deepEqual(bench.states, told);
  });

  it('says how much has to go', async (t) => {
    const bench = await setUp(t);
    bench.used = 0.78;
    await bench.ladder.check();
    assert.equal(Math.round(bench.ladder.bytesOverShrink), 400);
  });

  it('keeps a reserve, gives it up once, and makes it again when there is room', async (t) => {
    const bench = await setUp(t);
    const reserve = join(bench.folder, 'reserved');
    await bench.ladder.check();
    assert.ok((await stat(reserve)).size >= 5000);
    assert.equal(await bench.ladder.giveUpReserve(), true);
    await assert.rejects(stat(reserve), { code: 'ENOENT' });
    assert.equal(bench.ladder.state, 'blocked');
    assert.equal(await bench.ladder.giveUpReserve(), false);
    bench.used = 0.85;
    await bench.ladder.check();
    await assert.rejects(stat(reserve), { code: 'ENOENT' });
    bench.used = 0.2;
    await bench.ladder.check();
    assert.ok((await stat(reserve)).size >= 5000);
  });
});
