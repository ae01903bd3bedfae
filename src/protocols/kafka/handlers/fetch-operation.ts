import { WheelTimeout } from '../../../base/timer-wheel.ts';
import type { DataWaiter, PartitionView } from '../../../core/types.ts';
import type { ReadResult } from '../../../storage/types.ts';
import { writeFetchResponse } from '../codec/generated/fetch.ts';
import { FetchAnswer } from '../fetch-answer.ts';
import { KAFKA_ERROR, readErrorCode } from '../errors.ts';
import type { FetchPartition, FetchSession } from '../fetch-session.ts';
import type { Wakeable } from '../wake-list.ts';
import type { Parked, RequestContext, TurnListener } from './handler.ts';
import { epochError } from './leader-epoch.ts';

export interface FetchTask {
  readonly version: number;
  readonly session: FetchSession | null;
  /** The response carries only what changed. */
  readonly incremental: boolean;
  /** What to serve, in this order. */
  readonly partitions: readonly FetchPartition[];
  readonly isolation: 'uncommitted' | 'committed';
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
}

/**
 * One fetch from its request to its response:
 *
 *   start -> enough there? -> parked on its partitions -> woken or out of time -> its turn -> read -> answered
 *
 * Nothing is read before every earlier request of the connection is answered and the peer takes output, so that a
 * client that asks faster than it reads holds no memory.
 */
