import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { batchRecordCount, findBatchDefect } from '../../../base/record-batch.ts';
import { readCreateTopicsRequest, writeCreateTopicsResponse } from './generated/create-topics.ts';
import { writeDeleteAclsResponse, readDeleteAclsRequest } from './generated/delete-acls.ts';
import { writeDeleteTopicsResponse } from './generated/delete-topics.ts';
import { readDescribeAclsRequest, writeDescribeAclsResponse } from './generated/describe-acls.ts';
import {
  readDescribeConfigsRequest,
  writeDescribeConfigsResponse,
} from './generated/describe-configs.ts';
import {
  createFetchResponseCurrentLeader,
  createFetchResponseDivergingEpoch,
  createFetchResponseSnapshotId,
  readFetchRequest,
  writeFetchResponse,
} from './generated/fetch.ts';
import { readJoinGroupRequest } from './generated/join-group.ts';
import { writeMetadataResponse } from './generated/metadata.ts';
import { readProduceRequest } from './generated/produce.ts';
import { readRequestHeader, type RequestHeader } from './headers.ts';
import { readConsumerProtocolSubscription } from './generated/consumer-protocol.ts';
import { Reader } from './reader.ts';
import { ZERO_UUID } from './records.ts';
import { Writer } from './writer.ts';

/*
 * The codec against another implementation: requests encoded by kafkajs are read, responses that are written are
 * decoded by kafkajs. It knows the oldest versions of several APIs, which Kafka itself no longer has.
 */

interface KafkajsRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
}
type KafkajsModule = (options: object) => KafkajsRequest;

const load = createRequire(import.meta.url);
const encodeFrame = load('kafkajs/src/protocol/request.js') as (options: {
  correlationId: number;
  clientId: string;
  request: KafkajsRequest;
}) => Promise<{ readonly buffer: Buffer }>;

/** A request as kafkajs puts it on the wire, read up to its body. */
async function request(
  path: string,
  options: object,
): Promise<{ header: RequestHeader; reader: Reader }> {
  const build = load(`kafkajs/src/protocol/requests/${path}/request.js`) as KafkajsModule;
  const { buffer } = await encodeFrame({
    correlationId: 5,
    clientId: 'kafkajs',
    request: build(options),
  });
  assert.equal(buffer.readInt32BE(0), buffer.length - 4);
  const reader = new Reader(buffer, 4);
  const header = readRequestHeader(reader);
  assert.equal(header.correlationId, 5);
  assert.equal(header.clientId, 'kafkajs');
  return { header, reader };
}

/** A response body as kafkajs understands it. */
async function decode(path: string, write: (writer: Writer) => void): Promise<unknown> {
  const writer = new Writer();
  write(writer);
  const response = load(`kafkajs/src/protocol/requests/${path}/response.js`) as {
    decode(body: Buffer): Promise<unknown>;
  };
  return response.decode(writer.toBuffer());
}

test('reads what kafkajs produces, batch included', async () => {
  for (const version of [3, 4, 5, 6, 7]) {
    const { header, reader } = await request(`produce/v${version}`, {
      acks: -1,
      timeout: 30_000,
      topicData: [
        {
          topic: 'birds',
          partitions: [
            {
              partition: 2,
              firstSequence: 0,
              messages: [
                { key: 'k', value: 'one', timestamp: 1_700_000_000_000 },
                { key: null, value: 'two', timestamp: 1_700_000_000_001 },
              ],
            },
          ],
        },
      ],
    });
    assert.equal(header.apiVersion, version);
    const produce = readProduceRequest(reader, version);
    assert.equal(reader.remaining, 0);
    assert.equal(produce.transactionalId, null);
    assert.equal(produce.acks, -1);
    assert.equal(produce.timeoutMs, 30_000);
    const records = produce.topicData[0]?.partitionData[0]?.records;
    assert.equal(produce.topicData[0]?.name, 'birds');
    assert.equal(produce.topicData[0]?.partitionData[0]?.index, 2);
    assert.ok(records instanceof Buffer);
    assert.equal(findBatchDefect(records, 0, records.length), null);
    assert.equal(batchRecordCount(records, 0), 2);
  }
});

