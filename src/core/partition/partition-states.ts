import type { Clock } from '../../base/clock.ts';
import {
  batchBaseOffset,
  batchBaseSequence,
  batchLastOffsetDelta,
  batchLeaderEpoch,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
  batchTotalBytes,
} from '../../base/record-batch.ts';
import type { LogEngine, LogId, Position } from '../../storage/types.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { PartitionState, decodePartitionState, encodePartitionState } from './partition-state.ts';

/** Partitions looked at in one turn of the event loop while producers are expired. */
const EXPIRY_SLICE = 1000;

export interface PartitionStatesOptions {
  readonly engine: LogEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly producersPerPartitionMax: () => number;
  readonly producerExpirationMs: () => number;
}

/**
 * The states of all partitions: rebuilt from the last checkpoint's snapshots and the batches replayed after it,
 * made when first needed, saved at each checkpoint if they changed.
 */
export class PartitionStates {
  private readonly options: PartitionStatesOptions;
  private readonly states = new Map<LogId, PartitionState>();
  private dirty: PartitionState[] = [];
  private expiring = false;

  constructor(options: PartitionStatesOptions) {
    this.options = options;
  }

  /** Whole batches that were journalled after the last checkpoint. */
  replay(log: LogId, buffer: Buffer, start: number, end: number): void {
    let state = this.states.get(log);
    if (state === undefined) {
      state = new PartitionState(log, this.options.producersPerPartitionMax());
      this.states.set(log, state);
      this.markDirty(state);
    }
    for (let at = start; at < end; at += batchTotalBytes(buffer, at)) {
      this.note(state, buffer, at, 0);
    }
  }

  /** The state of a log that is led in the given epoch. */
  of(log: LogId, leaderEpoch: number): PartitionState {
    const known = this.states.get(log);
    const state = known?.complete === true ? known : this.complete(log, known);
    if (leaderEpoch > state.epochs.latest) {
      // The first look at the partition since the epoch began: nothing can have been appended in it yet.
      const bounds = this.options.engine.bounds(log);
      const start = state.epochs.size === 0 ? bounds?.start : bounds?.pendingEnd;
      state.epochs.begin(leaderEpoch, start ?? 0);
    }
    return state;
  }

  /** Notes the batch at `at`, which was appended at the position and carries its final offset and epoch. */
  note(state: PartitionState, buffer: Buffer, at: number, position: Position): void {
    const baseOffset = batchBaseOffset(buffer, at);
    this.noteAppended(state, buffer, at, baseOffset, batchLeaderEpoch(buffer, at), position);
  }

  /** Notes a batch whose offset and epoch are not in its bytes. */
  noteAppended(
    state: PartitionState,
    buffer: Buffer,
    at: number,
    baseOffset: number,
    leaderEpoch: number,
    position: Position,
  ): void {
    if (leaderEpoch > state.epochs.latest) state.epochs.begin(leaderEpoch, baseOffset);
    if (state.epochs.latest !== state.savedEpoch && !state.dirty) this.markDirty(state);
    const producerId = batchProducerId(buffer, at);
    if (producerId < 0) return;
    state.producers.appended(
      producerId,
      batchProducerEpoch(buffer, at),
      {
        firstSequence: batchBaseSequence(buffer, at),
        lastOffsetDelta: batchLastOffsetDelta(buffer, at),
        baseOffset,
        position,
        timestamp: batchMaxTimestamp(buffer, at),
      },
      this.options.clock.wallMs(),
    );
    if (!state.dirty) this.markDirty(state);
  }

  /** The log was deleted. */
  drop(log: LogId): void {
    this.states.delete(log);
  }

  /** Saves what changed; called by the engine at a checkpoint. */
  checkpoint(): void {
    const { engine } = this.options;
    const dirty = this.dirty;
    this.dirty = [];
    for (const { log } of dirty) {
      let state = this.states.get(log);
      if (state === undefined || !engine.hasLog(log)) continue;
      if (!state.complete) state = this.complete(log, state);
      state.dirty = false;
      state.savedEpoch = state.epochs.latest;
      engine.snapshots.save(log, encodePartitionState(state));
    }
  }

  /** Forgets producers that were silent too long, some partitions a turn. Resolves when all were looked at. */
  async expireProducers(signal: AbortSignal): Promise<void> {
    if (this.expiring) return;
    this.expiring = true;
    const { clock } = this.options;
    const sinceMs = clock.wallMs() - this.options.producerExpirationMs();
    let looked = 0;
    for (const state of this.states.values()) {
      if (signal.aborted) break;
      if (state.producers.expire(sinceMs) > 0) this.markDirty(state);
      if (++looked % EXPIRY_SLICE === 0) {
        await new Promise<void>((resolve) => clock.defer(resolve));
      }
    }
    this.expiring = false;
  }

  /** Producers remembered; walks all partitions that were used. */
  producerCounts(): { readonly total: number; readonly largest: number } {
    let total = 0;
    let largest = 0;
    for (const { producers } of this.states.values()) {
      total += producers.size;
      if (producers.size > largest) largest = producers.size;
    }
    return { total, largest };
  }

  private markDirty(state: PartitionState): void {
    if (state.dirty) return;
    state.dirty = true;
    this.dirty.push(state);
  }

  /** Puts the saved state under what was replayed. */
  private complete(log: LogId, replayed: PartitionState | undefined): PartitionState {
    const state = this.load(log);
    if (replayed !== undefined) {
      state.absorb(replayed);
      state.dirty = replayed.dirty;
    }
    state.complete = true;
    this.states.set(log, state);
    return state;
  }

  private load(log: LogId): PartitionState {
    const { engine, logger } = this.options;
    const producersMax = this.options.producersPerPartitionMax();
    const bytes = engine.snapshots.load(log);
    if (bytes !== null) {
      try {
        const state = decodePartitionState(log, bytes, producersMax);
        state.savedEpoch = state.epochs.latest;
        return state;
      } catch (error) {
        logger.error(
          'partition.state-unreadable',
          'the producer state of a partition cannot be read; duplicates of before the restart are not recognised',
          { log, error },
        );
      }
    }
    return new PartitionState(log, producersMax);
  }
}
