import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeBatch } from '../../../../test/support/kafka-batches.ts';
import { openTestBroker } from '../../../../test/support/kafka-test-broker.ts';
import type { TestBroker, TestClient } from '../../../../test/support/kafka-test-broker.ts';
import { API_CODECS } from '../codec/generated/apis.ts';
import { ZERO_UUID } from '../codec/records.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { createTopic, produce, produceAll } from '../../../../test/support/kafka-calls.ts';

describe('Produce', () => {
  let tested: TestBroker;
  let client: TestClient;

  before(async () => {
    tested = await openTestBroker();
    client = tested.connect();
    await createTopic(client, 'orders', 2);
  });

  after(() => tested.close());

  it('assigns offsets in every served version', async () => {
    await createTopic(client, 'versions', 1);
    const id = tested.broker.topics.byName('default', 'versions')?.id ?? ZERO_UUID;
    for (let version = 3; version <= 13; version++) {
      const answer = await produce(client, version, {
        topic: 'versions',
        topicId: id,
        partition: 0,
        records: makeBatch(['a', 'b']),
      });
      assert.equal(answer.errorCode, KAFKA_ERROR.NONE, `version ${version}`);
      assert.equal(answer.baseOffset, (version - 3) * 2);
      assert.equal(answer.logAppendTimeMs, -1);
    }
  });

  it('answers each partition for itself', async () => {
    const response = await client.call(API_CODECS.Produce, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        {
          name: 'orders',
          topicId: ZERO_UUID,
          partitionData: [
            { index: 0, records: makeBatch(['x']) },
            { index: 7, records: makeBatch(['y']) },
          ],
        },
        {
          name: 'missing',
          topicId: ZERO_UUID,
          partitionData: [{ index: 0, records: makeBatch(['z']) }],
        },
      ],
    });
    const codes = response.responses.map((topic) =>
      topic.partitionResponses.map((partition) => partition.errorCode),
    );
    assert.deepEqual(codes, [
      [KAFKA_ERROR.NONE, KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION],
      [KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION],
    ]);
  });

  it('tells unknown topic ids', async () => {
    const answer = await produce(client, 13, {
      topic: '',
      topicId: Buffer.alloc(16, 7),
      partition: 0,
      records: makeBatch(['x']),
    });
    assert.equal(answer.errorCode, KAFKA_ERROR.UNKNOWN_TOPIC_ID);
  });

  it('refuses what is not one valid batch, and says why', async () => {
    const corrupt = makeBatch(['x']);
    corrupt[corrupt.length - 1] = (corrupt[corrupt.length - 1] ?? 0) ^ 1;
    const old = makeBatch(['x']);
    old.writeInt8(1, 16);
    const two = Buffer.concat([makeBatch(['x']), makeBatch(['y'])]);
    const cases: [string, Buffer | null, number][] = [
      ['null', null, KAFKA_ERROR.INVALID_RECORD],
      ['nothing', Buffer.alloc(0), KAFKA_ERROR.INVALID_RECORD],
      ['wrong checksum', corrupt, KAFKA_ERROR.CORRUPT_MESSAGE],
      ['old format', old, KAFKA_ERROR.INVALID_RECORD],
      ['two batches', two, KAFKA_ERROR.INVALID_RECORD],
      ['control batch', makeBatch(['x'], { attributes: 0x20 }), KAFKA_ERROR.INVALID_RECORD],
      ['transactional', makeBatch(['x'], { attributes: 0x10 }), KAFKA_ERROR.INVALID_TXN_STATE],
      ['too short', Buffer.alloc(20, 2), KAFKA_ERROR.CORRUPT_MESSAGE],
    ];
    for (const [name, records, code] of cases) {
      const answer = await produce(client, 9, { topic: 'orders', partition: 1, records });
      assert.equal(answer.errorCode, code, name);
      assert.equal(answer.baseOffset, -1, name);
    }
  });

  it('takes zstd only from versions that know it', async () => {
    const records = makeBatch(['x'], { attributes: 4 });
    const early = await produce(client, 6, { topic: 'orders', partition: 1, records });
    assert.equal(early.errorCode, KAFKA_ERROR.UNSUPPORTED_COMPRESSION_TYPE);
  });

  it('refuses unknown acks and transactional ids', async () => {
    const records = makeBatch(['x']);
    const acks = await produce(client, 9, { topic: 'orders', partition: 0, records, acks: 2 });
    assert.equal(acks.errorCode, KAFKA_ERROR.INVALID_REQUIRED_ACKS);
    const transactional = await produce(client, 9, {
      topic: 'orders',
      partition: 0,
      records,
      transactionalId: 't',
    });
    assert.equal(transactional.errorCode, KAFKA_ERROR.INVALID_TXN_STATE);
  });

  it('stamps append time when the topic says so', async () => {
    await createTopic(client, 'stamped', 1, { 'message.timestamp.type': 'LogAppendTime' });
    const answer = await produce(client, 9, {
      topic: 'stamped',
      partition: 0,
      records: makeBatch(['x'], { timestampMs: 1 }),
    });
    assert.equal(answer.errorCode, KAFKA_ERROR.NONE);
    assert.ok(answer.logAppendTimeMs > 1_000_000);
  });

  it('enforces max.message.bytes', async () => {
    await createTopic(client, 'small', 1, { 'max.message.bytes': '100' });
    const answer = await produce(client, 9, {
      topic: 'small',
      partition: 0,
      records: makeBatch(['x'.repeat(200)]),
    });
    assert.equal(answer.errorCode, KAFKA_ERROR.MESSAGE_TOO_LARGE);
  });

  it('wants keys on topics meant to be compacted', async () => {
    await createTopic(client, 'keyed', 1, { 'cleanup.policy': 'compact' });
    const without = await produce(client, 9, {
      topic: 'keyed',
      partition: 0,
      records: makeBatch(['x']),
    });
    assert.equal(without.errorCode, KAFKA_ERROR.INVALID_RECORD);
    assert.match(without.errorMessage ?? '', /needs a key/);
    assert.deepEqual(without.recordErrors, [{ batchIndex: 0, batchIndexErrorMessage: null }]);
    const keyed = await produce(client, 9, {
      topic: 'keyed',
      partition: 0,
      records: makeBatch(['x'], { keys: true }),
    });
    assert.equal(keyed.errorCode, KAFKA_ERROR.NONE);
  });

  it('recognises an idempotent producer', async () => {
    await createTopic(client, 'idempotent', 1);
    const send = (baseSequence: number, producerEpoch = 0) =>
      produce(client, 9, {
        topic: 'idempotent',
        partition: 0,
        records: makeBatch(['x'], { producerId: 5, producerEpoch, baseSequence }),
      });
    assert.equal((await send(0)).baseOffset, 0);
    assert.equal((await send(1)).baseOffset, 1);
    const again = await send(0);
    assert.deepEqual([again.errorCode, again.baseOffset], [KAFKA_ERROR.NONE, 0]);
    assert.equal((await send(9)).errorCode, KAFKA_ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert.equal((await send(0, 1)).errorCode, KAFKA_ERROR.NONE);
    assert.equal((await send(2, 0)).errorCode, KAFKA_ERROR.INVALID_PRODUCER_EPOCH);
  });

  it('answers many partitions of several durabilities once', async () => {
    for (const durability of ['fsync', 'os', 'memory']) {
      await createTopic(client, `d-${durability}`, 3, { 'lyrebird.durability': durability });
    }
    const answers = await produceAll(
      client,
      ['fsync', 'os', 'memory'].flatMap((durability) =>
        [0, 1, 2].map((partition) => ({ topic: `d-${durability}`, partition })),
      ),
    );
    assert.deepEqual(
      answers.map((answer) => [answer.errorCode, answer.baseOffset]),
      answers.map(() => [KAFKA_ERROR.NONE, 0]),
    );
  });

  it('counts what it appends', async () => {
    await createTopic(client, 'counted', 1);
    const records = makeBatch(['a', 'b', 'c']);
    await produce(client, 9, { topic: 'counted', partition: 0, records });
    const topic = tested.broker.topics.byName('default', 'counted');
    assert.ok(topic !== null);
    const meter = tested.frontend.services.metrics.of(topic);
    assert.deepEqual([meter.messagesIn, meter.bytesIn], [3, records.length]);
  });
});
