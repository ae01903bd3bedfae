import type { PartitionView } from '../../core/types.ts';
import type {
  FetchResponse,
  FetchResponsePartition,
  FetchResponseTopic,
} from './codec/generated/fetch.ts';
import { ZERO_UUID } from './codec/records.ts';
import type { RecordsOut } from './codec/records.ts';
import { KAFKA_ERROR } from './errors.ts';
import { fetchPartitionKey } from './fetch-session.ts';
import type { FetchPartition } from './fetch-session.ts';
import type { FetchTask } from './handlers/fetch-operation.ts';
import type { KafkaMetrics } from './metrics/kafka-metrics.ts';

const NO_RECORDS: RecordsOut = { bytes: 0, slices: [] };
const NO_EPOCH = { epoch: -1, endOffset: -1 };
const NO_SNAPSHOT = { endOffset: -1, epoch: -1 };
const NO_LEADER = { leaderId: -1, leaderEpoch: -1 };

/** The response of one fetch while its partitions are read, one after the other. */
export class FetchAnswer {
  private readonly task: FetchTask;
  private readonly nodeId: number;
  private readonly topics: FetchResponseTopic[] = [];
  private readonly views: PartitionView[] = [];
  private readonly sizes: number[] = [];
  /** Records whose memory is held because the response could not be put together in one go. */
  private readonly retained: RecordsOut[] = [];
  private retaining = false;
  private last: FetchPartition | null = null;
  private bytes = 0;
  private errors = 0;

  constructor(task: FetchTask, nodeId: number) {
    this.task = task;
    this.nodeId = nodeId;
  }

  /** No records yet: the next batch is sent however large it is. */
  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  /** Bytes of records so far. */
  get size(): number {
    return this.bytes;
  }

  /** Bytes of records that the partition may still get. */
  roomFor(partition: FetchPartition): number {
    const left = this.task.maxBytes - this.bytes;
    // The first batch goes out even when it is larger than every limit: a consumer must not get stuck.
    if (this.isEmpty) return Math.max(1, Math.min(left, partition.maxBytes));
    return Math.max(0, Math.min(left, partition.maxBytes));
  }

  addError(partition: FetchPartition, view: PartitionView | null, error: number): void {
    this.errors++;
    const fenced =
      view !== null &&
      (error === KAFKA_ERROR.FENCED_LEADER_EPOCH || error === KAFKA_ERROR.UNKNOWN_LEADER_EPOCH);
    this.add(partition, {
      partitionIndex: partition.index,
      errorCode: error,
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: error === KAFKA_ERROR.OFFSET_OUT_OF_RANGE ? (view?.logStart ?? -1) : -1,
      divergingEpoch: NO_EPOCH,
      currentLeader: fenced ? { leaderId: this.nodeId, leaderEpoch: view.leaderEpoch } : NO_LEADER,
      snapshotId: NO_SNAPSHOT,
      abortedTransactions: null,
      preferredReadReplica: -1,
      records: NO_RECORDS,
    });
    partition.toldError = error;
    partition.toldHighWatermark = -1;
  }

  /** A partition without new records: left out of incremental responses when nothing else changed either. */
  addNothing(
    partition: FetchPartition,
    view: PartitionView,
    highWatermark: number,
    diverging: { readonly epoch: number; readonly endOffset: number } | null,
  ): void {
    const changed =
      partition.fresh ||
      diverging !== null ||
      partition.toldError !== KAFKA_ERROR.NONE ||
      partition.toldHighWatermark !== highWatermark ||
      partition.toldLogStart !== view.logStart;
    if (this.task.incremental && !changed) return;
    const entry = this.entryOf(partition, view, NO_RECORDS);
    if (diverging !== null) entry.divergingEpoch = diverging;
    this.add(partition, entry);
    this.remember(partition, view);
  }

  addRecords(partition: FetchPartition, view: PartitionView, records: RecordsOut): void {
    if (records.bytes === 0) {
      this.addNothing(partition, view, view.highWatermark, null);
      return;
    }
    if (this.retaining) this.hold(records);
    this.add(partition, this.entryOf(partition, view, records));
    this.remember(partition, view);
    this.bytes += records.bytes;
    this.views.push(view);
    this.sizes.push(records.bytes);
    const { topicId, topicName, index } = partition;
    this.task.session?.moveToEnd(fetchPartitionKey(topicId, topicName, index), partition);
  }

  /** The response will be put together in a later turn: keeps the memory of what was read so far, and of what follows. */
  retain(): void {
    if (this.retaining) return;
    this.retaining = true;
    for (const topic of this.topics) {
      for (const partition of topic.partitions) {
        if (partition.records !== null) this.hold(partition.records);
      }
    }
  }

  release(): void {
    for (const records of this.retained) {
      for (const slice of records.slices) slice.lease?.release();
    }
    this.retained.length = 0;
  }

  count(metrics: KafkaMetrics): void {
    for (let i = 0; i < this.views.length; i++) {
      const view = this.views[i];
      if (view !== undefined) metrics.fetched(view.topic, this.sizes[i] ?? 0);
    }
    if (this.errors > 0) metrics.all.failedFetchRequests++;
  }

  body(throttleTimeMs: number): FetchResponse {
    return {
      throttleTimeMs,
      errorCode: KAFKA_ERROR.NONE,
      sessionId: this.task.session?.id ?? 0,
      responses: this.topics,
      nodeEndpoints: [],
    };
  }

  private hold(records: RecordsOut): void {
    for (const slice of records.slices) slice.lease?.retain();
    this.retained.push(records);
  }

  private entryOf(
    partition: FetchPartition,
    view: PartitionView,
    records: RecordsOut,
  ): FetchResponsePartition {
    return {
      partitionIndex: partition.index,
      errorCode: KAFKA_ERROR.NONE,
      highWatermark: view.highWatermark,
      lastStableOffset: view.lastStableOffset,
      logStartOffset: view.logStart,
      divergingEpoch: NO_EPOCH,
      currentLeader: NO_LEADER,
      snapshotId: NO_SNAPSHOT,
      abortedTransactions: this.task.isolation === 'committed' ? [] : null,
      preferredReadReplica: -1,
      records,
    };
  }

  /** Partitions of one topic that follow each other share its entry. */
  private add(partition: FetchPartition, entry: FetchResponsePartition): void {
    const topic = this.topics.at(-1);
    if (topic !== undefined && this.last !== null && sameTopic(this.last, partition)) {
      topic.partitions.push(entry);
    } else {
      this.topics.push({
        topic: partition.topicName,
        topicId: partition.topicId ?? ZERO_UUID,
        partitions: [entry],
      });
    }
    this.last = partition;
  }

  private remember(partition: FetchPartition, view: PartitionView): void {
    partition.fresh = false;
    partition.toldError = KAFKA_ERROR.NONE;
    partition.toldHighWatermark = view.highWatermark;
    partition.toldLogStart = view.logStart;
  }
}

function sameTopic(a: FetchPartition, b: FetchPartition): boolean {
  if (a.topicId === null || b.topicId === null) return a.topicName === b.topicName;
  return a.topicId === b.topicId || a.topicId.equals(b.topicId);
}
