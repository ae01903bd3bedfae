import assert from 'node:assert/strict';
import { API_CODECS } from '../../src/protocols/kafka/codec/generated/apis.ts';
import { writeConsumerProtocolSubscription } from '../../src/protocols/kafka/codec/generated/consumer-protocol.ts';
import type { JoinGroupRequest } from '../../src/protocols/kafka/codec/generated/join-group.ts';
import type { OffsetCommitRequest } from '../../src/protocols/kafka/codec/generated/offset-commit.ts';
import type { OffsetFetchRequest } from '../../src/protocols/kafka/codec/generated/offset-fetch.ts';
import { ZERO_UUID } from '../../src/protocols/kafka/codec/records.ts';
import { Writer } from '../../src/protocols/kafka/codec/writer.ts';
import { KAFKA_ERROR } from '../../src/protocols/kafka/errors.ts';
import type { TestClient } from './kafka-test-broker.ts';

export function subscription(...topics: string[]): Buffer {
  const writer = new Writer();
  writer.int16(0);
  const value = { topics, userData: null, ownedPartitions: [], generationId: -1, rackId: null };
  writeConsumerProtocolSubscription(writer, value, 0);
  return writer.toBuffer();
}

export function joinRequest(
  groupId: string,
  more: Partial<JoinGroupRequest> = {},
): JoinGroupRequest {
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
export async function join(client: TestClient, version: number, request: JoinGroupRequest) {
  const first = await client.call(API_CODECS.JoinGroup, version, request);
  if (first.errorCode !== KAFKA_ERROR.MEMBER_ID_REQUIRED) return first;
  assert.ok(version >= 4, 'only newer clients know this answer');
  return client.call(API_CODECS.JoinGroup, version, { ...request, memberId: first.memberId });
}

/** A lone member with its assignment. */
export async function stable(
  client: TestClient,
  groupId: string,
  more: Partial<JoinGroupRequest> = {},
) {
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

export function commitRequest(
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

export function commitTopic(
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

export function fetchRequest(
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

export async function fetchOffsets(
  client: TestClient,
  version: number,
  request: OffsetFetchRequest,
) {
  const response = await client.call(API_CODECS.OffsetFetch, version, request);
  if (version >= 8) {
    const [group] = response.groups;
    assert.ok(group);
    return group;
  }
  const topics = response.topics.map((topic) => ({ ...topic, topicId: ZERO_UUID }));
  return { groupId: request.groupId, topics, errorCode: response.errorCode };
}
