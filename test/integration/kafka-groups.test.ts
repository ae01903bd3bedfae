import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { API_CODECS } from '../../src/protocols/kafka/codec/generated/apis.ts';
import { ZERO_UUID } from '../../src/protocols/kafka/codec/records.ts';
import { KAFKA_ERROR } from '../../src/protocols/kafka/errors.ts';
import {
  commitRequest,
  commitTopic,
  join,
  joinRequest,
  stable,
  subscription,
} from '../support/kafka-group-calls.ts';
import { createTopic } from '../support/kafka-calls.ts';
import { openTestBroker, type TestClient, type TestBroker } from '../support/kafka-test-broker.ts';

const NOT_ASKED = -2_147_483_648;

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
