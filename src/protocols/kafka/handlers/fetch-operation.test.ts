import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { makeBatch } from '../../../../test/support/kafka-batches.ts';
import {
  createTopic,
  fetchRequest,
  partitionsOf,
  produce,
  valuesOf,
} from '../../../../test/support/kafka-calls.ts';
import { openTestBroker } from '../../../../test/support/kafka-test-broker.ts';
import type { TestBroker, TestClient } from '../../../../test/support/kafka-test-broker.ts';
import { createDeferred } from '../../../base/deferred.ts';
import type { Deferred } from '../../../base/deferred.ts';
import type { PartitionView } from '../../../core/types.ts';
import type { Lease, ReadResult } from '../../../storage/types.ts';
import { API_CODECS } from '../codec/generated/apis.ts';
import { KAFKA_ERROR } from '../errors.ts';

/** Counts who holds the memory that was handed out. */
class CountingLease implements Lease {
  held = 0;

  retain(): void {
    this.held++;
  }

  release(): void {
    this.held--;
  }
}

type Reads = ReturnType<PartitionView['read']>;

/** Replaces how a partition reads. */
function stubRead(partition: PartitionView, read: () => Reads): void {
  Object.defineProperty(partition, 'read', { value: read, configurable: true });
}

describe('reads that wait for the disk', () => {
  let tested: TestBroker;
  let client: TestClient;
  let lease: CountingLease;
  const batch = makeBatch(['cold']);

  const partitionOf = (topic: string): PartitionView => {
    const partition = tested.broker.topics.byName('default', topic)?.partition(0) ?? null;
    assert.ok(partition !== null);
    return partition;
  };
  const data = (): ReadResult => ({
    status: 'ok',
    bytes: batch.length,
    slices: [{ buffer: batch, start: 0, end: batch.length, lease }],
  });
  const fetchBoth = (from: TestClient) =>
    from.call(
      API_CODECS.Fetch,
      11,
      fetchRequest([
        { topic: 'warm', offset: 0 },
        { topic: 'cold', offset: 0 },
        { topic: 'last', offset: 0 },
      ]),
    );

  before(async () => {
    tested = await openTestBroker();
    client = tested.connect();
    for (const topic of ['warm', 'cold', 'last']) {
      await createTopic(client, topic, 1);
      await produce(client, 9, { topic, partition: 0, records: batch });
    }
  });

  beforeEach(() => {
    lease = new CountingLease();
    stubRead(partitionOf('warm'), data);
    stubRead(partitionOf('last'), data);
  });

  after(() => tested.close());

  const stubCold = (): Deferred<ReadResult> => {
    const deferred = createDeferred<ReadResult>();
    stubRead(partitionOf('cold'), () => deferred.promise);
    return deferred;
  };

  it('goes on where it stopped, holding what was read until it is sent', async () => {
    const cold = stubCold();
    const waiting = fetchBoth(client);
    assert.equal(lease.held, 1, 'the warm partition is held over the wait');
    cold.resolve(data());
    const partitions = partitionsOf(await waiting);
    assert.deepEqual(
      partitions.map((partition) => valuesOf(partition.records)),
      [['cold'], ['cold'], ['cold']],
    );
    assert.equal(lease.held, 0);
  });

  it('keeps later responses behind', async () => {
    const cold = stubCold();
    const reader = tested.connect();
    const waiting = fetchBoth(reader);
    const behind = reader.call(API_CODECS.ApiVersions, 0, {
      clientSoftwareName: '',
      clientSoftwareVersion: '',
    });
    cold.resolve(data());
    await Promise.all([waiting, behind]);
    assert.deepEqual(reader.order, [1, 2]);
  });

  it('gives everything back when the connection ends meanwhile', async () => {
    const cold = stubCold();
    const reader = tested.connect();
    void fetchBoth(reader);
    reader.disconnect();
    cold.resolve(data());
    await cold.promise;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(lease.held, 0);
    assert.equal(reader.order.length, 0);
  });

  it('closes the connection when a read fails, and says so', async () => {
    const cold = stubCold();
    const reader = tested.connect();
    const waiting = fetchBoth(reader);
    cold.reject(new Error('the disk is gone'));
    await assert.rejects(waiting, /connection closed/);
    assert.equal(lease.held, 0);
    assert.equal(tested.logger.of('kafka.fetch.failed').length, 1);
  });

  it('tells damaged ranges', async () => {
    stubCold().resolve({ status: 'corrupt', resumeOffset: 1 });
    const partitions = partitionsOf(await fetchBoth(client));
    assert.deepEqual(
      partitions.map((partition) => partition.errorCode),
      [KAFKA_ERROR.NONE, KAFKA_ERROR.CORRUPT_MESSAGE, KAFKA_ERROR.NONE],
    );
  });
});
