import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { createBroker, LyrebirdError } from '../../src/index.ts';
import { consume, kafkaOf, numbered, produce, valuesOf } from '../support/kafkajs.ts';
import { tempFolder } from '../support/temp-folder.ts';

const hasCode = (code: string) => (error: unknown) =>
  error instanceof LyrebirdError && error.code === code;

describe('createBroker', () => {
  it('opens Kafka on a free loopback port, and closes everything when disposed', async () => {
    let port: number;
    {
      await using broker = await createBroker();
      const address = broker.address('kafka');
      port = address.port;
      assert.equal(address.host, '127.0.0.1');
      assert.equal(broker.url('kafka'), `kafka://127.0.0.1:${port}`);
      assert.equal(broker.bootstrapServers, `127.0.0.1:${port}`);
      assert.throws(() => broker.address('mqtt'), hasCode('LB1005'));
      await broker.close();
    }
    const socket = connect(port, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });

  it('lets two brokers of one process share nothing', async () => {
    await using one = await createBroker();
    await using two = await createBroker();
    await produce(kafkaOf(one), 'same', numbered('one', 3));
    await produce(kafkaOf(two), 'same', numbered('two', 5));
    assert.equal(one.topics.get('same')?.records, 3);
    assert.equal(two.topics.get('same')?.records, 5);
    await one.close();
    await produce(kafkaOf(two), 'same', numbered('more', 1));
    assert.equal(two.topics.get('same')?.records, 6);
  });

  it('keeps topics, records, configurations and committed offsets over a restart', async () => {
    const folder = await tempFolder();
    const storage = { path: folder.path };
    {
      await using broker = await createBroker({ storage });
      await broker.topics.create('kept', { partitions: 2, config: { 'retention.ms': '3600000' } });
      await produce(kafkaOf(broker), 'kept', numbered('k', 50));
      await consume(kafkaOf(broker), { topic: 'kept', group: 'g', count: 50 });
      await produce(kafkaOf(broker), 'kept', numbered('l', 5));
    }
    {
      await using broker = await createBroker({ storage });
      assert.equal(broker.topics.get('kept')?.partitions, 2);
      assert.equal(broker.topics.get('kept')?.records, 55);
      assert.equal(broker.groups.lag('g', 'kept'), 5);
      const rest = await consume(kafkaOf(broker), { topic: 'kept', group: 'g', count: 5 });
      assert.deepEqual(valuesOf(rest), numbered('l', 5));
      const all = await consume(kafkaOf(broker), { topic: 'kept', group: 'other', count: 55 });
      assert.equal(all.length, 55);
    }
    await folder.remove();
  });

  it('takes keys of the configuration, and refuses unknown ones', async () => {
    await using broker = await createBroker({ settings: { 'kafka.auto_create_partitions': 4 } });
    await produce(kafkaOf(broker), 'wide', ['x']);
    assert.equal(broker.topics.get('wide')?.partitions, 4);
    await assert.rejects(createBroker({ settings: { 'kafka.no_such_key': 1 } }), hasCode('LB1001'));
    await assert.rejects(createBroker({ settings: { 'storage.path': 'x' } }), hasCode('LB1001'));
  });

  it('manages topics and groups, and resets in one go', async () => {
    await using broker = await createBroker();
    const created = await broker.topics.create('t', { partitions: 3 });
    assert.deepEqual(
      created.offsets,
      [0, 1, 2].map(() => ({ start: 0, end: 0 })),
    );
    await assert.rejects(broker.topics.create('t'), hasCode('LB3002'));
    await assert.rejects(
      broker.topics.create('bad', { config: { nonsense: '1' } }),
      hasCode('LB3002'),
    );
    await assert.rejects(broker.topics.delete('absent'), hasCode('LB3002'));
    assert.equal((await broker.topics.setPartitions('t', 5)).partitions, 5);
    await produce(kafkaOf(broker), 't', ['a', 'b']);
    await assert.rejects(broker.groups.waitForLag('nobody', { timeoutMs: 1 }), hasCode('LB3003'));
    await consume(kafkaOf(broker), { topic: 't', group: 'g', count: 2 });
    await broker.groups.waitForLag('g', { topic: 't' });
    assert.deepEqual(broker.groups.list(), ['g']);
    await broker.reset();
    assert.deepEqual(broker.topics.list(), []);
    assert.deepEqual(broker.groups.list(), []);
    await produce(kafkaOf(broker), 't', ['c']);
    assert.equal(broker.topics.get('t')?.records, 1);
  });
});
