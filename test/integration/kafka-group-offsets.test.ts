import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { API_CODECS } from '../../src/protocols/kafka/codec/generated/apis.ts';
import { ZERO_UUID } from '../../src/protocols/kafka/codec/records.ts';
import { KAFKA_ERROR } from '../../src/protocols/kafka/errors.ts';
import {
  commitRequest,
  commitTopic,
  fetchOffsets,
  fetchRequest,
  stable,
} from '../support/kafka-group-calls.ts';
import { createTopic } from '../support/kafka-calls.ts';
import { openTestBroker, type TestClient, type TestBroker } from '../support/kafka-test-broker.ts';

describe('Offsets of Kafka groups', () => {
  let test: TestBroker;
  let client: TestClient;
  let ordersId: Buffer;

  before(async () => {
    test = await openTestBroker();
    client = test.connect();
    await createTopic(client, 'orders', 3);
    await createTopic(client, 'other', 1);
    ordersId = test.broker.topics.byName('default', 'orders')?.id ?? ZERO_UUID;
  });

  after(() => test.close());

  for (let version = 2; version <= 10; version++) {
    it(`store and read offsets, OffsetCommit v${version}, OffsetFetch v${version}`, async () => {
      const groupId = `offsets-${version}`;
      const topic = { name: 'orders', topicId: ordersId };
      const committed = await client.call(
        API_CODECS.OffsetCommit,
        version,
        commitRequest(groupId, {
          topics: [
            commitTopic('orders', ordersId, [
              [0, 7],
              [3, 1],
            ]),
          ],
        }),
      );
      assert.deepEqual(
        committed.topics[0]?.partitions.map(({ errorCode }) => errorCode),
        [KAFKA_ERROR.NONE, KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION],
      );
      const wanted = [{ ...topic, partitionIndexes: [0, 1] }];
      for (const topics of [wanted, null]) {
        const group = await fetchOffsets(client, version, fetchRequest(version, groupId, topics));
        assert.equal(group.errorCode, KAFKA_ERROR.NONE);
        const [found] = group.topics;
        if (version < 10) assert.equal(found?.name, 'orders');
        else assert.ok(found?.topicId.equals(ordersId));
        const [first, second] = found?.partitions ?? [];
        assert.equal(first?.committedOffset, 7);
        assert.equal(first.metadata, 'note');
        if (version >= 6) assert.equal(first.committedLeaderEpoch, 5);
        assert.equal(second?.committedOffset, topics === null ? undefined : -1);
      }
    });
  }

  it('read offsets in version 1, too', async () => {
    const topics = [{ name: 'orders', topicId: ZERO_UUID, partitionIndexes: [0] }];
    const group = await fetchOffsets(client, 1, fetchRequest(1, 'offsets-2', topics));
    assert.equal(group.topics[0]?.partitions[0]?.committedOffset, 7);
  });

  it('read several groups at once, and know of no unknown one', async () => {
    const response = await client.call(API_CODECS.OffsetFetch, 9, {
      groupId: '',
      topics: null,
      groups: ['offsets-3', 'never', 'offsets-4'].map((groupId) => ({
        groupId,
        memberId: null,
        memberEpoch: -1,
        topics: null,
      })),
      requireStable: false,
    });
    assert.deepEqual(
      response.groups.map(({ groupId, topics }) => [groupId, topics.length]),
      [
        ['offsets-3', 1],
        ['never', 0],
        ['offsets-4', 1],
      ],
    );
  });

  it('refuse commits for topics and groups that are not there', async () => {
    const topics = [commitTopic('missing', Buffer.alloc(16, 9), [[0, 1]])];
    const byName = await client.call(API_CODECS.OffsetCommit, 9, commitRequest('g', { topics }));
    assert.equal(
      byName.topics[0]?.partitions[0]?.errorCode,
      KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION,
    );
    const byId = await client.call(API_CODECS.OffsetCommit, 10, commitRequest('g', { topics }));
    assert.equal(byId.topics[0]?.partitions[0]?.errorCode, KAFKA_ERROR.UNKNOWN_TOPIC_ID);
    const stranger = commitRequest('not-there', {
      memberId: 'm',
      generationIdOrMemberEpoch: 3,
      topics: [commitTopic('orders', ordersId, [[0, 1]])],
    });
    const old = await client.call(API_CODECS.OffsetCommit, 8, stranger);
    assert.equal(old.topics[0]?.partitions[0]?.errorCode, KAFKA_ERROR.ILLEGAL_GENERATION);
    const recent = await client.call(API_CODECS.OffsetCommit, 9, stranger);
    assert.equal(recent.topics[0]?.partitions[0]?.errorCode, KAFKA_ERROR.GROUP_ID_NOT_FOUND);
  });

  it('refuse metadata that is too long, partition by partition', async () => {
    const topic = commitTopic('orders', ordersId, [
      [0, 1],
      [1, 2],
    ]);
    const [first] = topic.partitions;
    assert.ok(first);
    first.committedMetadata = 'x'.repeat(4097);
    const response = await client.call(
      API_CODECS.OffsetCommit,
      8,
      commitRequest('long', { topics: [topic] }),
    );
    assert.deepEqual(
      response.topics[0]?.partitions.map(({ errorCode }) => errorCode),
      [KAFKA_ERROR.OFFSET_METADATA_TOO_LARGE, KAFKA_ERROR.NONE],
    );
  });

  it('lose offsets of topics that no member subscribes to', async () => {
    const { memberId, generationId } = await stable(client, 'pruned');
    const otherId = test.broker.topics.byName('default', 'other')?.id ?? ZERO_UUID;
    await client.call(
      API_CODECS.OffsetCommit,
      8,
      commitRequest('pruned', {
        memberId,
        generationIdOrMemberEpoch: generationId,
        topics: [
          commitTopic('orders', ordersId, [[0, 1]]),
          commitTopic('other', otherId, [[0, 1]]),
        ],
      }),
    );
    const partitions = [{ partitionIndex: 0 }];
    const deleted = await client.call(API_CODECS.OffsetDelete, 0, {
      groupId: 'pruned',
      topics: ['orders', 'other', 'missing'].map((name) => ({ name, partitions })),
    });
    assert.equal(deleted.errorCode, KAFKA_ERROR.NONE);
    assert.deepEqual(
      deleted.topics.map((topic) => [topic.name, topic.partitions[0]?.errorCode]),
      [
        ['orders', KAFKA_ERROR.GROUP_SUBSCRIBED_TO_TOPIC],
        ['other', KAFKA_ERROR.NONE],
        ['missing', KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION],
      ],
    );
    const never = await client.call(API_CODECS.OffsetDelete, 0, { groupId: 'never', topics: [] });
    assert.equal(never.errorCode, KAFKA_ERROR.GROUP_ID_NOT_FOUND);
    const left = await fetchOffsets(client, 8, fetchRequest(8, 'pruned', null));
    assert.deepEqual(
      left.topics.map(({ name }) => name),
      ['orders'],
    );
  });
});
