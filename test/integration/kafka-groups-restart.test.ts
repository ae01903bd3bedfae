import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { SystemClock } from '../../src/base/clock.ts';
import { SystemRandom } from '../../src/base/random.ts';
import { API_CODECS } from '../../src/protocols/kafka/codec/generated/apis.ts';
import { ZERO_UUID } from '../../src/protocols/kafka/codec/records.ts';
import { KAFKA_ERROR } from '../../src/protocols/kafka/errors.ts';
import { LocalEngine } from '../../src/storage/local-engine.ts';
import { createNodeFileSystem } from '../../src/storage/node-file-system.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { createTopic } from '../support/kafka-calls.ts';
import { openTestBroker, type TestBroker, type TestClient } from '../support/kafka-test-broker.ts';

const GROUP_ID = 'survivors';

async function stabilize(client: TestClient): Promise<string> {
  const request = {
    groupId: GROUP_ID,
    sessionTimeoutMs: 60_000,
    rebalanceTimeoutMs: 60_000,
    memberId: '',
    groupInstanceId: null,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('opaque') }],
    reason: null,
  };
  const { memberId } = await client.call(API_CODECS.JoinGroup, 9, request);
  const joined = await client.call(API_CODECS.JoinGroup, 9, { ...request, memberId });
  assert.equal(joined.generationId, 1);
  const synced = await sync(client, memberId, 'assigned');
  assert.equal(synced, 'assigned');
  return memberId;
}

async function sync(client: TestClient, memberId: string, assignment: string): Promise<string> {
  const response = await client.call(API_CODECS.SyncGroup, 5, {
    groupId: GROUP_ID,
    generationId: 1,
    memberId,
    groupInstanceId: null,
    protocolType: 'consumer',
    protocolName: 'range',
    assignments: [{ memberId, assignment: Buffer.from(assignment) }],
  });
  assert.equal(response.errorCode, KAFKA_ERROR.NONE);
  return response.assignment.toString();
}

async function commit(client: TestClient, memberId: string, offset: number): Promise<void> {
  const partition = { partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: -1 };
  const response = await client.call(API_CODECS.OffsetCommit, 8, {
    groupId: GROUP_ID,
    generationIdOrMemberEpoch: 1,
    memberId,
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: [
      {
        name: 'orders',
        topicId: ZERO_UUID,
        partitions: [{ ...partition, committedMetadata: 'where I was' }],
      },
    ],
  });
  assert.equal(response.topics[0]?.partitions[0]?.errorCode, KAFKA_ERROR.NONE);
}

async function committed(client: TestClient): Promise<number | undefined> {
  const response = await client.call(API_CODECS.OffsetFetch, 7, {
    groupId: GROUP_ID,
    topics: [{ name: 'orders', partitionIndexes: [0] }],
    groups: [],
    requireStable: true,
  });
  return response.topics[0]?.partitions[0]?.committedOffset;
}

describe('groups on disk', () => {
  let folder: string;
  let test: TestBroker;

  const open = () =>
    openTestBroker(
      {},
      new LocalEngine({
        clock: new SystemClock(),
        random: new SystemRandom(),
        logger: silentLogger,
        fileSystem: createNodeFileSystem(),
        folder,
      }),
    );

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lyrebird-groups-'));
    test = await open();
  });

  after(async () => {
    await test.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('go on after stops and crashes with members, assignments and offsets', async () => {
    let client = test.connect();
    await createTopic(client, 'orders', 1);
    const memberId = await stabilize(client);
    for (const [round, mode] of (['drain', 'abort', 'abort', 'drain'] as const).entries()) {
      await commit(client, memberId, round + 1);
      await test.broker.close(mode);
      await test.close();
      test = await open();
      client = test.connect();
      const beat = { groupId: GROUP_ID, generationId: 1, memberId, groupInstanceId: null };
      const alive = await client.call(API_CODECS.Heartbeat, 4, beat);
      assert.equal(alive.errorCode, KAFKA_ERROR.NONE, `after ${mode}`);
      assert.equal(await sync(client, memberId, 'of no effect'), 'assigned');
      assert.equal(await committed(client), round + 1);
    }
  });
});
