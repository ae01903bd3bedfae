import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeBatch } from '../../../test/support/kafka-batches.ts';
import {
  createTopic,
  fetchRequest,
  partitionsOf,
  produce,
} from '../../../test/support/kafka-calls.ts';
import { openTestBroker } from '../../../test/support/kafka-test-broker.ts';
import type { TestBroker, TestClient } from '../../../test/support/kafka-test-broker.ts';
import type { PartitionView } from '../../core/types.ts';
import type { CommitListener } from '../../storage/types.ts';
import { API_CODECS } from './codec/generated/apis.ts';
import { KAFKA_ERROR } from './errors.ts';

describe('Kafka clients under pressure', () => {
  let tested: TestBroker;
  let client: TestClient;

  before(async () => {
    tested = await openTestBroker();
    client = tested.connect();
    await createTopic(client, 'orders', 1);
  });

  after(() => tested.close());

  const partition = (): PartitionView => {
    const found = tested.broker.topics.byName('default', 'orders')?.partition(0) ?? null;
    assert.ok(found !== null);
    return found;
  };
  const send = (from: TestClient) =>
    produce(from, 9, { topic: 'orders', partition: 0, records: makeBatch(['x']) });

  it('stops reading from publishers while storage has too much to write', async () => {
    const { engine } = tested.broker;
    const publisher = tested.connect();
    const original = engine.writable.bind(engine);
    Object.defineProperty(engine, 'writable', { value: () => false, configurable: true });
    assert.equal((await send(publisher)).errorCode, KAFKA_ERROR.NONE);
    assert.ok(publisher.connection.paused.has('storage'));
    const reader = tested.connect();
    await reader.call(API_CODECS.Fetch, 11, fetchRequest([{ topic: 'orders', offset: 0 }]));
    assert.ok(!reader.connection.paused.has('storage'), 'who reads is not held up');
    Object.defineProperty(engine, 'writable', { value: original, configurable: true });
    publisher.disconnect();
  });

  it('answers a storage error when a commit fails, which producers retry', async () => {
    const target = partition();
    const failing = (_position: number, listener: CommitListener): void =>
      listener.onCommitFailed(new Error('sync failed'));
    Object.defineProperty(target, 'whenCommitted', { value: failing, configurable: true });
    const answer = await send(client);
    assert.deepEqual([answer.errorCode, answer.baseOffset], [KAFKA_ERROR.KAFKA_STORAGE_ERROR, -1]);
    Reflect.deleteProperty(target, 'whenCommitted');
    assert.equal((await send(client)).errorCode, KAFKA_ERROR.NONE);
  });

  it('answers a retriable error while the disk is full', async () => {
    const target = partition();
    const refuse = () => ({ status: 'disk-full', message: 'full' }) as const;
    Object.defineProperty(target, 'appendBatch', { value: refuse, configurable: true });
    const answer = await send(client);
    assert.deepEqual(
      [answer.errorCode, answer.errorMessage],
      [KAFKA_ERROR.KAFKA_STORAGE_ERROR, 'full'],
    );
    await send(client);
    assert.equal(tested.logger.of('kafka.produce.refused').length, 1, 'said once, not per batch');
    Reflect.deleteProperty(target, 'appendBatch');
  });

  it('forgets a request whose connection ended before its commit', async () => {
    const target = partition();
    const waiting: CommitListener[] = [];
    const wait = (_position: number, listener: CommitListener): void => void waiting.push(listener);
    Object.defineProperty(target, 'whenCommitted', { value: wait, configurable: true });
    const publisher = tested.connect();
    void send(publisher).catch(() => {});
    assert.equal(waiting.length, 1);
    publisher.disconnect();
    waiting[0]?.onCommitted();
    assert.equal(publisher.order.length, 0);
    Reflect.deleteProperty(target, 'whenCommitted');
    assert.equal((await send(client)).errorCode, KAFKA_ERROR.NONE);
  });

  it('holds clients back that exceed their quotas', async () => {
    await tested.broker.quotas.alter({ clientId: 'test' }, { 'publish-bytes': 1 });
    const publisher = tested.connect();
    const response = await publisher.call(API_CODECS.Produce, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        {
          name: 'orders',
          topicId: Buffer.alloc(16),
          partitionData: [{ index: 0, records: makeBatch(['x'.repeat(1000)]) }],
        },
      ],
    });
    assert.ok(response.throttleTimeMs > 0);
    assert.ok(publisher.connection.paused.has('quota'));
    await tested.broker.quotas.alter({ clientId: 'test' }, { 'publish-bytes': null });
    publisher.disconnect();
    const reader = tested.connect();
    await tested.broker.quotas.alter({ clientId: 'test' }, { 'fetch-bytes': 1 });
    const fetched = await reader.call(
      API_CODECS.Fetch,
      11,
      fetchRequest([{ topic: 'orders', offset: 0 }]),
    );
    assert.ok((partitionsOf(fetched)[0]?.records?.bytes ?? 0) > 0);
    assert.ok(fetched.throttleTimeMs > 0);
    await tested.broker.quotas.alter({ clientId: 'test' }, { 'fetch-bytes': null });
    reader.disconnect();
  });
});
