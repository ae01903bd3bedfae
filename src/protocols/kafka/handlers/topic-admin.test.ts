import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeBatch } from '../../../../test/support/kafka-batches.ts';
import { createTopic, produce } from '../../../../test/support/kafka-calls.ts';
import { openTestBroker } from '../../../../test/support/kafka-test-broker.ts';
import type { TestBroker, TestClient } from '../../../../test/support/kafka-test-broker.ts';
import { API_CODECS } from '../codec/generated/apis.ts';
import type { CreateTopicsRequestTopic } from '../codec/generated/create-topics.ts';
import type { MetadataRequest } from '../codec/generated/metadata.ts';
import { ZERO_UUID } from '../codec/records.ts';
import { KAFKA_ERROR } from '../errors.ts';

describe('topic administration', () => {
  let tested: TestBroker;
  let client: TestClient;

  before(async () => {
    tested = await openTestBroker({ defaultPartitions: 3, maxPartitionsPerTopic: 50 });
    client = tested.connect();
  });

  after(() => tested.close());

  const topic = (name: string, more: Partial<CreateTopicsRequestTopic> = {}) => ({
    name,
    numPartitions: -1,
    replicationFactor: -1,
    assignments: [],
    configs: [],
    ...more,
  });
  const create = async (
    topics: CreateTopicsRequestTopic[],
    { version = 7, validateOnly = false } = {},
  ) => {
    const request = { topics, timeoutMs: 1000, validateOnly };
    return (await client.call(API_CODECS.CreateTopics, version, request)).topics;
  };
  const codeOf = async (name: string, more: Partial<CreateTopicsRequestTopic>) =>
    (await create([topic(name, more)]))[0]?.errorCode;
  const metadata = (version: number, more: Partial<MetadataRequest>) =>
    client.call(API_CODECS.Metadata, version, {
      topics: null,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
      ...more,
    });

  it('creates topics in every version, with defaults', async () => {
    for (let version = 0; version <= 7; version++) {
      const [made] = await create([topic(`made-${version}`)], { version });
      assert.equal(made?.errorCode, KAFKA_ERROR.NONE);
      const view = tested.broker.topics.byName('default', `made-${version}`);
      assert.equal(view?.partitionCount, 3);
      if (version >= 7) assert.ok(made?.topicId.equals(view?.id ?? ZERO_UUID));
      if (version >= 5) assert.equal(made?.numPartitions, 3);
    }
  });

  it('refuses what cannot be, with the error that tools know', async () => {
    const cases: [string, Partial<CreateTopicsRequestTopic>, number][] = [
      ['made-0', {}, KAFKA_ERROR.TOPIC_ALREADY_EXISTS],
      ['a b', {}, KAFKA_ERROR.INVALID_TOPIC_EXCEPTION],
      ['x'.repeat(250), {}, KAFKA_ERROR.INVALID_TOPIC_EXCEPTION],
      ['p0', { numPartitions: 0 }, KAFKA_ERROR.INVALID_PARTITIONS],
      ['p51', { numPartitions: 51 }, KAFKA_ERROR.INVALID_PARTITIONS],
      ['r0', { replicationFactor: 0 }, KAFKA_ERROR.INVALID_REPLICATION_FACTOR],
      ['r2', { replicationFactor: 2 }, KAFKA_ERROR.INVALID_REPLICATION_FACTOR],
      ['c1', { configs: [{ name: 'no.such', value: '1' }] }, KAFKA_ERROR.INVALID_CONFIG],
      ['c2', { configs: [{ name: 'retention.ms', value: 'abc' }] }, KAFKA_ERROR.INVALID_CONFIG],
      ['c3', { configs: [{ name: 'retention.ms', value: null }] }, KAFKA_ERROR.INVALID_CONFIG],
      [
        'c4',
        { configs: [{ name: 'remote.storage.enable', value: 'true' }] },
        KAFKA_ERROR.INVALID_CONFIG,
      ],
      [
        'a1',
        { numPartitions: 2, assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
        KAFKA_ERROR.INVALID_REQUEST,
      ],
      [
        'a2',
        { assignments: [{ partitionIndex: 0, brokerIds: [9] }] },
        KAFKA_ERROR.INVALID_REPLICA_ASSIGNMENT,
      ],
      [
        'a3',
        { assignments: [{ partitionIndex: 1, brokerIds: [1] }] },
        KAFKA_ERROR.INVALID_REPLICA_ASSIGNMENT,
      ],
    ];
    for (const [name, more, code] of cases) {
      assert.equal(await codeOf(name, more), code, name);
      const existed = code === KAFKA_ERROR.TOPIC_ALREADY_EXISTS;
      assert.equal(tested.broker.topics.byName('default', name) !== null, existed, name);
    }
  });

  it('refuses a name given twice', async () => {
    const topics = await create([topic('twice'), topic('twice'), topic('once')]);
    assert.deepEqual(
      topics.map((one) => [one.name, one.errorCode]),
      [
        ['twice', KAFKA_ERROR.INVALID_REQUEST],
        ['once', KAFKA_ERROR.NONE],
      ],
    );
  });

  it('takes manual assignments on this broker', async () => {
    const assignments = [0, 1].map((partitionIndex) => ({ partitionIndex, brokerIds: [1] }));
    assert.equal(await codeOf('assigned', { assignments }), KAFKA_ERROR.NONE);
    assert.equal(tested.broker.topics.byName('default', 'assigned')?.partitionCount, 2);
  });

  it('only validates when asked to', async () => {
    const [checked] = await create([topic('checked')], { validateOnly: true });
    assert.equal(checked?.errorCode, KAFKA_ERROR.NONE);
    assert.equal(tested.broker.topics.byName('default', 'checked'), null);
    const [bad] = await create([topic('a b')], { validateOnly: true });
    assert.equal(bad?.errorCode, KAFKA_ERROR.INVALID_TOPIC_EXCEPTION);
  });

  it('describes topics in every version of Metadata', async () => {
    for (let version = 0; version <= 13; version++) {
      const named = await metadata(version, { topics: [{ name: 'made-1', topicId: ZERO_UUID }] });
      const [one] = named.topics;
      assert.deepEqual([one?.name, one?.partitions.length], ['made-1', 3], `version ${version}`);
      const all = await metadata(version, { topics: version === 0 ? [] : null });
      assert.ok(all.topics.length >= 8);
    }
    const none = await metadata(1, { topics: [] });
    assert.deepEqual(none.topics, []);
  });

  it('finds topics by id, and tells unknown ones', async () => {
    const id = tested.broker.topics.byName('default', 'made-1')?.id ?? ZERO_UUID;
    const wanted = [
      { name: null, topicId: id },
      { name: null, topicId: Buffer.alloc(16, 9) },
      { name: 'never', topicId: ZERO_UUID },
      { name: 'a b', topicId: ZERO_UUID },
    ];
    const { topics } = await metadata(12, { topics: wanted });
    assert.deepEqual(
      topics.map((one) => one.errorCode),
      [
        KAFKA_ERROR.NONE,
        KAFKA_ERROR.UNKNOWN_TOPIC_ID,
        KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION,
        KAFKA_ERROR.INVALID_TOPIC_EXCEPTION,
      ],
    );
    assert.equal(topics[0]?.name, 'made-1');
  });

  it('creates one topic for clients that ask at the same time', async () => {
    const ask = (from: TestClient) =>
      from.call(API_CODECS.Metadata, 9, {
        topics: [{ name: 'raced', topicId: ZERO_UUID }],
        allowAutoTopicCreation: true,
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: true,
      });
    const answers = await Promise.all([ask(client), ask(tested.connect()), ask(tested.connect())]);
    for (const { topics } of answers) {
      assert.equal(topics[0]?.errorCode, KAFKA_ERROR.NONE);
      assert.equal(topics[0]?.partitions.length, 3);
      assert.ok((topics[0]?.topicAuthorizedOperations ?? 0) > 0);
    }
  });

  it('adds partitions, and refuses what is no increase', async () => {
    const grow = async (name: string, count: number, validateOnly = false) => {
      const topics = [{ name, count, assignments: null }];
      const request = { topics, timeoutMs: 1000, validateOnly };
      const response = await client.call(API_CODECS.CreatePartitions, 3, request);
      return response.results[0]?.errorCode;
    };
    assert.equal(await grow('made-2', 5, true), KAFKA_ERROR.NONE);
    assert.equal(tested.broker.topics.byName('default', 'made-2')?.partitionCount, 3);
    assert.equal(await grow('made-2', 5), KAFKA_ERROR.NONE);
    assert.equal(tested.broker.topics.byName('default', 'made-2')?.partitionCount, 5);
    assert.equal(await grow('made-2', 5), KAFKA_ERROR.INVALID_PARTITIONS);
    assert.equal(await grow('made-2', 2), KAFKA_ERROR.INVALID_PARTITIONS);
    assert.equal(await grow('made-2', 51), KAFKA_ERROR.INVALID_PARTITIONS);
    assert.equal(await grow('never', 5), KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
  });

  it('describes partitions page by page', async () => {
    const page = (cursor: { topicName: string; partitionIndex: number } | null) =>
      client.call(API_CODECS.DescribeTopicPartitions, 0, {
        topics: [{ name: 'made-2' }, { name: 'made-1' }, { name: 'never' }],
        responsePartitionLimit: 2,
        cursor,
      });
    const seen: string[] = [];
    let cursor: { topicName: string; partitionIndex: number } | null = null;
    do {
      const answer: Awaited<ReturnType<typeof page>> = await page(cursor);
      for (const one of answer.topics) {
        if (one.errorCode !== KAFKA_ERROR.NONE) seen.push(`${one.name}:${one.errorCode}`);
        for (const { partitionIndex } of one.partitions) seen.push(`${one.name}/${partitionIndex}`);
      }
      cursor = answer.nextCursor;
    } while (cursor !== null);
    const expected = [0, 1, 2].map((index) => `made-1/${index}`);
    expected.push(...[0, 1, 2, 3, 4].map((index) => `made-2/${index}`), 'never:3');
    assert.deepEqual(seen, expected);
  });

  it('deletes records before an offset', async () => {
    await createTopic(client, 'trimmed', 1);
    await produce(client, 9, { topic: 'trimmed', partition: 0, records: makeBatch(['a', 'b']) });
    const trim = async (offset: number, partitionIndex = 0) => {
      const partitions = [{ partitionIndex, offset }];
      const request = { topics: [{ name: 'trimmed', partitions }], timeoutMs: 1000 };
      const { topics } = await client.call(API_CODECS.DeleteRecords, 2, request);
      const partition = topics[0]?.partitions[0];
      return [partition?.errorCode, partition?.lowWatermark];
    };
    assert.deepEqual(await trim(1), [KAFKA_ERROR.NONE, 1]);
    assert.deepEqual(await trim(-1), [KAFKA_ERROR.NONE, 2]);
    assert.deepEqual(await trim(3), [KAFKA_ERROR.OFFSET_OUT_OF_RANGE, -1]);
    assert.deepEqual(await trim(0, 4), [KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION, -1]);
  });

  it('deletes topics by name and by id', async () => {
    await createTopic(client, 'gone-1', 1);
    await createTopic(client, 'gone-2', 1);
    const topicId = tested.broker.topics.byName('default', 'gone-2')?.id ?? ZERO_UUID;
    const { responses } = await client.call(API_CODECS.DeleteTopics, 6, {
      topics: [
        { name: 'gone-1', topicId: ZERO_UUID },
        { name: null, topicId },
        { name: 'never', topicId: ZERO_UUID },
        { name: null, topicId: Buffer.alloc(16, 9) },
      ],
      topicNames: [],
      timeoutMs: 1000,
    });
    assert.deepEqual(
      responses.map((one) => one.errorCode),
      [
        KAFKA_ERROR.NONE,
        KAFKA_ERROR.NONE,
        KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION,
        KAFKA_ERROR.UNKNOWN_TOPIC_ID,
      ],
    );
    assert.equal(responses[1]?.name, 'gone-2');
    const old = await client.call(API_CODECS.DeleteTopics, 1, {
      topics: [],
      topicNames: ['gone-1'],
      timeoutMs: 1000,
    });
    assert.equal(old.responses[0]?.errorCode, KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
  });

  it('tells nobody of a topic once its deletion was answered', async () => {
    const other = tested.connect();
    for (let round = 0; round < 10; round++) {
      await createTopic(client, 'short-lived', 2);
      const deleted = client.call(API_CODECS.DeleteTopics, 6, {
        topics: [{ name: 'short-lived', topicId: ZERO_UUID }],
        topicNames: [],
        timeoutMs: 1000,
      });
      assert.equal((await deleted).responses[0]?.errorCode, KAFKA_ERROR.NONE);
      const { topics } = await other.call(API_CODECS.Metadata, 9, {
        topics: null,
        allowAutoTopicCreation: true,
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: false,
      });
      assert.ok(topics.every(({ name }) => name !== 'short-lived'));
    }
  });
});
