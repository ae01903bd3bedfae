import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { EngineBench, NO_LIMITS } from '../../test/support/engine-contract/harness.ts';
import { SteppedClock } from '../../test/support/stepped-clock.ts';
import { SeededRandom } from '../base/random.ts';
import { silentLogger } from '../telemetry/logger.ts';
import type { FileHandle, FileSystem } from './file-system.ts';
import { LocalEngine } from './local-engine.ts';
import { createNodeFileSystem } from './node-file-system.ts';

/** Keeps operations of the journal waiting while it is closed. */
class Gate {
  private open: Promise<void> = Promise.resolve();
  private release: () => void = () => {};
  waiting = 0;

  shut(): void {
    this.open = new Promise((resolve) => {
      this.release = resolve;
    });
  }

  lift(): void {
    this.release();
  }

  async pass(): Promise<void> {
    this.waiting++;
    await this.open;
    this.waiting--;
  }
}

function gated(inner: FileSystem, gates: { writes: Gate; syncs: Gate }): FileSystem {
  const open = async (path: string, options: { create: boolean }): Promise<FileHandle> => {
    const handle = await inner.open(path, options);
    if (!path.includes('journal-')) return handle;
    return {
      write: async (buffers, position) => {
        await gates.writes.pass();
        await handle.write(buffers, position);
      },
      read: (buffer, length, position) => handle.read(buffer, length, position),
      sync: async () => {
        await gates.syncs.pass();
        await handle.sync();
      },
      truncate: (length) => handle.truncate(length),
      size: () => handle.size(),
      close: () => handle.close(),
    };
  };
  return {
    open,
    makeDirectory: (path) => inner.makeDirectory(path),
    list: (path) => inner.list(path),
    rename: (from, to) => inner.rename(from, to),
    remove: (path) => inner.remove(path),
    exists: (path) => inner.exists(path),
    syncDirectory: (path) => inner.syncDirectory(path),
    space: (path) => inner.space(path),
    lock: (path) => inner.lock(path),
  };
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    assert.ok(turn < 100_000, 'it does not come about');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

it('shows appends of a log in order when it becomes an fsync log while they wait', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lyrebird-alter-'));
  const clock = new SteppedClock();
  const gates = { writes: new Gate(), syncs: new Gate() };
  const fileSystem = gated(createNodeFileSystem(), gates);
  const fixed = { folder, fileSystem, clock, random: new SeededRandom(1), logger: silentLogger };
  const bench = await EngineBench.open(t, {
    name: 'local',
    durable: true,
    storage: () =>
      Promise.resolve({
        clock,
        engine: () => new LocalEngine({ ...fixed, reservedBytes: 0 }),
        dispose: () => rm(folder, { recursive: true }),
      }),
  });
  const { engine } = bench;
  const synced = await bench.createLog();
  const changed = await bench.createLog({ durability: 'os' });
  gates.syncs.shut();
  const altered = engine.meta.txn({ then: [], alterLogs: [{ id: changed, spec: NO_LIMITS }] });
  await until(() => gates.syncs.waiting === 1);
  gates.writes.shut();
  // This group waits for its sync because of one log, and holds data of the other.
  bench.append(synced, ['a']);
  bench.append(changed, ['first']);
  await until(() => gates.writes.waiting === 1);
  // This one was begun when nothing in it needed a sync.
  const last = bench.append(changed, ['second']);
  gates.syncs.lift();
  await altered;
  gates.syncs.shut();
  gates.writes.lift();
  await until(() => gates.syncs.waiting === 1);
  await bench.committed(last, 'os');
  gates.syncs.lift();
  await bench.committed(last);
  assert.equal(engine.bounds(changed)!.committedEnd, 2);
  assert.deepEqual(await bench.values(changed), ['first', 'second']);
});
