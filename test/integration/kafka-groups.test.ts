import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SystemClock } from '../../src/base/clock.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { CoreBroker } from '../../src/core/core-broker.ts';
import { API_CODECS } from '../../src/protocols/kafka/codec/generated/apis.ts';
import { writeConsumerProtocolSubscription } from '../../src/protocols/kafka/codec/generated/consumer-protocol.ts';
import type { JoinGroupRequest } from '../../src/protocols/kafka/codec/generated/join-group.ts';
import type { OffsetCommitRequest } from '../../src/protocols/kafka/codec/generated/offset-commit.ts';
import type { OffsetFetchRequest } from '../../src/protocols/kafka/codec/generated/offset-fetch.ts';
import { ZERO_UUID } from '../../src/protocols/kafka/codec/records.ts';
import { Writer } from '../../src/protocols/kafka/codec/writer.ts';
import { KAFKA_CONFIG_DEFAULTS } from '../../src/protocols/kafka/config.ts';
import { KAFKA_ERROR } from '../../src/protocols/kafka/errors.ts';
import { KafkaFrontend } from '../../src/protocols/kafka/frontend.ts';
import type { AccessRequest } from '../../src/security/authorizer.ts';
import { MemoryEngine } from '../../src/storage/memory/memory-engine.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { createTopic } from '../support/kafka-calls.ts';
import { openTestBroker, TestClient, type TestBroker } from '../support/kafka-test-broker.ts';

const NOT_ASKED = -2_147_483_648;

function subscription(...topics: string[]): Buffer {
  const writer = new Writer();
  writer.int16(0);
  const value = { topics, userData: null, ownedPartitions: [], generationId: -1, rackId: null };
  writeConsumerProtocolSubscription(writer, value, 0);
  return writer.toBuffer();
}

function joinRequest(groupId: string, more: Partial<JoinGroupRequest> = {}): JoinGroupRequest {
  return {
    groupId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId: '',
    groupInstanceId: null,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription('orders') }],
    reason: null,
    ...more,
  };
}

/** Joins as a client of that version does: twice when it is told its id first. */
async function join(client: TestClient, version: number, request: JoinGroupRequest) {
  const first = await client.call(API_CODECS.JoinGroup, version, request);
  if (first.errorCode !== KAFKA_ERROR.MEMBER_ID_REQUIRED) return first;
  assert.ok(version >= 4, 'only newer clients know this answer');
  return client.call(API_CODECS.JoinGroup, version, { ...request, memberId: first.memberId });
}

/** A lone member with its assignment. */
async function stable(client: TestClient, groupId: string, more: Partial<JoinGroupRequest> = {}) {
  const joined = await join(client, 9, joinRequest(groupId, more));
  assert.equal(joined.errorCode, KAFKA_ERROR.NONE);
  const { memberId, generationId } = joined;
  const synced = await client.call(API_CODECS.SyncGroup, 5, {
    groupId,
    generationId,
    memberId,
    groupInstanceId: more.groupInstanceId ?? null,
    protocolType: 'consumer',
    protocolName: 'range',
    assignments: [{ memberId, assignment: Buffer.from('mine') }],
  });
  assert.equal(synced.errorCode, KAFKA_ERROR.NONE);
  assert.equal(synced.assignment.toString(), 'mine');
  return { memberId, generationId };
}

function commitRequest(
  groupId: string,
  more: Partial<OffsetCommitRequest> = {},
): OffsetCommitRequest {
  return {
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: [],
    ...more,
  };
}

function commitTopic(
  name: string,
  topicId: Buffer,
  offsets: readonly (readonly [number, number])[],
) {
  return {
    name,
    topicId,
    partitions: offsets.map(([partitionIndex, committedOffset]) => ({
      partitionIndex,
      committedOffset,
      committedLeaderEpoch: 5,
      committedMetadata: 'note',
    })),
  };
}

function fetchRequest(
  version: number,
  groupId: string,
  topics: { name: string; topicId: Buffer; partitionIndexes: number[] }[] | null,
): OffsetFetchRequest {
  return {
    groupId,
    topics: topics?.map(({ name, partitionIndexes }) => ({ name, partitionIndexes })) ?? null,
    groups: version >= 8 ? [{ groupId, memberId: null, memberEpoch: -1, topics }] : [],
    requireStable: true,
  };
}

async function fetchOffsets(client: TestClient, version: number, request: OffsetFetchRequest) {
  const response = await client.call(API_CODECS.OffsetFetch, version, request);
  if (version >= 8) {
    const [group] = response.groups;
    assert.ok(group);
    return group;
  }
  const topics = response.topics.map((topic) => ({ ...topic, topicId: ZERO_UUID }));
  return { groupId: request.groupId, topics, errorCode: response.errorCode };
}

