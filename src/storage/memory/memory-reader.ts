import { cutBatches, seekBatch } from '../index/batch-walk.ts';
import {
  batchBaseOffset,
  batchMaxTimestamp,
  batchNextOffset,
  batchTotalBytes,
} from '../../base/record-batch.ts';
import type { LogState } from '../index/log-state.ts';
import { addSlice } from '../read/batch-collector.ts';
import type { ReadTarget } from '../read/batch-collector.ts';
import type { ReadOptions, ReadResult } from '../types.ts';

const NOTHING: ReadResult = { status: 'ok', slices: [], bytes: 0 };

/** Reads whole batches out of a log's chunks, without copying. */
export function readMemoryLog(log: LogState, from: number, options: ReadOptions): ReadResult {
  if (from < log.start || from > log.committedEnd) {
    return { status: 'out-of-range', start: log.start, committedEnd: log.committedEnd };
  }
  const { memory } = log;
  const endOffset = Math.min(options.endOffset ?? Infinity, log.committedEnd);
  if (memory === null || from >= endOffset) return NOTHING;
  const target: ReadTarget = {
    offset: from,
    endOffset,
    bytesMax: options.maxBytes,
    atLeastOne: options.atLeastOneBatch,
    signal: null,
    bytes: 0,
    slices: [],
  };
  const { runs } = memory;
  for (let run = runs.find(from); run < runs.length; run++) {
    if (runs.baseOffset(run) >= endOffset) break;
    const location = runs.location(run);
    const buffer = memory.buffer(location);
    const start = memory.position(location);
    const end = start + runs.bytes(run);
    const first = seekBatch(buffer, start, end, from);
    const cut = cutBatches(buffer, first, end, {
      bytesMax: target.bytesMax - target.bytes,
      endOffset,
      atLeastOne: target.atLeastOne && target.bytes === 0,
    });
    if (cut > first) addSlice(target, buffer, first, cut, null);
    if (cut < end) break;
  }
  return { status: 'ok', slices: target.slices, bytes: target.bytes };
}

/** Base offset of the first committed batch whose max timestamp is at or after the timestamp, or null. */
export function memoryOffsetForTime(log: LogState, timestamp: number): number | null {
  const { memory } = log;
  if (memory === null) return null;
  const { runs } = memory;
  for (let run = runs.find(log.start); run < runs.length; run++) {
    if (runs.baseOffset(run) >= log.committedEnd) return null;
    if (runs.maxTimestamp(run) < timestamp) continue;
    const location = runs.location(run);
    const buffer = memory.buffer(location);
    let at = memory.position(location);
    const end = at + runs.bytes(run);
    for (; at < end; at += batchTotalBytes(buffer, at)) {
      if (batchNextOffset(buffer, at) <= log.start) continue;
      if (batchMaxTimestamp(buffer, at) >= timestamp) {
        return Math.max(batchBaseOffset(buffer, at), log.start);
      }
    }
  }
  return null;
}
