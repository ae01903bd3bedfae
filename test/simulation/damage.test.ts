import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BATCH_HEADER_BYTES } from '../../src/base/record-batch.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { LocalEngine } from '../../src/storage/local-engine.ts';
import type { LogEngine } from '../../src/storage/types.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { EngineBench } from '../support/engine-contract/harness.ts';
import { buildBatch, parseSlices } from '../support/record-batches.ts';
import { SteppedClock } from '../support/stepped-clock.ts';
import { SimDisk } from './disk.ts';
import { inTurns } from './in-turns.ts';
import { NO_FAULTS, SimFileSystem } from './sim-file-system.ts';

function engineOn(disk: SimDisk, clock: SteppedClock): LogEngine {
  const fileSystem = new SimFileSystem({
    disk,
    scheduler: inTurns,
    process: { number: 1, alive: true },
    random: new SeededRandom(1),
    faults: NO_FAULTS,
    writesNow: true,
    tellsBoots: false,
    onChange: null,
    onMisuse: (message) => assert.fail(message),
  });
  return new LocalEngine({
    folder: '/data',
    fileSystem,
    clock,
    random: new SeededRandom(2),
    logger: silentLogger,
    reservedBytes: 0,
  });
}

/** Record values of a log as a reader gets them that goes on behind damage. */
async function readAround(engine: LogEngine, log: number): Promise<string[]> {
  const values: string[] = [];
  const { start, committedEnd } = engine.bounds(log)!;
  for (let offset = start; offset < committedEnd;) {
    const before = offset;
    const result = await engine.read(log, offset, { maxBytes: 1 << 20, atLeastOneBatch: true });
    if (result.status === 'corrupt') {
      offset = result.resumeOffset;
    } else {
      assert.equal(result.status, 'ok');
      if (result.status !== 'ok') break;
      for (const batch of parseSlices(result.slices)) {
        values.push(...batch.values);
        offset = batch.nextOffset;
      }
    }
    assert.ok(offset > before, `a reader is stuck at ${before}`);
  }
  return values;
}

test('whichever bit of a stored batch header flips, a reader gets on and gets nothing wrong', async (t) => {
  const clock = new SteppedClock();
  const disk = new SimDisk(1 << 30);
  const bench = await EngineBench.open(t, {
    name: 'local engine',
    durable: true,
    storage: () =>
      Promise.resolve({
        clock,
        engine: () => engineOn(disk, clock),
        dispose: () => Promise.resolve(),
      }),
  });
  const log = await bench.createLog();
  const [first, damaged, last] = [['a', 'b'], ['c', 'd', 'e'], ['f']];
  // One group makes them one piece, in which the way to a batch leads over those before it.
  bench.append(log, first);
  bench.append(log, damaged);
  await bench.commit(log, last);
  await bench.engine.close('drain');
  const [path, position] = findBatch(disk, buildBatch({ values: damaged }));
  for (let bit = 0; bit < BATCH_HEADER_BYTES * 8; bit++) {
    const copy = disk.clone();
    copy.find(path)!.flipBit(position + (bit >>> 3), bit & 7);
    const engine = engineOn(copy, clock);
    await engine.open({ onBatches: () => {}, onNote: () => {} });
    const values = await readAround(engine, log);
    assert.deepEqual(values.slice(0, 2), first, `bit ${bit}`);
    // The leader epoch is not covered by the batch's checksum; everything else is noticed.
    const whole = [...first, ...damaged, ...last];
    const without = [...first, ...last];
    const allowed = [whole, without, first].map((list) => list.join());
    assert.ok(allowed.includes(values.join()), `bit ${bit}: ${values.join()}`);
    await engine.close('abort');
  }
});

/** Where a batch lies in a file, found by its checksum. */
function findBatch(disk: SimDisk, batch: Buffer): [path: string, position: number] {
  const crc = batch.subarray(17, 21);
  for (const name of disk.list('/data')) {
    const inode = disk.find(`/data/${name}`);
    if (inode === undefined) continue;
    const bytes = Buffer.alloc(inode.size);
    inode.read(bytes, bytes.length, 0);
    const found = bytes.indexOf(crc);
    if (found !== -1) return [`/data/${name}`, found - 17];
  }
  return assert.fail('the batch is nowhere');
}
