import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CoreHarness, NAMESPACE, batchOf, partitionOf } from '../../test/support/core-harness.ts';

describe('CoreBroker', () => {
  it('has an identity when it is open', async () => {
    const { broker, close } = await opened();
    assert.match(broker.clusterId, /^[A-Za-z0-9_-]{22}$/);
    assert.equal(broker.nodeId, 1);
    await close();
  });

  it('shares nothing with another one in the process', async () => {
    const [a, b] = [await CoreHarness.open(), await CoreHarness.open()];
    const topic = await a.topic('t');
    await a.append(partitionOf(topic, 0), batchOf(['x']));
    await a.broker.settings.alter('broker', { x: '1' });
    assert.equal(b.broker.topics.byName(NAMESPACE, 't'), null);
    assert.equal(b.broker.settings.get('broker', 'x'), null);
    await a.close();
    assert.notEqual(await b.topic('t'), null);
    await b.close();
  });

  it('stops everything at close, and closes once', async () => {
    const harness = await CoreHarness.open();
    let stopped = false;
    harness.broker.tasks.run('background', (signal) => {
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          stopped = true;
          resolve();
        });
      });
    });
    const closing = harness.broker.close('drain');
    assert.equal(harness.broker.close('abort'), closing);
    await closing;
    assert.equal(stopped, true);
    await assert.rejects(harness.broker.allocateProducerId(), { code: 'LB3001' });
  });

  it('hands out each producer id once', async () => {
    const { broker, close } = await opened();
    const ids = await Promise.all(Array.from({ length: 2500 }, () => broker.allocateProducerId()));
    assert.equal(new Set(ids).size, 2500);
    assert(ids.every((id) => Number.isSafeInteger(id) && id >= 0));
    await close();
  });

  it('forgets committed offsets of a topic that is deleted', async () => {
    const harness = await CoreHarness.open();
    const { broker } = harness;
    const topic = await harness.topic('t');
    const simple = { groupId: 'g', memberId: '', instanceId: null, generation: -1 };
    const offset = { topicId: topic.id, topic: 't', partition: 0, offset: 5, leaderEpoch: -1 };
    await new Promise<void>((resolve) => {
      broker.groups.commitOffsets(NAMESPACE, simple, [{ ...offset, metadata: '' }], (error) => {
        assert.equal(error, 'none');
        resolve();
      });
    });
    assert.equal(broker.groups.committedOffset(NAMESPACE, 'g', 't', 0)?.offset, 5);
    await broker.topics.delete(NAMESPACE, 't');
    assert.equal(broker.groups.committedOffset(NAMESPACE, 'g', 't', 0), null);
    await harness.close();
  });

  it('tells how much there is', async () => {
    const harness = await CoreHarness.open();
    const topic = await harness.topic('t', { partitions: 3 });
    const producer = { id: 1, epoch: 0, baseSequence: 0 };
    await harness.append(partitionOf(topic, 1), batchOf(['a'], { producer }));
    const values = new Map<string, number | undefined>();
    for (const { name, samples } of harness.broker.metrics()) values.set(name, samples[0]?.value);
    assert.equal(values.get('lyrebird_topics'), 1);
    assert.equal(values.get('lyrebird_partitions'), 3);
    assert.equal(values.get('lyrebird_producers'), 1);
    await harness.close();
  });

  it('forgets silent producers without being asked', async () => {
    const harness = await CoreHarness.open();
    const partition = await harness.partition();
    const producer = { id: 1, epoch: 0, baseSequence: 0 };
    await harness.append(partition, batchOf(['a'], { producer }));
    harness.clock.advance(86_400_000 + 700_000);
    await harness.broker.tasks.close();
    assert.equal(partition.producers().length, 0);
    await harness.close();
  });
});

async function opened(): Promise<{ broker: CoreHarness['broker']; close: () => Promise<void> }> {
  const harness = await CoreHarness.open();
  return { broker: harness.broker, close: () => harness.close() };
}