describe('Kafka groups', () => {
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

  for (let version = 0; version <= 9; version++) {
    it(`go through a member's life in the versions of JoinGroup v${version}`, async () => {
      const groupId = `life-${version}`;
      const found = await client.call(API_CODECS.FindCoordinator, Math.min(version, 6), {
        key: groupId,
        keyType: 0,
        coordinatorKeys: [groupId],
      });
      const node = version >= 4 ? found.coordinators[0] : found;
      assert.deepEqual([node?.host, node?.port, node?.errorCode], ['127.0.0.1', 9092, 0]);
      const joined = await join(client, version, joinRequest(groupId));
      assert.equal(joined.errorCode, KAFKA_ERROR.NONE);
      assert.equal(joined.generationId, 1);
      assert.equal(joined.leader, joined.memberId);
      assert.equal(joined.protocolName, 'range');
      assert.equal(joined.members.length, 1);
      const { memberId } = joined;
      const synced = await client.call(API_CODECS.SyncGroup, Math.min(version, 5), {
        groupId,
        generationId: 1,
        memberId,
        groupInstanceId: null,
        protocolType: 'consumer',
        protocolName: 'range',
        assignments: [{ memberId, assignment: Buffer.from('all of it') }],
      });
      assert.equal(synced.errorCode, KAFKA_ERROR.NONE);
      assert.equal(synced.assignment.toString(), 'all of it');
      const beat = { groupId, generationId: 1, memberId, groupInstanceId: null };
      const alive = await client.call(API_CODECS.Heartbeat, Math.min(version, 4), beat);
      assert.equal(alive.errorCode, KAFKA_ERROR.NONE);
      const leaving = { memberId, groupInstanceId: null, reason: 'done' };
      const left = await client.call(API_CODECS.LeaveGroup, Math.min(version, 5), {
        groupId,
        memberId,
        members: [leaving],
      });
      assert.equal(left.errorCode, KAFKA_ERROR.NONE);
      if (version >= 3) assert.equal(left.members[0]?.errorCode, KAFKA_ERROR.NONE);
      const gone = await client.call(API_CODECS.Heartbeat, Math.min(version, 4), beat);
      assert.equal(gone.errorCode, KAFKA_ERROR.UNKNOWN_MEMBER_ID);
      const again = await client.call(API_CODECS.LeaveGroup, Math.min(version, 5), {
        groupId,
        memberId,
        members: [leaving],
      });
      const answer = version >= 3 ? again.members[0]?.errorCode : again.errorCode;
      assert.equal(answer, KAFKA_ERROR.UNKNOWN_MEMBER_ID);
    });
  }

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

  it('are described with members, or as dead, or as not found', async () => {
    const { memberId } = await stable(client, 'described', { groupInstanceId: 'one' });
    for (let version = 0; version <= 6; version++) {
      const { groups } = await client.call(API_CODECS.DescribeGroups, version, {
        groups: ['described', 'never'],
        includeAuthorizedOperations: version >= 3,
      });
      const [described, never] = groups;
      assert.equal(described?.groupState, 'Stable');
      assert.equal(described.protocolType, 'consumer');
      assert.equal(described.protocolData, 'range');
      const [member] = described.members;
      assert.equal(member?.memberId, memberId);
      assert.equal(member.clientId, 'test');
      assert.equal(member.clientHost, '/127.0.0.1');
      assert.equal(member.memberAssignment.toString(), 'mine');
      assert.ok(member.memberMetadata.equals(subscription('orders')));
      if (version >= 4) assert.equal(member.groupInstanceId, 'one');
      assert.equal(described.authorizedOperations, version >= 3 ? 3400 : NOT_ASKED);
      assert.equal(never?.groupState, 'Dead');
      const expected = version >= 6 ? KAFKA_ERROR.GROUP_ID_NOT_FOUND : KAFKA_ERROR.NONE;
      assert.equal(never.errorCode, expected);
    }
  });

  it('are listed by state and type', async () => {
    await stable(client, 'listed');
    const list = async (version: number, statesFilter: string[], typesFilter: string[]) => {
      const request = { statesFilter, typesFilter };
      const { groups } = await client.call(API_CODECS.ListGroups, version, request);
      return groups;
    };
    for (let version = 0; version <= 5; version++) {
      const listed = (await list(version, [], [])).find(({ groupId }) => groupId === 'listed');
      assert.equal(listed?.protocolType, 'consumer');
      if (version >= 4) assert.equal(listed.groupState, 'Stable');
      if (version >= 5) assert.equal(listed.groupType, 'classic');
    }
    const names = (groups: readonly { readonly groupId: string }[]) =>
      groups.map(({ groupId }) => groupId);
    assert.ok(names(await list(4, ['stable'], [])).includes('listed'));
    assert.ok(!names(await list(4, ['Empty'], [])).includes('listed'));
    assert.ok(names(await list(5, [], ['Classic'])).includes('listed'));
    assert.deepEqual(await list(5, [], ['consumer']), []);
  });

  it('are deleted when empty', async () => {
    await stable(client, 'busy');
    const topics = [commitTopic('orders', ordersId, [[0, 1]])];
    for (let version = 0; version <= 2; version++) {
      await client.call(API_CODECS.OffsetCommit, 8, commitRequest('doomed', { topics }));
      const { results } = await client.call(API_CODECS.DeleteGroups, version, {
        groupsNames: ['doomed', 'busy', 'never', 'doomed'],
      });
      assert.deepEqual(
        results.map(({ groupId, errorCode }) => [groupId, errorCode]),
        [
          ['doomed', KAFKA_ERROR.NONE],
          ['busy', KAFKA_ERROR.NON_EMPTY_GROUP],
          ['never', KAFKA_ERROR.GROUP_ID_NOT_FOUND],
        ],
      );
    }
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

  it('remove several static members at once by their instance ids', async () => {
    await stable(client, 'administered', { groupInstanceId: 'one' });
    const left = await client.call(API_CODECS.LeaveGroup, 4, {
      groupId: 'administered',
      memberId: '',
      members: ['one', 'two'].map((groupInstanceId) => ({
        memberId: '',
        groupInstanceId,
        reason: null,
      })),
    });
    assert.deepEqual(
      left.members.map(({ groupInstanceId, errorCode }) => [groupInstanceId, errorCode]),
      [
        ['one', KAFKA_ERROR.NONE],
        ['two', KAFKA_ERROR.UNKNOWN_MEMBER_ID],
      ],
    );
  });

  it('check what JoinGroup, SyncGroup and FindCoordinator are told', async () => {
    const badSession = joinRequest('checked', { sessionTimeoutMs: 1 });
    const joined = await client.call(API_CODECS.JoinGroup, 5, badSession);
    assert.equal(joined.errorCode, KAFKA_ERROR.INVALID_SESSION_TIMEOUT);
    assert.equal(joined.protocolName, '');
    const unnamed = await client.call(API_CODECS.JoinGroup, 7, joinRequest(''));
    assert.equal(unnamed.errorCode, KAFKA_ERROR.INVALID_GROUP_ID);
    const sync = {
      groupId: 'checked',
      generationId: 1,
      memberId: 'm',
      groupInstanceId: null,
      protocolType: null,
      protocolName: null,
      assignments: [],
    };
    const synced = await client.call(API_CODECS.SyncGroup, 5, sync);
    assert.equal(synced.errorCode, KAFKA_ERROR.INCONSISTENT_GROUP_PROTOCOL);
    const share = await client.call(API_CODECS.FindCoordinator, 6, {
      key: '',
      keyType: 2,
      coordinatorKeys: ['s'],
    });
    assert.equal(share.coordinators[0]?.errorCode, KAFKA_ERROR.INVALID_REQUEST);
    assert.equal(share.coordinators[0]?.nodeId, -1);
    const transaction = await client.call(API_CODECS.FindCoordinator, 2, {
      key: 't',
      keyType: 1,
      coordinatorKeys: [],
    });
    assert.equal(transaction.errorCode, KAFKA_ERROR.NONE);
  });

  it('take metadata that is no subscription', async () => {
    const protocols = [{ name: 'range', metadata: Buffer.from([0]) }];
    await stable(client, 'opaque', { protocols });
    const deleted = await client.call(API_CODECS.OffsetDelete, 0, {
      groupId: 'opaque',
      topics: [],
    });
    assert.equal(deleted.errorCode, KAFKA_ERROR.NON_EMPTY_GROUP);
  });

  it('rebalance two members over their connections', async () => {
    const other = test.connect();
    const first = await stable(client, 'shared');
    const joining = join(other, 9, joinRequest('shared'));
    const beat = {
      groupId: 'shared',
      groupInstanceId: null,
      memberId: first.memberId,
      generationId: 1,
    };
    let errorCode: number = KAFKA_ERROR.NONE;
    while (errorCode === KAFKA_ERROR.NONE) {
      ({ errorCode } = await client.call(API_CODECS.Heartbeat, 4, beat));
    }
    assert.equal(errorCode, KAFKA_ERROR.REBALANCE_IN_PROGRESS);
    const again = await join(client, 9, joinRequest('shared', { memberId: first.memberId }));
    const joined = await joining;
    assert.equal(again.generationId, 2);
    assert.equal(joined.generationId, 2);
    assert.equal(again.members.length, 2);
    other.disconnect();
  });
});

describe('Kafka groups ask the authorizer', () => {
  let denied: (request: AccessRequest) => boolean = () => false;
  let broker: CoreBroker;
  let frontend: KafkaFrontend;
  let client: TestClient;
  let topicId: Buffer;

  before(async () => {
    const clock = new SystemClock();
    const random = new SeededRandom(1);
    const logger = silentLogger;
    broker = new CoreBroker({
      engine: new MemoryEngine({ clock, random, logger }),
      clock,
      random,
      logger,
      authorizer: { allows: (request) => !denied(request) },
    });
    await broker.open();
    frontend = new KafkaFrontend(broker, KAFKA_CONFIG_DEFAULTS);
    client = new TestClient(frontend, 1);
    await createTopic(client, 'orders', 1);
    topicId = broker.topics.byName('default', 'orders')?.id ?? ZERO_UUID;
    const topics = [commitTopic('orders', topicId, [[0, 1]])];
    await client.call(API_CODECS.OffsetCommit, 8, commitRequest('g', { topics }));
  });

  after(async () => {
    await frontend.close();
    await broker.close('abort');
  });

  it('for the group', async () => {
    denied = ({ resource }) => resource === 'group' || resource === 'cluster';
    const code = KAFKA_ERROR.GROUP_AUTHORIZATION_FAILED;
    const member = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null };
    const sync = { ...member, protocolType: 'c', protocolName: 'r', assignments: [] };
    const topics = [commitTopic('orders', topicId, [[0, 1]])];
    const joined = await client.call(API_CODECS.JoinGroup, 5, joinRequest('g'));
    const synced = await client.call(API_CODECS.SyncGroup, 5, sync);
    const beat = await client.call(API_CODECS.Heartbeat, 4, member);
    const left = await client.call(API_CODECS.LeaveGroup, 4, { ...member, members: [] });
    const committed = await client.call(API_CODECS.OffsetCommit, 8, commitRequest('g', { topics }));
    const deleted = await client.call(API_CODECS.OffsetDelete, 0, { groupId: 'g', topics: [] });
    for (const { errorCode } of [joined, synced, beat, left, deleted])
      assert.equal(errorCode, code);
    assert.equal(committed.topics[0]?.partitions[0]?.errorCode, code);
    const removed = await client.call(API_CODECS.DeleteGroups, 2, { groupsNames: ['g'] });
    assert.equal(removed.results[0]?.errorCode, code);
    const described = await client.call(API_CODECS.DescribeGroups, 5, {
      groups: ['g'],
      includeAuthorizedOperations: true,
    });
    assert.equal(described.groups[0]?.errorCode, code);
    const listed = await client.call(API_CODECS.ListGroups, 5, {
      statesFilter: [],
      typesFilter: [],
    });
    assert.deepEqual(listed.groups, []);
    const found = await client.call(API_CODECS.FindCoordinator, 2, {
      key: 'g',
      keyType: 0,
      coordinatorKeys: [],
    });
    assert.equal(found.errorCode, code);
    const wanted = [{ name: 'orders', topicId, partitionIndexes: [0] }];
    for (let version = 1; version <= 10; version++) {
      const group = await fetchOffsets(client, version, fetchRequest(version, 'g', wanted));
      const actual = version >= 2 ? group.errorCode : group.topics[0]?.partitions[0]?.errorCode;
      assert.equal(actual, code, `OffsetFetch v${version}`);
    }
  });

  it('for topics', async () => {
    denied = ({ resource }) => resource === 'topic';
    const code = KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED;
    const topics = [commitTopic('orders', topicId, [[0, 2]])];
    for (const version of [8, 10]) {
      const request = commitRequest('g', { topics });
      const committed = await client.call(API_CODECS.OffsetCommit, version, request);
      assert.equal(committed.topics[0]?.partitions[0]?.errorCode, code);
      const wanted = [{ name: 'orders', topicId, partitionIndexes: [0] }];
      const some = await fetchOffsets(client, version, fetchRequest(version, 'g', wanted));
      assert.equal(some.topics[0]?.partitions[0]?.errorCode, code);
      const all = await fetchOffsets(client, version, fetchRequest(version, 'g', null));
      assert.deepEqual(all.topics, []);
    }
    const deleted = await client.call(API_CODECS.OffsetDelete, 0, {
      groupId: 'g',
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0 }] }],
    });
    assert.equal(deleted.topics[0]?.partitions[0]?.errorCode, code);
  });
});
