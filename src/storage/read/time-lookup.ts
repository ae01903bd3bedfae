import {
  batchBaseOffset,
  batchMaxTimestamp,
  batchNextOffset,
  batchTotalBytes,
} from '../../base/record-batch.ts';
import type { LogState } from '../index/log-state.ts';
import type { RunIndex } from '../index/run-index.ts';
import type { LogReader } from './log-reader.ts';

const READ_BYTES = 1 << 20;

/** First readable offset of the first batch whose max timestamp is at or after the given one, or null. */
export async function findOffsetForTime(
  reader: LogReader,
  log: LogState,
  timestamp: number,
): Promise<number | null> {
  let from = firstCandidate(log, timestamp, log.start);
  while (from !== null && from < log.committedEnd) {
    const result = await reader.read(log, from, { maxBytes: READ_BYTES, atLeastOneBatch: true });
    if (result.status === 'corrupt') {
      from = firstCandidate(log, timestamp, result.resumeOffset);
      continue;
    }
    if (result.status === 'out-of-range') {
      // Retention moved the start meanwhile: what is asked for begins there now.
      if (from >= result.start) return null;
      from = firstCandidate(log, timestamp, result.start);
      continue;
    }
    if (result.status !== 'ok' || result.bytes === 0) return null;
    let next: number = from;
    for (const { buffer, start, end } of result.slices) {
      for (let at = start; at < end; at += batchTotalBytes(buffer, at)) {
        if (batchMaxTimestamp(buffer, at) >= timestamp) {
          return Math.max(batchBaseOffset(buffer, at), log.start);
        }
        next = batchNextOffset(buffer, at);
      }
    }
    from = firstCandidate(log, timestamp, next);
  }
  return null;
}

/** The first offset at or after `from` in a piece that holds a late enough timestamp; null when none does. */
function firstCandidate(log: LogState, timestamp: number, from: number): number | null {
  for (const extent of log.extents ?? []) {
    if (extent.endOffset > from && extent.maxTimestamp >= timestamp) {
      return Math.max(extent.baseOffset, from);
    }
  }
  const runs = log.memory?.runs ?? log.runs;
  if (runs === null) return null;
  for (let run = runs.find(from); run < runs.length; run++) {
    if (runs.maxTimestamp(run) >= timestamp) return Math.max(runs.baseOffset(run), from);
  }
  return null;
}

/** Looks up the largest timestamp again after the batch that had it was trimmed. */
export function refreshMaxTimestamp(log: LogState): void {
  log.maxTimestamp = -1;
  log.maxTimestampOffset = -1;
  for (const extent of log.extents ?? []) {
    offer(log, extent.maxTimestamp, Math.max(extent.maxTimestampOffset, log.start));
  }
  const runs: RunIndex | null = log.memory?.runs ?? log.runs;
  if (runs === null) return;
  for (let run = 0; run < runs.length; run++) {
    const offset = runs.baseOffset(run) + runs.maxTimestampDelta(run);
    offer(log, runs.maxTimestamp(run), Math.max(offset, log.start));
  }
}

function offer(log: LogState, timestamp: number, offset: number): void {
  if (log.maxTimestampOffset !== -1 && timestamp <= log.maxTimestamp) return;
  log.maxTimestamp = timestamp;
  log.maxTimestampOffset = offset;
}
