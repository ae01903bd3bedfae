import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SystemClock } from '../../src/base/clock.ts';
import { SystemRandom } from '../../src/base/random.ts';
import { CoreBroker } from '../../src/core/core-broker.ts';
import type { Partition } from '../../src/core/partition/partition.ts';
import { LocalEngine } from '../../src/storage/local-engine.ts';
import type { LocalEngineLimits } from '../../src/storage/local-engine-options.ts';
import { createNodeFileSystem } from '../../src/storage/node-file-system.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { NAMESPACE, TOPIC_CONFIG, batchOf } from '../support/core-harness.ts';

let folder: string;
let broker: CoreBroker;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lyrebird-core-'));
});

afterEach(async () => {
  await broker.close('abort');
  await rm(folder, { recursive: true, force: true });
});

async function start(limits: Partial<LocalEngineLimits> = {}): Promise<void> {
  const clock = new SystemClock();
  const random = new SystemRandom();
  const fileSystem = createNodeFileSystem();
  const logger = silentLogger;
  const engine = new LocalEngine({ clock, random, logger, fileSystem, folder, ...limits });
  broker = new CoreBroker({ engine, clock, random, logger });
  await broker.open();
}

async function restart(
  mode: 'drain' | 'abort',
  limits?: Partial<LocalEngineLimits>,
): Promise<void> {
  await broker.close(mode);
  await start(limits);
}

function partition(name: string, index = 0): Partition {
  const found = broker.topics.byName(NAMESPACE, name)?.partition(index);
  assert(found);
  return found;
}

async function create(name: string, partitions: number): Promise<void> {
  const topic = { namespace: NAMESPACE, name, partitions, config: TOPIC_CONFIG, overrides: {} };
  assert.equal((await broker.topics.create(topic)).status, 'ok');
}

function produced(baseSequence: number): Buffer {
  const timestamp = 1_700_000_000_000 + baseSequence;
  return batchOf([{ value: 'a'.repeat(100), timestamp }], {
    producer: { id: 5, epoch: 0, baseSequence },
  });
}

async function append(to: Partition, batch: Buffer): Promise<void> {
  const outcome = to.appendBatch(batch, 0, batch.length);
  assert(outcome.status === 'ok', JSON.stringify(outcome));
  await new Promise<void>((resolve, reject) => {
    to.whenCommitted(outcome.position, { onCommitted: resolve, onCommitFailed: reject });
  });
}

describe('the core on disk', () => {
  for (const mode of ['drain', 'abort'] as const) {
    it(`knows producers, topics and settings again after a restart (${mode})`, async () => {
      await start();
      await create('t', 3);
      await broker.topics.setPartitionCount(NAMESPACE, 't', 5);
      await broker.settings.alter('broker', { x: '1' });
      await broker.quotas.alter({ user: 'u' }, { 'publish-bytes': 10 });
      const id = broker.topics.byName(NAMESPACE, 't')?.id;
      const clusterId = broker.clusterId;
      const producerId = await broker.allocateProducerId();
      for (let sequence = 0; sequence < 7; sequence++)
        await append(partition('t', 4), produced(sequence));
      const producers = partition('t', 4).producers();
      await restart(mode);
      assert.equal(broker.clusterId, clusterId);
      assert(id && broker.topics.byId(id)?.partitionCount === 5);
      assert.equal(broker.settings.get('broker', 'x'), '1');
      assert.equal(broker.quotas.describe().length, 1);
      assert.notEqual(await broker.allocateProducerId(), producerId);
      assert.deepEqual(partition('t', 4).producers(), producers);
      for (let sequence = 2; sequence < 7; sequence++) {
        const again = produced(sequence);
        const outcome = partition('t', 4).appendBatch(again, 0, again.length);
        assert(outcome.status === 'duplicate');
        assert.equal(outcome.baseOffset, sequence);
        await new Promise<void>((resolve, reject) => {
          const listener = { onCommitted: resolve, onCommitFailed: reject };
          partition('t', 4).whenCommitted(outcome.position, listener);
        });
      }
      const tooOld = produced(1);
      const outcome = partition('t', 4).appendBatch(tooOld, 0, tooOld.length);
      assert.equal(outcome.status, 'out-of-order-sequence');
      await append(partition('t', 4), produced(7));
    });
  }

  it('knows producers when checkpoints and crashes alternate', async () => {
    // A checkpoint every few batches, so that snapshots and replay meet at many places.
    const limits = { checkpointBytes: 600, checkpointMs: 1 };
    await start(limits);
    await create('t', 2);
    let sequence = 0;
    for (let round = 0; round < 8; round++) {
      for (let i = 0; i <= round; i++, sequence++) {
        await append(partition('t'), produced(sequence));
        await append(partition('t', 1), batchOf(['no producer']));
      }
      const before = partition('t').producers();
      await restart(round % 3 === 2 ? 'drain' : 'abort', limits);
      assert.deepEqual(partition('t').producers(), before, `round ${round}`);
    }
    assert.equal(partition('t').highWatermark, sequence);
    const found = await partition('t').offsetForTimestamp(1_700_000_000_000 + 20);
    assert.deepEqual(found, { offset: 20, timestamp: 1_700_000_000_020 });
  });

  it('answers where an epoch ended, over all restarts', async () => {
    await start();
    await create('t', 1);
    const ends: { epoch: number; end: number }[] = [];
    for (let round = 0; round < 4; round++) {
      await append(partition('t'), batchOf(['a', 'b']));
      const { leaderEpoch: epoch, highWatermark: end } = partition('t');
      const last = ends.at(-1);
      if (last?.epoch === epoch) last.end = end;
      else ends.push({ epoch, end });
      await restart(round % 2 === 0 ? 'abort' : 'drain');
    }
    for (const { epoch, end } of ends) {
      assert.deepEqual(partition('t').endOffsetForEpoch(epoch), { epoch, endOffset: end });
    }
  });
});