export class FetchOperation
  extends WheelTimeout
  implements DataWaiter, Wakeable, TurnListener, Parked
{
  woken = false;
  private readonly context: RequestContext;
  private readonly task: FetchTask;
  private readonly waitingOn: PartitionView[] = [];
  private phase: 'waiting' | 'answering' | 'over' = 'waiting';

  constructor(context: RequestContext, task: FetchTask) {
    super();
    this.context = context;
    this.task = task;
  }

  start(): void {
    if (this.task.maxWaitMs === 0 || this.isEnough()) {
      this.proceed();
      return;
    }
    this.context.services.metrics.parkedFetches++;
    this.context.broker.timers.start(this, this.task.maxWaitMs);
    this.context.park(this);
    this.wait();
  }

  onData(): void {
    this.context.services.wakeList.add(this);
  }

  onWake(): void {
    if (this.phase !== 'waiting') return;
    this.stopWaiting();
    if (this.isEnough()) this.unpark();
    else this.wait();
  }

  onInterrupted(): void {
    if (this.phase !== 'waiting') return;
    if (this.context.open) {
      this.unpark();
      return;
    }
    this.phase = 'over';
    this.leave();
  }

  onTurn(): void {
    const answer = new FetchAnswer(this.task, this.context.broker.nodeId);
    this.readFrom(0, answer);
  }

  override onTimeout(): void {
    if (this.phase === 'waiting') this.unpark();
  }

  private unpark(): void {
    this.leave();
    this.proceed();
  }

  private leave(): void {
    this.stopWaiting();
    this.context.broker.timers.cancel(this);
    this.context.park(null);
    this.context.services.metrics.parkedFetches--;
  }

  private proceed(): void {
    this.phase = 'answering';
    this.context.whenTurn(this);
  }

  private wait(): void {
    for (const partition of this.task.partitions) {
      const view = this.viewOf(partition);
      if (view === null) continue;
      view.addWaiter(this);
      this.waitingOn.push(view);
    }
  }

  private stopWaiting(): void {
    for (const view of this.waitingOn) view.removeWaiter(this);
    this.waitingOn.length = 0;
  }

  /** True when there is something to tell that should not wait: enough bytes, or any error. */
  private isEnough(): boolean {
    const task = this.task;
    if (task.minBytes <= 0 || task.partitions.length === 0) return true;
    let bytes = 0;
    for (const partition of task.partitions) {
      const view = this.viewOf(partition);
      if (view === null) return true;
      const end = view.highWatermark;
      if (this.findError(partition, view, end) !== KAFKA_ERROR.NONE) return true;
      if (divergence(partition, view) !== null) return true;
      if (partition.fetchOffset >= this.visibleEnd(view, end)) continue;
      bytes += Math.min(view.bytesFrom(partition.fetchOffset), partition.maxBytes);
      if (bytes >= task.minBytes) return true;
    }
    return false;
  }

  private visibleEnd(view: PartitionView, highWatermark: number): number {
    return this.task.isolation === 'committed' ? view.lastStableOffset : highWatermark;
  }

  /** The partition, looked up again only when topics came or went. */
  private viewOf(partition: FetchPartition): PartitionView | null {
    const topics = this.context.broker.topics;
    if (partition.topicRevision !== topics.revision) {
      partition.topicRevision = topics.revision;
      const namespace = this.context.namespace;
      const topic =
        partition.topicId === null
          ? topics.byName(namespace, partition.topicName)
          : topics.byId(partition.topicId);
      partition.topic = topic !== null && topic.namespace === namespace ? topic : null;
    }
    return partition.topic?.partition(partition.index) ?? null;
  }

  /** The high watermark is asked for once per partition and passed along: a fetch may have hundreds of them. */
  private findError(partition: FetchPartition, view: PartitionView, highWatermark: number): number {
    if (!this.context.allows('read', 'topic', view.topic.name)) {
      return KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED;
    }
    const known = partition.currentLeaderEpoch;
    if (known >= 0) {
      const error = epochError(known, view.leaderEpoch);
      if (error !== KAFKA_ERROR.NONE) return error;
    }
    const offset = partition.fetchOffset;
    // At the end of the log no start can be beyond the offset.
    if (offset === highWatermark) return KAFKA_ERROR.NONE;
    if (offset > highWatermark || offset < view.logStart) return KAFKA_ERROR.OFFSET_OUT_OF_RANGE;
    return KAFKA_ERROR.NONE;
  }

  /** Serves partitions from index on; goes on later when a read has to wait for the disk. */
  private readFrom(first: number, answer: FetchAnswer): void {
    const partitions = this.task.partitions;
    for (let index = first; index < partitions.length; index++) {
      const partition = partitions[index];
      if (partition === undefined) continue;
      const view = this.viewOf(partition);
      const end = view === null ? -1 : view.highWatermark;
      const error = view === null ? unknownError(partition) : this.findError(partition, view, end);
      if (view === null || error !== KAFKA_ERROR.NONE) {
        answer.addError(partition, view, error);
        continue;
      }
      const diverging = divergence(partition, view);
      const room = answer.roomFor(partition);
      const visible = partition.fetchOffset < this.visibleEnd(view, end);
      if (diverging !== null || room === 0 || !visible) {
        answer.addNothing(partition, view, end, diverging);
        continue;
      }
      const read = view.read(partition.fetchOffset, {
        maxBytes: room,
        atLeastOneBatch: answer.isEmpty,
        isolation: this.task.isolation,
      });
      if (read instanceof Promise) {
        answer.retain();
        this.continueAfter(read, index, answer, view);
        return;
      }
      addRead(answer, partition, view, read);
    }
    this.finish(answer);
  }

  private continueAfter(
    read: Promise<ReadResult>,
    index: number,
    answer: FetchAnswer,
    view: PartitionView,
  ): void {
    read.then(
      (result) => {
        const partition = this.task.partitions[index];
        if (!this.context.open || partition === undefined) {
          answer.release();
          this.phase = 'over';
          return;
        }
        addRead(answer, partition, view, result);
        this.readFrom(index + 1, answer);
      },
      (error: unknown) => {
        answer.release();
        this.phase = 'over';
        this.context.broker.logger.error('kafka.fetch.failed', 'a read failed', {
          topic: view.topic.name,
          partition: view.index,
          err: error,
        });
        if (this.context.open) this.context.close('a read failed');
      },
    );
  }

  private finish(answer: FetchAnswer): void {
    this.phase = 'over';
    answer.count(this.context.services.metrics);
    const throttleMs = this.context.meter('fetch-bytes', answer.size);
    this.context.respond(writeFetchResponse, answer.body(throttleMs));
    answer.release();
  }
}

function unknownError(partition: FetchPartition): number {
  return partition.topicId === null || partition.topic !== null
    ? KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION
    : KAFKA_ERROR.UNKNOWN_TOPIC_ID;
}

/** Where the consumer's log and this one part ways, or null when they do not (KIP-595). */
function divergence(
  partition: FetchPartition,
  view: PartitionView,
): { readonly epoch: number; readonly endOffset: number } | null {
  if (partition.lastFetchedEpoch < 0 || partition.lastFetchedEpoch === view.leaderEpoch) {
    return null;
  }
  const end = view.endOffsetForEpoch(partition.lastFetchedEpoch);
  if (end === null) return null;
  const agrees = end.epoch === partition.lastFetchedEpoch && end.endOffset >= partition.fetchOffset;
  return agrees ? null : end;
}

function addRead(
  answer: FetchAnswer,
  partition: FetchPartition,
  view: PartitionView,
  read: ReadResult,
): void {
  if (read.status === 'ok') answer.addRecords(partition, view, read);
  else answer.addError(partition, view, readErrorCode(read.status));
}
