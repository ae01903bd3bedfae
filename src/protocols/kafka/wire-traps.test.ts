import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { batchLeaderEpoch } from '../../base/record-batch.ts';
import { makeBatch } from '../../../test/support/kafka-batches.ts';
import {
  createTopic,
  fetchRequest,
  partitionsOf,
  produce,
  valuesOf,
} from '../../../test/support/kafka-calls.ts';
import { encodeRequest, openTestBroker } from '../../../test/support/kafka-test-broker.ts';
import type { TestBroker, TestClient } from '../../../test/support/kafka-test-broker.ts';
import { API_CODECS, apiByKey } from './codec/generated/apis.ts';
import { Reader } from './codec/reader.ts';
import { ZERO_UUID } from './codec/records.ts';
import { KAFKA_ERROR } from './errors.ts';
import { API_HANDLERS } from './handlers/registry.ts';

/** Rules of the protocol that brokers got wrong before, each with the clients that it broke. */
describe('wire traps', () => {
  let tested: TestBroker;
  let client: TestClient;

  before(async () => {
    tested = await openTestBroker();
    client = tested.connect();
  });

  after(() => tested.close());

  const apiVersions = (version: number, name = 'test', software = '1.0') =>
    client.call(API_CODECS.ApiVersions, version, {
      clientSoftwareName: name,
      clientSoftwareVersion: software,
    });

  it('tells Produce from version 0 on, so that librdkafka compresses', async () => {
    const { apiKeys } = await apiVersions(3);
    const entry = apiKeys.find((key) => key.apiKey === 0);
    assert.deepEqual([entry?.minVersion, entry?.maxVersion], [0, 13]);
  });

  it('does not serve the versions of Produce that it only tells', () => {
    const old = tested.connect();
    const frame = encodeRequest(
      API_CODECS.Produce,
      3,
      1,
      { transactionalId: null, acks: 1, timeoutMs: 1, topicData: [] },
      'old',
    );
    frame.writeInt16BE(2, 6);
    old.feed(frame);
    assert.equal(old.connection.closedWith, 'handler');
  });

  it('answers ApiVersions with response header 0 in flexible versions', async () => {
    const { apiKeys, errorCode } = await apiVersions(4);
    assert.equal(errorCode, KAFKA_ERROR.NONE);
    assert.equal(apiKeys.length, API_HANDLERS.length);
  });

  it('answers unknown versions of ApiVersions in the layout of version 0', () => {
    const newer = tested.connect();
    const frame = encodeRequest(API_CODECS.ApiVersions, 4, 42, {
      clientSoftwareName: 'future',
      clientSoftwareVersion: '9',
    });
    frame.writeInt16BE(99, 6);
    const received: Buffer[] = [];
    newer.connection.onOutput = () => received.push(...newer.connection.output.splice(0));
    newer.feed(frame);
    const answer = Buffer.concat(received);
    assert.equal(answer.readInt32BE(0), answer.length - 4);
    assert.equal(answer.readInt32BE(4), 42);
    const reader = new Reader(answer, 8);
    const response = API_CODECS.ApiVersions.readResponse(reader, 0);
    assert.equal(response.errorCode, KAFKA_ERROR.UNSUPPORTED_VERSION);
    assert.ok(response.apiKeys.some((key) => key.apiKey === 18 && key.maxVersion === 4));
    assert.equal(reader.remaining, 0);
    assert.equal(newer.connection.closedWith, null);
  });

  it('validates the name and version of client software', async () => {
    for (const [name, version] of [
      ['bad name', '1'],
      ['', '1'],
      ['-x', '1'],
      ['ok', 'v 1'],
    ] as const) {
      assert.equal((await apiVersions(3, name, version)).errorCode, KAFKA_ERROR.INVALID_REQUEST);
    }
    assert.equal((await apiVersions(3, 'a.b-c', '2.0')).errorCode, KAFKA_ERROR.NONE);
  });

  it('reads the client id with a two-byte length in flexible headers too', async () => {
    const { topics } = await client.call(API_CODECS.Metadata, 12, {
      topics: [],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
    assert.deepEqual(topics, []);
  });

  it('skips tagged fields that it does not know, in header and body', async () => {
    const plain = encodeRequest(API_CODECS.Metadata, 12, 7, {
      topics: [],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
    // The header's and the body's empty tag sections become one field with tag 99 and two bytes each.
    const tags = Buffer.from([1, 99, 2, 0xca, 0xfe]);
    const headerTagsAt = 4 + 2 + 2 + 4 + 2 + 'test'.length;
    assert.deepEqual([plain[headerTagsAt], plain[plain.length - 1]], [0, 0]);
    const frame = Buffer.concat([
      plain.subarray(0, headerTagsAt),
      tags,
      plain.subarray(headerTagsAt + 1, plain.length - 1),
      tags,
    ]);
    frame.writeInt32BE(frame.length - 4, 0);
    const other = tested.connect();
    other.feed(frame);
    assert.equal(other.connection.closedWith, null);
    assert.deepEqual(other.order, [7]);
  });

  it('knows that OffsetDelete and SaslHandshake have no flexible version', () => {
    for (const key of [17, 47]) assert.equal(apiByKey(key)?.requestHeaderVersion(1), 1);
  });

  it('answers acks=0 with nothing, and refusals by closing', async () => {
    await createTopic(client, 'silent', 1);
    const sender = tested.connect();
    const request = (topic: string) => ({
      transactionalId: null,
      acks: 0,
      timeoutMs: 1000,
      topicData: [
        {
          name: topic,
          topicId: ZERO_UUID,
          partitionData: [{ index: 0, records: makeBatch(['x']) }],
        },
      ],
    });
    sender.send(API_CODECS.Produce, 9, request('silent'));
    const answer = await sender.call(API_CODECS.ListOffsets, 5, {
      replicaId: -1,
      isolationLevel: 0,
      timeoutMs: 0,
      topics: [
        {
          name: 'silent',
          partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -2 }],
        },
      ],
    });
    assert.equal(answer.topics[0]?.partitions[0]?.offset, 0);
    assert.deepEqual(sender.order, [2], 'only the second request was answered');
    sender.send(API_CODECS.Produce, 9, request('missing'));
    assert.equal(sender.connection.closedWith, 'handler');
  });

  it('keeps the order of responses when a fetch waits in front', async () => {
    await createTopic(client, 'ordered', 1);
    const reader = tested.connect();
    const waiting = reader.call(
      API_CODECS.Fetch,
      11,
      fetchRequest([{ topic: 'ordered', offset: 0 }], { maxWaitMs: 30_000 }),
    );
    const behind = reader.call(API_CODECS.ApiVersions, 0, {
      clientSoftwareName: '',
      clientSoftwareVersion: '',
    });
    assert.deepEqual(reader.order, []);
    await produce(client, 9, { topic: 'ordered', partition: 0, records: makeBatch(['x']) });
    await Promise.all([waiting, behind]);
    assert.deepEqual(reader.order, [1, 2]);
  });

  it('returns the whole batch, and always at least one', async () => {
    await createTopic(client, 'whole', 1);
    await produce(client, 9, { topic: 'whole', partition: 0, records: makeBatch(['a', 'b']) });
    const response = await client.call(
      API_CODECS.Fetch,
      11,
      fetchRequest([{ topic: 'whole', offset: 1, maxBytes: 1 }], { maxBytes: 1 }),
    );
    assert.deepEqual(valuesOf(partitionsOf(response)[0]?.records ?? null), ['a', 'b']);
  });

  it('overwrites the leader epoch that clients leave in batches', async () => {
    await createTopic(client, 'epochs', 1);
    for (const leaderEpoch of [-1, 0, 99]) {
      const records = makeBatch(['x'], { leaderEpoch });
      await produce(client, 9, { topic: 'epochs', partition: 0, records });
    }
    const response = await client.call(
      API_CODECS.Fetch,
      11,
      fetchRequest([{ topic: 'epochs', offset: 0 }]),
    );
    const epoch = tested.broker.topics.byName('default', 'epochs')?.partition(0)?.leaderEpoch;
    for (const slice of partitionsOf(response)[0]?.records?.slices ?? []) {
      assert.equal(batchLeaderEpoch(slice.buffer, slice.start), epoch);
    }
  });

  it('creates topics inside Metadata, with a leader at once', async () => {
    const { topics, brokers } = await client.call(API_CODECS.Metadata, 9, {
      topics: [{ name: 'born-now', topicId: ZERO_UUID }],
      allowAutoTopicCreation: true,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    });
    const [topic] = topics;
    assert.equal(topic?.errorCode, KAFKA_ERROR.NONE);
    assert.equal(topic?.partitions[0]?.leaderId, brokers[0]?.nodeId);
    assert.equal(topic?.partitions[0]?.errorCode, KAFKA_ERROR.NONE);
  });

  it('finds the record, not only its batch, by time', async () => {
    await createTopic(client, 'timed', 1);
    const now = Date.now();
    const records = makeBatch(['a', 'b', 'c'], { timestampMs: now });
    await produce(client, 9, { topic: 'timed', partition: 0, records });
    const { topics } = await client.call(API_CODECS.ListOffsets, 7, {
      replicaId: -1,
      isolationLevel: 0,
      timeoutMs: 0,
      topics: [
        {
          name: 'timed',
          partitions: [
            { partitionIndex: 0, currentLeaderEpoch: -1, timestamp: now + 1 },
            { partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -3 },
            { partitionIndex: 0, currentLeaderEpoch: -1, timestamp: now + 10 },
          ],
        },
      ],
    });
    assert.deepEqual(
      topics[0]?.partitions.map(({ offset, timestamp }) => [offset, timestamp]),
      [
        [1, now + 1],
        [2, now + 2],
        [-1, -1],
      ],
    );
  });

  it('lists every topic configuration with its default', async () => {
    await createTopic(client, 'configured', 1);
    const { results } = await client.call(API_CODECS.DescribeConfigs, 4, {
      resources: [{ resourceType: 2, resourceName: 'configured', configurationKeys: null }],
      includeSynonyms: false,
      includeDocumentation: false,
    });
    const configs = results[0]?.configs ?? [];
    assert.ok(configs.length >= 33);
    const policy = configs.find((config) => config.name === 'cleanup.policy');
    assert.deepEqual([policy?.value, policy?.configSource], ['delete', 5]);
  });

  it('tells complete ranges: every version between the ends is served', async () => {
    const { apiKeys } = await apiVersions(3);
    for (const { apiKey, maxVersion } of apiKeys) {
      const handler = API_HANDLERS.find((one) => one.api.key === apiKey);
      assert.ok(handler !== undefined);
      assert.equal(handler.maxVersion, maxVersion);
      assert.ok(handler.minVersion >= handler.api.minVersion);
      assert.ok(handler.maxVersion <= handler.api.maxVersion);
    }
  });

  it('hides telemetry, so that clients do not poll it', async () => {
    const { apiKeys } = await apiVersions(3);
    const keys = new Set(apiKeys.map((entry) => entry.apiKey));
    assert.ok(!keys.has(71) && !keys.has(72));
  });
});
