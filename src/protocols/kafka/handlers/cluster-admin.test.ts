import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeBatch } from '../../../../test/support/kafka-batches.ts';
import { createTopic, produce } from '../../../../test/support/kafka-calls.ts';
import { openTestBroker } from '../../../../test/support/kafka-test-broker.ts';
import type { TestBroker, TestClient } from '../../../../test/support/kafka-test-broker.ts';
import { API_CODECS } from '../codec/generated/apis.ts';
import { KAFKA_ERROR } from '../errors.ts';

describe('cluster administration', () => {
  let tested: TestBroker;
  let client: TestClient;

  before(async () => {
    tested = await openTestBroker({ dataFolder: '/data' });
    client = tested.connect();
    await createTopic(client, 'orders', 2);
  });

  after(() => tested.close());

  it('gives every idempotent producer its own id', async () => {
    const ids = new Set<number>();
    for (let version = 0; version <= 5; version++) {
      const answer = await client.call(API_CODECS.InitProducerId, version, {
        transactionalId: null,
        transactionTimeoutMs: 0,
        producerId: -1,
        producerEpoch: -1,
      });
      assert.deepEqual([answer.errorCode, answer.producerEpoch], [KAFKA_ERROR.NONE, 0]);
      ids.add(answer.producerId);
    }
    assert.equal(ids.size, 6);
  });

  it('lists no transactions, and knows none', async () => {
    for (let version = 0; version <= 2; version++) {
      const list = await client.call(API_CODECS.ListTransactions, version, {
        stateFilters: ['Ongoing', 'Sleeping'],
        producerIdFilters: [],
        durationFilter: -1,
        transactionalIdPattern: null,
      });
      assert.equal(list.errorCode, KAFKA_ERROR.NONE);
      assert.deepEqual(list.unknownStateFilters, ['Sleeping']);
      assert.deepEqual(list.transactionStates, []);
    }
    const described = await client.call(API_CODECS.DescribeTransactions, 0, {
      transactionalIds: ['t'],
    });
    assert.deepEqual(
      described.transactionStates.map(({ transactionalId, errorCode }) => [
        transactionalId,
        errorCode,
      ]),
      [['t', KAFKA_ERROR.TRANSACTIONAL_ID_NOT_FOUND]],
    );
  });

  it('refuses transactional producers with an error they do not retry', async () => {
    const ask = async (transactionalId: string) => {
      const request = {
        transactionalId,
        transactionTimeoutMs: 1000,
        producerId: -1,
        producerEpoch: -1,
      };
      return (await client.call(API_CODECS.InitProducerId, 4, request)).errorCode;
    };
    assert.equal(await ask('t'), KAFKA_ERROR.UNSUPPORTED_VERSION);
    assert.equal(await ask(''), KAFKA_ERROR.INVALID_REQUEST);
  });

  it('lists the producers that a partition knows', async () => {
    const records = makeBatch(['x'], { producerId: 9, producerEpoch: 2, baseSequence: 0 });
    await produce(client, 9, { topic: 'orders', partition: 0, records });
    const { topics } = await client.call(API_CODECS.DescribeProducers, 0, {
      topics: [{ name: 'orders', partitionIndexes: [0, 5] }],
    });
    const [known, unknown] = topics[0]?.partitions ?? [];
    const [producer] = known?.activeProducers ?? [];
    assert.deepEqual([producer?.producerId, producer?.producerEpoch], [9, 2]);
    assert.equal(unknown?.errorCode, KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
  });

  it('tells the size of partitions', async () => {
    const { results } = await client.call(API_CODECS.DescribeLogDirs, 4, {
      topics: [{ topic: 'orders', partitions: [0, 1] }],
    });
    assert.equal(results[0]?.logDir, '/data');
    const sizes = results[0]?.topics[0]?.partitions.map((partition) => partition.partitionSize);
    assert.ok((sizes?.[0] ?? 0) > 0);
    assert.equal(sizes?.[1], 0);
    const all = await client.call(API_CODECS.DescribeLogDirs, 1, { topics: null });
    assert.equal(all.results[0]?.topics[0]?.partitions.length, 2);
  });

  it('has nothing to elect and nothing to move', async () => {
    const elected = await client.call(API_CODECS.ElectLeaders, 2, {
      electionType: 0,
      topicPartitions: [{ topic: 'orders', partitions: [0, 9] }],
      timeoutMs: 1000,
    });
    assert.deepEqual(
      elected.replicaElectionResults[0]?.partitionResult.map((one) => one.errorCode),
      [KAFKA_ERROR.ELECTION_NOT_NEEDED, KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION],
    );
    const moved = await client.call(API_CODECS.AlterPartitionReassignments, 1, {
      timeoutMs: 1000,
      allowReplicationFactorChange: true,
      topics: [
        {
          name: 'orders',
          partitions: [
            { partitionIndex: 0, replicas: [1] },
            { partitionIndex: 0, replicas: [2] },
            { partitionIndex: 0, replicas: null },
            { partitionIndex: 7, replicas: [1] },
          ],
        },
      ],
    });
    assert.deepEqual(
      moved.responses[0]?.partitions.map((one) => one.errorCode),
      [
        KAFKA_ERROR.NONE,
        KAFKA_ERROR.INVALID_REPLICA_ASSIGNMENT,
        KAFKA_ERROR.NO_REASSIGNMENT_IN_PROGRESS,
        KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION,
      ],
    );
    const listed = await client.call(API_CODECS.ListPartitionReassignments, 0, {
      timeoutMs: 1000,
      topics: null,
    });
    assert.deepEqual([listed.errorCode, listed.topics], [KAFKA_ERROR.NONE, []]);
  });

  it('describes the quorum of one, and its features', async () => {
    const quorum = await client.call(API_CODECS.DescribeQuorum, 2, {
      topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
    });
    const partition = quorum.topics[0]?.partitions[0];
    assert.deepEqual([partition?.leaderId, partition?.currentVoters.length], [1, 1]);
    const update = (level: number) =>
      client.call(API_CODECS.UpdateFeatures, 2, {
        timeoutMs: 1000,
        featureUpdates: [
          {
            feature: 'metadata.version',
            maxVersionLevel: level,
            allowDowngrade: false,
            upgradeType: 1,
          },
        ],
        validateOnly: false,
      });
    assert.equal((await update(29)).errorCode, KAFKA_ERROR.NONE);
    assert.equal((await update(30)).errorCode, KAFKA_ERROR.INVALID_UPDATE_VERSION);
  });

  it('tells brokers from controllers', async () => {
    const ask = async (endpointType: number) => {
      const request = {
        includeClusterAuthorizedOperations: true,
        endpointType,
        includeFencedBrokers: false,
      };
      return client.call(API_CODECS.DescribeCluster, 2, request);
    };
    const brokers = await ask(1);
    assert.equal(brokers.brokers.length, 1);
    assert.equal(brokers.clusterId, tested.broker.clusterId);
    assert.ok(brokers.clusterAuthorizedOperations > 0);
    assert.equal((await ask(2)).errorCode, KAFKA_ERROR.MISMATCHED_ENDPOINT_TYPE);
  });

  it('has no access rules, and says so as Kafka does', async () => {
    const described = await client.call(API_CODECS.DescribeAcls, 3, {
      resourceTypeFilter: 1,
      resourceNameFilter: null,
      patternTypeFilter: 1,
      principalFilter: null,
      hostFilter: null,
      operation: 1,
      permissionType: 1,
    });
    assert.equal(described.errorCode, KAFKA_ERROR.SECURITY_DISABLED);
    const created = await client.call(API_CODECS.CreateAcls, 3, {
      creations: [
        {
          resourceType: 2,
          resourceName: 'x',
          resourcePatternType: 3,
          principal: 'User:a',
          host: '*',
          operation: 3,
          permissionType: 3,
        },
      ],
    });
    assert.equal(created.results[0]?.errorCode, KAFKA_ERROR.SECURITY_DISABLED);
  });

  it('keeps client quotas', async () => {
    const entity = [{ entityType: 'client-id', entityName: 'c' }];
    const alter = async (key: string, value: number, remove = false) => {
      const request = { entries: [{ entity, ops: [{ key, value, remove }] }], validateOnly: false };
      return (await client.call(API_CODECS.AlterClientQuotas, 1, request)).entries[0]?.errorCode;
    };
    const describeQuotas = async (matchType: number, match: string | null, strict = false) => {
      const components = [{ entityType: 'client-id', matchType, match }];
      const answer = await client.call(API_CODECS.DescribeClientQuotas, 1, { components, strict });
      return answer.entries?.map((entry) => entry.values);
    };
    assert.equal(await alter('producer_byte_rate', 1000), KAFKA_ERROR.NONE);
    assert.equal(await alter('no_such_rate', 1), KAFKA_ERROR.INVALID_REQUEST);
    assert.equal(await alter('connection_creation_rate', 1), KAFKA_ERROR.INVALID_REQUEST);
    const expected = [[{ key: 'producer_byte_rate', value: 1000 }]];
    assert.deepEqual(await describeQuotas(0, 'c', true), expected);
    assert.deepEqual(await describeQuotas(2, null), expected);
    assert.deepEqual(await describeQuotas(1, null), []);
    assert.equal(await alter('producer_byte_rate', 0, true), KAFKA_ERROR.NONE);
    assert.deepEqual(await describeQuotas(2, null), []);
  });

  it('finds where leader epochs end', async () => {
    const epoch = tested.broker.topics.byName('default', 'orders')?.partition(0)?.leaderEpoch ?? 0;
    const ask = async (currentLeaderEpoch: number, leaderEpoch: number) => {
      const partitions = [{ partition: 0, currentLeaderEpoch, leaderEpoch }];
      const request = { replicaId: -1, topics: [{ topic: 'orders', partitions }] };
      const { topics } = await client.call(API_CODECS.OffsetForLeaderEpoch, 4, request);
      const found = topics[0]?.partitions[0];
      return [found?.errorCode, found?.leaderEpoch, found?.endOffset];
    };
    assert.deepEqual(await ask(epoch, epoch), [KAFKA_ERROR.NONE, epoch, 1]);
    assert.deepEqual(await ask(epoch + 1, epoch), [KAFKA_ERROR.UNKNOWN_LEADER_EPOCH, -1, -1]);
    assert.deepEqual(await ask(epoch - 1, epoch), [
      epoch - 1 < 0 ? KAFKA_ERROR.NONE : KAFKA_ERROR.FENCED_LEADER_EPOCH,
      epoch - 1 < 0 ? epoch : -1,
      epoch - 1 < 0 ? 1 : -1,
    ]);
  });

  it('has metrics under the names that dashboards know', async () => {
    const names = new Map([...tested.frontend.metrics()].map((one) => [one.name, one.samples]));
    for (const name of [
      'kafka_server_brokertopicmetrics_messagesin_total',
      'kafka_server_replicamanager_partitioncount',
      'kafka_controller_kafkacontroller_activecontrollercount',
      'kafka_topic_partition_current_offset',
      'kafka_network_requestmetrics_requests_total',
    ]) {
      assert.ok((names.get(name)?.length ?? 0) > 0, name);
    }
  });
});