test('reads what kafkajs fetches', async () => {
  const { header, reader } = await request('fetch/v11', {
    replicaId: -1,
    maxWaitTime: 500,
    minBytes: 1,
    maxBytes: 1_048_576,
    isolationLevel: 1,
    rackId: 'nest',
    topics: [
      {
        topic: 'birds',
        partitions: [{ partition: 1, fetchOffset: '4294967301', maxBytes: 4096 }],
      },
    ],
    forgottenTopics: [{ topic: 'bees', partitions: [1, 2] }],
  });
  const fetch = readFetchRequest(reader, header.apiVersion);
  assert.equal(reader.remaining, 0);
  assert.equal(fetch.maxWaitMs, 500);
  assert.equal(fetch.isolationLevel, 1);
  assert.equal(fetch.sessionEpoch, -1);
  assert.equal(fetch.rackId, 'nest');
  assert.equal(fetch.clusterId, null);
  assert.equal(fetch.topics[0]?.partitions[0]?.fetchOffset, 4_294_967_301);
  assert.equal(fetch.topics[0]?.partitions[0]?.partitionMaxBytes, 4096);
  assert.deepEqual(fetch.forgottenTopicsData, [
    { topic: 'bees', topicId: ZERO_UUID, partitions: [1, 2] },
  ]);
});

test('reads what kafkajs subscribes to', async () => {
  const { MemberMetadata } = load('kafkajs/src/consumer/assignerProtocol.js') as {
    MemberMetadata: { encode(metadata: object): Buffer };
  };
  const metadata = MemberMetadata.encode({
    version: 0,
    topics: ['birds', 'bees'],
    userData: Buffer.from('u'),
  });
  const { header, reader } = await request('joinGroup/v5', {
    groupId: 'g',
    sessionTimeout: 30_000,
    rebalanceTimeout: 60_000,
    memberId: '',
    groupInstanceId: null,
    protocolType: 'consumer',
    groupProtocols: [{ name: 'RoundRobinAssigner', metadata }],
  });
  const join = readJoinGroupRequest(reader, header.apiVersion);
  assert.equal(reader.remaining, 0);
  assert.equal(join.groupInstanceId, null);
  assert.equal(join.rebalanceTimeoutMs, 60_000);
  const inner = new Reader(join.protocols[0]?.metadata ?? Buffer.alloc(0));
  const subscription = readConsumerProtocolSubscription(inner, inner.int16('version'));
  assert.equal(inner.remaining, 0);
  assert.deepEqual(subscription.topics, ['birds', 'bees']);
  assert.equal(subscription.userData?.toString(), 'u');
});

test('reads the oldest requests', async () => {
  const create = await request('createTopics/v0', {
    topics: [{ topic: 't', numPartitions: 3, configEntries: [{ name: 'a', value: null }] }],
    timeout: 9,
  });
  const topics = readCreateTopicsRequest(create.reader, create.header.apiVersion);
  assert.equal(create.reader.remaining, 0);
  assert.equal(topics.timeoutMs, 9);
  assert.equal(topics.validateOnly, false);
  assert.deepEqual(topics.topics[0]?.configs, [{ name: 'a', value: null }]);

  const configs = await request('describeConfigs/v0', {
    resources: [{ type: 2, name: 't', configNames: [] }],
  });
  const describe = readDescribeConfigsRequest(configs.reader, configs.header.apiVersion);
  assert.equal(configs.reader.remaining, 0);
  assert.equal(describe.includeSynonyms, false);

  const rule = { resourceType: 2, resourceName: null, principal: 'User:a', host: '*' };
  const acls = await request('describeAcls/v0', { ...rule, operation: 3, permissionType: 1 });
  const filter = readDescribeAclsRequest(acls.reader, acls.header.apiVersion);
  assert.equal(acls.reader.remaining, 0);
  assert.deepEqual([filter.patternTypeFilter, filter.operation], [3, 3]);
  const remove = await request('deleteAcls/v0', {
    filters: [{ ...rule, operation: 3, permissionType: 1 }],
  });
  assert.equal(readDeleteAclsRequest(remove.reader, 0).filters[0]?.principalFilter, 'User:a');
  assert.equal(remove.reader.remaining, 0);
});

test('kafkajs reads the oldest responses', async () => {
  const topic = {
    name: 't',
    topicId: ZERO_UUID,
    errorCode: 36,
    errorMessage: null,
    topicConfigErrorCode: 0,
    numPartitions: -1,
    replicationFactor: -1,
    configs: null,
  };
  assert.deepEqual(
    await decode('createTopics/v0', (w) =>
      writeCreateTopicsResponse(w, { throttleTimeMs: 0, topics: [topic] }, 0),
    ),
    { topicErrors: [{ topic: 't', errorCode: 36 }] },
  );
  assert.deepEqual(
    await decode('deleteTopics/v0', (w) =>
      writeDeleteTopicsResponse(w, { throttleTimeMs: 1, responses: [topic] }, 0),
    ),
    { topicErrors: [{ topic: 't', errorCode: 36 }] },
  );
  const config = {
    name: 'retention.ms',
    value: '5',
    readOnly: false,
    isDefault: true,
    configSource: 5,
    isSensitive: false,
    synonyms: [],
    configType: 0,
    documentation: null,
  };
  const resource = { errorCode: 0, errorMessage: null, resourceType: 2, resourceName: 't' };
  const described = (await decode('describeConfigs/v0', (w) =>
    writeDescribeConfigsResponse(
      w,
      { throttleTimeMs: 0, results: [{ ...resource, configs: [config] }] },
      0,
    ),
  )) as { resources: { configEntries: unknown[] }[] };
  assert.deepEqual(described.resources[0]?.configEntries[0], {
    configName: 'retention.ms',
    configValue: '5',
    readOnly: false,
    isDefault: true,
    configSource: 5,
    isSensitive: false,
  });
});

