import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { createBroker } from '../../src/index.ts';
import { SERVER_DEFAULTS } from '../../src/server/options.ts';
import { startServer } from '../../src/server/start-server.ts';
import { consume, kafkaOf } from '../support/kafkajs.ts';
import { tempFolder } from '../support/temp-folder.ts';

describe('stopping', () => {
  it('keeps every acknowledged record when it stops under load', async () => {
    const folder = await tempFolder();
    const storage = { path: folder.path };
    const broker = await createBroker({ storage });
    await broker.topics.create('load', { partitions: 3 });
    const producer = kafkaOf(broker, { retry: { retries: 0 } }).producer();
    await producer.connect();
    const acknowledged = new Set<string>();
    const stopping = new AbortController();
    const publish = async (name: string): Promise<void> => {
      for (let i = 0; !stopping.signal.aborted; i++) {
        const value = `${name}-${i}`;
        try {
          await producer.send({ topic: 'load', messages: [{ key: value, value }] });
          acknowledged.add(value);
        } catch {
          return; // the broker is gone: this one was not acknowledged
        }
      }
    };
    const publishers = Array.from({ length: 8 }, (_, i) => publish(`p${i}`));
    await broker.topics.waitForRecords('load', 200);
    await broker.close();
    stopping.abort();
    await Promise.all(publishers);
    await producer.disconnect();

    const again = await createBroker({ storage });
    const records = again.topics.get('load')?.records ?? 0;
    assert.ok(records >= acknowledged.size);
    const consumed = await consume(kafkaOf(again), { topic: 'load', group: 'g', count: records });
    for (const { message } of consumed) acknowledged.delete(message.value?.toString() ?? '');
    assert.deepEqual([...acknowledged], []);
    await again.close();
    await folder.remove();
  });

  it('answers what is parked, and does not wait for idle clients', async () => {
    const broker = await createBroker();
    const kafka = kafkaOf(broker, { retry: { retries: 0 } });
    await broker.topics.create('quiet');
    const consumer = kafka.consumer({
      groupId: 'g',
      maxWaitTimeInMs: 30_000,
      retry: { retries: 0, restartOnFailure: async () => false },
    });
    await consumer.connect();
    await consumer.subscribe({ topic: 'quiet' });
    await consumer.run({ eachMessage: async () => {} });
    await broker.groups.waitForMembers('g');
    const outcome = await Promise.race([
      broker.close().then(() => 'closed'),
      sleep(8000, 'still waiting', { ref: false }),
    ]);
    assert.equal(outcome, 'closed');
    await consumer.disconnect();
  });

  it('can be hastened, and asked twice', async () => {
    const server = await startServer({
      ...SERVER_DEFAULTS,
      listeners: [{ name: 'kafka', scheme: 'kafka', host: '127.0.0.1', port: 0, tls: null }],
    });
    const first = server.close('drain');
    const second = server.close('abort');
    assert.equal(first, second);
    await second;
  });
});
