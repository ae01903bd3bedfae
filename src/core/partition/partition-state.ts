import { readInt64, writeInt64 } from '../../base/record-batch.ts';
import type { LogId } from '../../storage/types.ts';
import { EpochHistory } from './epoch-history.ts';
import { ProducerEntry } from './producer-entry.ts';
import { ProducerState } from './producer-state.ts';

/** What a partition knows beside its records: its producers and its epochs. Survives a restart. */
export class PartitionState {
  readonly log: LogId;
  readonly producers: ProducerState;
  readonly epochs: EpochHistory;
  /** Differs from what the last checkpoint saved; set through PartitionStates.markDirty. */
  dirty: boolean;
  /** False while it holds only what was replayed since the last checkpoint. */
  complete: boolean;
  /** The newest epoch that the last saved state knows, or -1. */
  savedEpoch: number;

  constructor(log: LogId, producersMax: number) {
    this.log = log;
    this.producers = new ProducerState(producersMax);
    this.epochs = new EpochHistory();
    this.dirty = false;
    this.complete = false;
    this.savedEpoch = -1;
  }

  /** Adds what was replayed after this state had been saved. */
  absorb(replayed: PartitionState): void {
    this.producers.absorb(replayed.producers);
    for (let i = 0; i < replayed.epochs.size; i++) {
      this.epochs.begin(replayed.epochs.epochAt(i), replayed.epochs.startAt(i));
    }
  }
}

/**
 * A saved state, big endian:
 *
 *   version uint8 1 | epochs uint32, each: epoch int32, start int64
 *   producers uint32, each: id int64, epoch int16, lastTimestamp int64, touchedMs int64, batches uint8,
 *                     each: firstSequence int32, lastOffsetDelta int32, baseOffset int64
 */
const VERSION = 1;
const EPOCH_BYTES = 12;
const PRODUCER_BYTES = 27;
const BATCH_BYTES = 16;

export function encodePartitionState(state: PartitionState): Buffer {
  const { epochs, producers } = state;
  let bytes = 9 + epochs.size * EPOCH_BYTES + producers.size * PRODUCER_BYTES;
  for (const entry of producers.all()) bytes += entry.size * BATCH_BYTES;
  const out = Buffer.allocUnsafe(bytes);
  let at = out.writeUInt8(VERSION, 0);
  at = out.writeUInt32BE(epochs.size, at);
  for (let i = 0; i < epochs.size; i++, at += EPOCH_BYTES) {
    out.writeInt32BE(epochs.epochAt(i), at);
    writeInt64(out, epochs.startAt(i), at + 4);
  }
  at = out.writeUInt32BE(producers.size, at);
  for (const entry of producers.all()) {
    writeInt64(out, entry.producerId, at);
    out.writeInt16BE(entry.epoch, at + 8);
    writeInt64(out, entry.lastTimestamp, at + 10);
    writeInt64(out, Math.floor(entry.touchedMs), at + 18);
    out.writeUInt8(entry.size, at + 26);
    at += PRODUCER_BYTES;
    for (let i = 0; i < entry.size; i++, at += BATCH_BYTES) {
      out.writeInt32BE(entry.firstSequence(i), at);
      out.writeInt32BE(entry.lastOffsetDelta(i), at + 4);
      writeInt64(out, entry.baseOffset(i), at + 8);
    }
  }
  return out;
}

/** Reads a saved state; throws a RangeError when the bytes are something else. */
export function decodePartitionState(
  log: LogId,
  bytes: Buffer,
  producersMax: number,
): PartitionState {
  const state = new PartitionState(log, producersMax);
  const version = bytes.readUInt8(0);
  if (version !== VERSION) throw new RangeError(`unknown version ${version} of partition state`);
  const epochCount = bytes.readUInt32BE(1);
  let at = 5;
  for (let i = 0; i < epochCount; i++, at += EPOCH_BYTES) {
    state.epochs.begin(bytes.readInt32BE(at), readInt64(bytes, at + 4));
  }
  const producerCount = bytes.readUInt32BE(at);
  at += 4;
  for (let i = 0; i < producerCount; i++) {
    const entry = new ProducerEntry(readInt64(bytes, at), bytes.readInt16BE(at + 8));
    entry.lastTimestamp = readInt64(bytes, at + 10);
    entry.touchedMs = readInt64(bytes, at + 18);
    const batches = bytes.readUInt8(at + 26);
    at += PRODUCER_BYTES;
    for (let b = 0; b < batches; b++, at += BATCH_BYTES) {
      entry.add(bytes.readInt32BE(at), bytes.readInt32BE(at + 4), readInt64(bytes, at + 8), 0);
    }
    state.producers.put(entry);
  }
  return state;
}