test('kafkajs reads the oldest access rules', async () => {
  const acl = { principal: 'User:a', host: '*', operation: 3, permissionType: 1 };
  assert.deepEqual(
    await decode('describeAcls/v0', (w) =>
      writeDescribeAclsResponse(
        w,
        {
          throttleTimeMs: 0,
          errorCode: 0,
          errorMessage: null,
          resources: [{ resourceType: 2, resourceName: 't', patternType: 3, acls: [acl] }],
        },
        0,
      ),
    ),
    {
      throttleTime: 0,
      errorCode: 0,
      errorMessage: null,
      resources: [{ resourceType: 2, resourceName: 't', acls: [acl] }],
    },
  );
  const match = { errorCode: 0, errorMessage: null, resourceType: 2, resourceName: 't', ...acl };
  const result = { errorCode: 0, errorMessage: null };
  assert.deepEqual(
    await decode('deleteAcls/v0', (w) =>
      writeDeleteAclsResponse(
        w,
        {
          throttleTimeMs: 0,
          filterResults: [{ ...result, matchingAcls: [{ ...match, patternType: 3 }] }],
        },
        0,
      ),
    ),
    { throttleTime: 0, filterResponses: [{ ...result, matchingAcls: [match] }] },
  );
});

test('kafkajs reads metadata and fetched records', async () => {
  const metadata = (await decode('metadata/v5', (w) =>
    writeMetadataResponse(
      w,
      {
        throttleTimeMs: 0,
        brokers: [{ nodeId: 1, host: 'localhost', port: 9092, rack: null }],
        clusterId: 'c',
        controllerId: 1,
        topics: [
          {
            errorCode: 0,
            name: 'birds',
            topicId: ZERO_UUID,
            isInternal: false,
            topicAuthorizedOperations: -(2 ** 31),
            partitions: [
              {
                errorCode: 0,
                partitionIndex: 0,
                leaderId: 1,
                leaderEpoch: 0,
                replicaNodes: [1],
                isrNodes: [1],
                offlineReplicas: [],
              },
            ],
          },
        ],
        clusterAuthorizedOperations: -(2 ** 31),
        errorCode: 0,
      },
      5,
    ),
  )) as { topicMetadata: { topic: string; partitionMetadata: { leader: number }[] }[] };
  assert.equal(metadata.topicMetadata[0]?.topic, 'birds');
  assert.equal(metadata.topicMetadata[0]?.partitionMetadata[0]?.leader, 1);

  const produced = await request('produce/v7', {
    acks: 1,
    timeout: 1,
    topicData: [
      {
        topic: 'birds',
        partitions: [
          { partition: 0, messages: [{ key: 'k', value: 'v', timestamp: 1_700_000_000_000 }] },
        ],
      },
    ],
  });
  const batch = readProduceRequest(produced.reader, 7).topicData[0]?.partitionData[0]?.records;
  assert.ok(batch instanceof Buffer);
  const half = Math.floor(batch.length / 2);
  const fetched = (await decode('fetch/v11', (w) =>
    writeFetchResponse(
      w,
      {
        throttleTimeMs: 0,
        errorCode: 0,
        sessionId: 0,
        nodeEndpoints: [],
        responses: [
          {
            topic: 'birds',
            topicId: ZERO_UUID,
            partitions: [
              {
                partitionIndex: 0,
                errorCode: 0,
                highWatermark: 1,
                lastStableOffset: 1,
                logStartOffset: 0,
                divergingEpoch: createFetchResponseDivergingEpoch(),
                currentLeader: createFetchResponseCurrentLeader(),
                snapshotId: createFetchResponseSnapshotId(),
                abortedTransactions: null,
                preferredReadReplica: -1,
                records: {
                  bytes: batch.length,
                  slices: [
                    { buffer: batch, start: 0, end: half, lease: null },
                    { buffer: batch, start: half, end: batch.length, lease: null },
                  ],
                },
              },
            ],
          },
        ],
      },
      11,
    ),
  )) as { responses: { partitions: { messages: { value: Buffer }[] }[] }[] };
  assert.equal(fetched.responses[0]?.partitions[0]?.messages[0]?.value.toString(), 'v');
});
