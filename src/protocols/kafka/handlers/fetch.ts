import { FETCH, readFetchRequest, writeFetchResponse } from '../codec/generated/fetch.ts';
import type { FetchRequest, FetchRequestPartition } from '../codec/generated/fetch.ts';
import { FetchPartition, fetchPartitionKey } from '../fetch-session.ts';
import type { FetchSession } from '../fetch-session.ts';
import { FetchOperation } from './fetch-operation.ts';
import type { ApiHandler } from './handler.ts';

const TOPIC_IDS_FROM = 13;

/** Reads whole batches from many partitions, waiting for a minimum of bytes. */
export const fetchHandler: ApiHandler = {
  api: FETCH,
  minVersion: 4,
  maxVersion: 18,
  handle(context, reader, version): void {
    const request = readFetchRequest(reader, version);
    context.services.metrics.all.fetchRequests++;
    const usesIds = version >= TOPIC_IDS_FROM;
    const choice = context.services.fetchSessions.choose(
      request.sessionId,
      request.sessionEpoch,
      usesIds,
    );
    if (choice.kind === 'error') {
      context.services.metrics.all.failedFetchRequests++;
      context.respond(writeFetchResponse, {
        throttleTimeMs: 0,
        errorCode: choice.error,
        sessionId: 0,
        responses: [],
        nodeEndpoints: [],
      });
      return;
    }
    const session = choice.session;
    const partitions =
      session === null
        ? requestedPartitions(request, usesIds)
        : updateSession(session, request, usesIds);
    new FetchOperation(context, {
      version,
      session,
      incremental: choice.kind === 'incremental',
      partitions,
      isolation: request.isolationLevel === 1 ? 'committed' : 'uncommitted',
      minBytes: request.minBytes,
      maxBytes: Math.min(Math.max(request.maxBytes, 0), context.config.fetchMaxBytes),
      maxWaitMs: Math.min(Math.max(request.maxWaitMs, 0), context.config.fetchMaxWaitMs),
    }).start();
  },
};

function requestedPartitions(request: FetchRequest, usesIds: boolean): FetchPartition[] {
  const partitions: FetchPartition[] = [];
  for (const topic of request.topics) {
    const id = usesIds ? topic.topicId : null;
    for (const asked of topic.partitions) {
      const partition = new FetchPartition(id, topic.topic, asked.partition);
      update(partition, asked);
      partitions.push(partition);
    }
  }
  return partitions;
}

/** Applies what the request changes to the session's partitions and returns all of them in serving order. */
function updateSession(
  session: FetchSession,
  request: FetchRequest,
  usesIds: boolean,
): FetchPartition[] {
  for (const topic of request.topics) {
    const id = usesIds ? topic.topicId : null;
    for (const asked of topic.partitions) {
      const key = fetchPartitionKey(id, topic.topic, asked.partition);
      let partition = session.partitions.get(key);
      if (partition === undefined) {
        partition = new FetchPartition(id, topic.topic, asked.partition);
        session.partitions.set(key, partition);
      }
      update(partition, asked);
    }
  }
  for (const topic of request.forgottenTopicsData) {
    const id = usesIds ? topic.topicId : null;
    for (const index of topic.partitions) {
      session.partitions.delete(fetchPartitionKey(id, topic.topic, index));
    }
  }
  return [...session.partitions.values()];
}

function update(partition: FetchPartition, asked: FetchRequestPartition): void {
  partition.fetchOffset = asked.fetchOffset;
  partition.maxBytes = asked.partitionMaxBytes;
  partition.currentLeaderEpoch = asked.currentLeaderEpoch;
  partition.lastFetchedEpoch = asked.lastFetchedEpoch;
}
