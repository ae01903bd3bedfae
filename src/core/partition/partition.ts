import type { Clock } from '../../base/clock.ts';
import { createDeferred } from '../../base/deferred.ts';
import { LyrebirdError } from '../../base/errors.ts';
import {
  batchBaseSequence,
  batchLastOffsetDelta,
  batchProducerEpoch,
  batchProducerId,
} from '../../base/record-batch.ts';
import {
  APPEND_REFUSED,
  type CommitListener,
  type LogEngine,
  type LogId,
  type Position,
  type ReadResult,
} from '../../storage/types.ts';
import type { AppendOutcome, DataWaiter, PartitionView, TopicView } from '../types.ts';
import { findAppendDefect, stampAppendTime, type AppendRefusal } from './batch-checks.ts';
import type { PartitionState } from './partition-state.ts';
import type { PartitionStates } from './partition-states.ts';
import { findByTimestamp, type FoundRecord } from './record-search.ts';
import { WaiterList } from './waiter-list.ts';

/** What all partitions of a broker share. */
export interface PartitionHost {
  readonly engine: LogEngine;
  readonly clock: Clock;
  readonly states: PartitionStates;
  /** Batches that must be looked into are decompressed up to this size. */
  readonly decompressedBytesMax: () => number;
}

/** The topic of a partition, as the partition needs it. */
export interface OwningTopic extends TopicView {
  /** False once it was deleted. */
  readonly live: boolean;
}

const DELETED: AppendRefusal = { status: 'not-owner', message: 'the topic was deleted' };

/** One log of a topic, with what clients expect of it: checks, producers, epochs, waiting readers. */
export class Partition implements PartitionView {
  readonly topic: OwningTopic;
  readonly index: number;
  readonly log: LogId;
  private readonly host: PartitionHost;
  private state: PartitionState | null;
  private waiters: WaiterList | null;

  constructor(host: PartitionHost, topic: OwningTopic, index: number, log: LogId) {
    this.host = host;
    this.topic = topic;
    this.index = index;
    this.log = log;
    this.state = null;
    this.waiters = null;
  }

  get leaderEpoch(): number {
    return this.host.engine.owner(this.log).epoch;
  }

  get logStart(): number {
    return this.host.engine.bounds(this.log)?.start ?? 0;
  }

  get highWatermark(): number {
    return this.host.engine.bounds(this.log)?.committedEnd ?? 0;
  }

  get lastStableOffset(): number {
    return this.highWatermark;
  }

  get bytes(): number {
    return this.host.engine.bounds(this.log)?.bytes ?? 0;
  }

  appendBatch(buffer: Buffer, start: number, end: number): AppendOutcome {
    const { engine, clock, states } = this.host;
    const { config } = this.topic;
    if (!this.topic.live) return DELETED;
    const nowMs = clock.wallMs();
    const defect = findAppendDefect(buffer, start, end, config, {
      nowMs,
      decompressedBytesMax: this.host.decompressedBytesMax(),
    });
    if (defect !== null) return defect;
    const owner = engine.owner(this.log);
    if (!owner.mine) return { status: 'not-owner', message: 'another broker owns the partition' };
    const state = this.stateFor(owner.epoch);
    const known = batchProducerId(buffer, start) < 0 ? null : checkProducer(state, buffer, start);
    if (known !== null) return known;
    let appendTimeMs = -1;
    if (config.timestampType === 'append') {
      stampAppendTime(buffer, start, end, nowMs);
      appendTimeMs = nowMs;
    }
    const baseOffset = engine.pendingEnd(this.log);
    const position = engine.append(this.log, owner.epoch, buffer, start, end);
    if (position < 0) return refusalOf(position);
    states.noteAppended(state, buffer, start, baseOffset, owner.epoch, position);
    return { status: 'ok', baseOffset, appendTimeMs, position };
  }

  whenCommitted(position: Position, listener: CommitListener): void {
    this.host.engine.whenCommitted(position, this.topic.config.durability, listener);
  }

  read(
    from: number,
    options: {
      readonly maxBytes: number;
      readonly atLeastOneBatch: boolean;
      readonly isolation: 'uncommitted' | 'committed';
    },
  ): ReadResult | Promise<ReadResult> {
    // Without transactions both isolations end at the high watermark, which is where the engine ends.
    return this.host.engine.read(this.log, from, options);
  }

  /** An estimate: the records of a partition count as equally large. */
  bytesFrom(from: number): number {
    const bounds = this.host.engine.bounds(this.log);
    if (bounds === null || from >= bounds.committedEnd) return 0;
    const first = Math.max(from, bounds.start);
    return Math.ceil(
      (bounds.bytes * (bounds.committedEnd - first)) / (bounds.pendingEnd - bounds.start),
    );
  }

