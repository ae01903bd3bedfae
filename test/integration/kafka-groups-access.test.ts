import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SystemClock } from '../../src/base/clock.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { CoreBroker } from '../../src/core/core-broker.ts';
import { API_CODECS } from '../../src/protocols/kafka/codec/generated/apis.ts';
import { ZERO_UUID } from '../../src/protocols/kafka/codec/records.ts';
import { KAFKA_CONFIG_DEFAULTS } from '../../src/protocols/kafka/config.ts';
import { KAFKA_ERROR } from '../../src/protocols/kafka/errors.ts';
import { KafkaFrontend } from '../../src/protocols/kafka/frontend.ts';
import type { AccessRequest } from '../../src/security/authorizer.ts';
import { MemoryEngine } from '../../src/storage/memory/memory-engine.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import {
  commitRequest,
  commitTopic,
  fetchOffsets,
  fetchRequest,
  joinRequest,
} from '../support/kafka-group-calls.ts';
import { createTopic } from '../support/kafka-calls.ts';
import { TestClient } from '../support/kafka-test-broker.ts';

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
