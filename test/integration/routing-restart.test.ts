import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SystemClock } from '../../src/base/clock.ts';
import { SystemRandom } from '../../src/base/random.ts';
import { CoreBroker } from '../../src/core/core-broker.ts';
import { LocalEngine } from '../../src/storage/local-engine.ts';
import { createNodeFileSystem } from '../../src/storage/node-file-system.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { NAMESPACE, TOPIC_CONFIG } from '../support/core-harness.ts';
import { messageOf, newBinding, newExchange, withBody } from '../support/routing-harness.ts';

let folder: string;
let broker: CoreBroker;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lyrebird-routing-'));
});

afterEach(async () => {
  await broker.close('abort');
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const clock = new SystemClock();
  const random = new SystemRandom();
  const fileSystem = createNodeFileSystem();
  const logger = silentLogger;
  const engine = new LocalEngine({ clock, random, logger, fileSystem, folder });
  broker = new CoreBroker({ engine, clock, random, logger });
  await broker.open();
}

async function declareQueue(name: string): Promise<void> {
  const { status } = await broker.queues.declare({
    namespace: NAMESPACE,
    name,
    durable: true,
    autoDelete: false,
    exclusiveOwner: null,
    arguments: {},
  });
  assert.equal(status, 'ok');
}

/** Publishes, and resolves with how many took it when that is durable. */
async function publish(key: string): Promise<number> {
  const message = messageOf('e', key, { ...withBody('x'), persistent: true });
  const accepted = broker.router.publish(NAMESPACE, message)?.accepted ?? 0;
  const { queues } = broker;
  await new Promise<void>((resolve, reject) => {
    queues.whenCommitted(queues.ticket, { onCommitted: resolve, onCommitFailed: reject });
  });
  return accepted;
}

describe('routing on disk', () => {
  for (const mode of ['drain', 'abort'] as const) {
    it(`knows exchanges and bindings again after a restart (${mode})`, async () => {
      await start();
      const topic = { namespace: NAMESPACE, name: 't', partitions: 1 };
      await broker.topics.create({ ...topic, config: TOPIC_CONFIG, overrides: {} });
      for (const name of ['q', 'gone']) await declareQueue(name);
      await broker.router.declareExchange(newExchange('e', 'topic', { durable: true }));
      for (const name of ['q', 'gone']) await broker.router.bind(newBinding('e', name, 'a.*'));
      await broker.router.bind(newBinding('e', 't', '#', { destinationKind: 'topic' }));
      assert.equal(await publish('a.b'), 3);
      await broker.queues.delete(NAMESPACE, 'gone', {});
      await broker.close(mode);

      await start();
      assert.deepEqual(
        broker.router.bindings(NAMESPACE).map(({ destination }) => destination),
        ['q', 't'],
      );
      assert.equal(await publish('a.b'), 2);
      assert.equal(await publish('b'), 1);
      assert.equal(broker.queues.byName(NAMESPACE, 'q')?.counts.ready, 2);
      const partition = broker.topics.byName(NAMESPACE, 't')?.partition(0);
      assert.equal(partition?.highWatermark, 3);
      await declareQueue('gone');
      assert.equal(await publish('a.c'), 2);
    });
  }
});
