import assert from 'node:assert/strict';
import { API_CODECS } from '../../src/protocols/kafka/codec/generated/apis.ts';
import type {
  FetchRequest,
  FetchResponse,
  FetchResponsePartition,
} from '../../src/protocols/kafka/codec/generated/fetch.ts';
import type { ProduceResponsePartition } from '../../src/protocols/kafka/codec/generated/produce.ts';
import { ZERO_UUID } from '../../src/protocols/kafka/codec/records.ts';
import type { RecordsOut } from '../../src/protocols/kafka/codec/records.ts';
import { KAFKA_ERROR } from '../../src/protocols/kafka/errors.ts';
import { makeBatch } from './kafka-batches.ts';
import type { TestClient } from './kafka-test-broker.ts';
import { parseSlices } from './record-batches.ts';

/** Creates a topic and insists that it worked. */
export async function createTopic(
  client: TestClient,
  name: string,
  partitions: number,
  configs: Readonly<Record<string, string>> = {},
): Promise<void> {
  const response = await client.call(API_CODECS.CreateTopics, 7, {
    topics: [
      {
        name,
        numPartitions: partitions,
        replicationFactor: 1,
        assignments: [],
        configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
      },
    ],
    timeoutMs: 1000,
    validateOnly: false,
  });
  const [topic] = response.topics;
  assert.equal(topic?.errorCode, KAFKA_ERROR.NONE, topic?.errorMessage ?? '');
}

export interface ProduceCall {
  readonly topic: string;
  readonly topicId?: Buffer;
  readonly partition: number;
  readonly records: Buffer | null;
  readonly acks?: number;
  readonly transactionalId?: string;
}

/** Produces one batch and returns the answer of its partition. */
export async function produce(
  client: TestClient,
  version: number,
  call: ProduceCall,
): Promise<ProduceResponsePartition> {
  const response = await client.call(API_CODECS.Produce, version, {
    transactionalId: call.transactionalId ?? null,
    acks: call.acks ?? -1,
    timeoutMs: 1000,
    topicData: [
      {
        name: call.topic,
        topicId: call.topicId ?? ZERO_UUID,
        partitionData: [{ index: call.partition, records: call.records }],
      },
    ],
  });
  const partition = response.responses[0]?.partitionResponses[0];
  assert.ok(partition !== undefined);
  return partition;
}

/** Produces one record to each of the partitions with one request. */
export async function produceAll(
  client: TestClient,
  places: readonly { readonly topic: string; readonly partition: number }[],
): Promise<ProduceResponsePartition[]> {
  const response = await client.call(API_CODECS.Produce, 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topicData: places.map(({ topic, partition }) => ({
      name: topic,
      topicId: ZERO_UUID,
      partitionData: [{ index: partition, records: makeBatch(['x']) }],
    })),
  });
  return response.responses.flatMap((topic) => topic.partitionResponses);
}

export interface FetchCall {
  readonly topic: string;
  readonly topicId?: Buffer;
  readonly partition?: number;
  readonly offset: number;
  readonly maxBytes?: number;
  readonly currentLeaderEpoch?: number;
  readonly lastFetchedEpoch?: number;
}

/** A fetch request for these partitions, without waiting and without a session unless told otherwise. */
export function fetchRequest(
  calls: readonly FetchCall[],
  more: Partial<FetchRequest> = {},
): FetchRequest {
  return {
    clusterId: null,
    replicaId: -1,
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1_000_000,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: calls.map((call) => ({
      topic: call.topic,
      topicId: call.topicId ?? ZERO_UUID,
      partitions: [
        {
          partition: call.partition ?? 0,
          currentLeaderEpoch: call.currentLeaderEpoch ?? -1,
          fetchOffset: call.offset,
          lastFetchedEpoch: call.lastFetchedEpoch ?? -1,
          logStartOffset: -1,
          partitionMaxBytes: call.maxBytes ?? 1_000_000,
          replicaDirectoryId: ZERO_UUID,
          highWatermark: -1,
        },
      ],
    })),
    forgottenTopicsData: [],
    rackId: '',
    ...more,
  };
}

/** All partitions of a fetch response, in order. */
export function partitionsOf(response: FetchResponse): FetchResponsePartition[] {
  return response.responses.flatMap((topic) => topic.partitions);
}

/** Values of the records, in order. */
export function valuesOf(records: RecordsOut | null): string[] {
  return parseSlices(records?.slices ?? []).flatMap((batch) => [...batch.values]);
}