  addWaiter(waiter: DataWaiter): void {
    const { engine } = this.host;
    this.waiters ??= new WaiterList((onAdvance) => engine.onAdvance(this.log, onAdvance));
    this.waiters.add(waiter);
  }

  removeWaiter(waiter: DataWaiter): void {
    this.waiters?.remove(waiter);
  }

  async offsetForTimestamp(timestamp: number): Promise<FoundRecord | null> {
    const { engine } = this.host;
    const batch = await engine.offsetForTime(this.log, timestamp);
    if (batch === null) return null;
    return findByTimestamp(engine, this.log, batch, timestamp, this.searchOptions());
  }

  async maxTimestampOffset(): Promise<FoundRecord | null> {
    const { engine } = this.host;
    const largest = engine.maxTimestamp(this.log);
    if (largest === null) return null;
    const { baseOffset, timestamp } = largest;
    return findByTimestamp(engine, this.log, baseOffset, timestamp, this.searchOptions());
  }

  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } | null {
    if (!this.topic.live) return null;
    const state = this.stateFor(this.leaderEpoch);
    return state.epochs.endOffset(epoch, this.highWatermark);
  }

  async deleteRecordsBefore(offset: number): Promise<number | 'out-of-range'> {
    const { engine } = this.host;
    const { logStart, highWatermark } = this;
    const before = offset === -1 ? highWatermark : offset;
    if (before < 0 || before > highWatermark) return 'out-of-range';
    if (before <= logStart) return logStart;
    const position = engine.trim(this.log, before);
    if (position < 0) throw new LyrebirdError('LB2005', 'the log cannot be trimmed any more');
    const durable = createDeferred<void>();
    this.whenCommitted(position, {
      onCommitted: () => durable.resolve(),
      onCommitFailed: (error) => durable.reject(error),
    });
    await durable.promise;
    return this.logStart;
  }

  producers(): ReturnType<PartitionView['producers']> {
    if (!this.topic.live) return [];
    const state = this.stateFor(this.leaderEpoch);
    return Array.from(state.producers.all(), (entry) => ({
      producerId: entry.producerId,
      epoch: entry.epoch,
      lastSequence: entry.lastSequence,
      lastTimestamp: entry.lastTimestamp,
    }));
  }

  /** The topic was deleted. */
  retire(): void {
    this.state = null;
    this.waiters?.wakeAll();
    this.waiters?.stop();
  }

  private searchOptions(): { from: number; decompressedBytesMax: number } {
    return { from: this.logStart, decompressedBytesMax: this.host.decompressedBytesMax() };
  }

  private stateFor(leaderEpoch: number): PartitionState {
    const { state } = this;
    if (state !== null && state.epochs.latest >= leaderEpoch) return state;
    return (this.state = this.host.states.of(this.log, leaderEpoch));
  }
}

/** Null when the batch is to be appended. */
function checkProducer(state: PartitionState, buffer: Buffer, start: number): AppendOutcome | null {
  const { producers } = state;
  const producerId = batchProducerId(buffer, start);
  const epoch = batchProducerEpoch(buffer, start);
  const sequence = batchBaseSequence(buffer, start);
  const lastOffsetDelta = batchLastOffsetDelta(buffer, start);
  const verdict = producers.check(producerId, epoch, sequence, lastOffsetDelta);
  if (verdict === 'append') return null;
  if (verdict === 'duplicate') {
    const { duplicateOffset: baseOffset, duplicatePosition: position } = producers;
    return { status: 'duplicate', baseOffset, position };
  }
  const known = producers.get(producerId);
  if (verdict === 'fenced') {
    const message = `epoch ${epoch} of producer ${producerId} is older than ${known?.epoch}`;
    return { status: 'producer-fenced', message };
  }
  const message = `sequence ${sequence} of producer ${producerId} does not follow ${known?.lastSequence}`;
  return { status: 'out-of-order-sequence', message };
}

function refusalOf(code: number): AppendRefusal {
  switch (code) {
    case APPEND_REFUSED.notOwner:
      return { status: 'not-owner', message: 'another broker owns the partition' };
    case APPEND_REFUSED.unknownLog:
      return DELETED;
    case APPEND_REFUSED.diskFull:
      return {
        status: 'disk-full',
        message: 'the disk is full: nothing is stored until it has room',
      };
    case APPEND_REFUSED.memoryFull:
      return { status: 'memory-full', message: 'the limit for data kept in memory is reached' };
    case APPEND_REFUSED.closed:
      return { status: 'closed', message: 'the broker is closed' };
    default:
      return {
        status: 'storage-failed',
        message: 'storage failed and takes nothing until a restart',
      };
  }
}
