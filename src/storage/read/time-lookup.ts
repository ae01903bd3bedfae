import {
  batchBaseOffset,
  batchMaxTimestamp,
  batchNextOffset,
  batchTotalBytes,
} from '../../base/record-batch.ts';
import type { LogState } from '../index/log-state.ts';
import type { RunIndex } from '../index/run-index.ts';
import type { SegmentSet } from '../segment/segment-set.ts';
import type { LogReader } from './log-reader.ts';

const READ_BYTES = 1 << 20;

/** First readable offset of the first batch whose max timestamp is at or after the given one, or null. */
export async function findOffsetForTime(
  options: { readonly reader: LogReader; readonly segments: SegmentSet },
  log: LogState,
  timestamp: number,
): Promise<number | null> {
  const { reader, segments } = options;
  let from = await firstCandidate(segments, log, timestamp, log.start);
  while (from !== null && from < log.committedEnd) {
    const result = await reader.read(log, from, { maxBytes: READ_BYTES, atLeastOneBatch: true });
    if (result.status === 'corrupt') {
      from = await firstCandidate(segments, log, timestamp, result.resumeOffset);
      continue;
    }
    if (result.status === 'out-of-range') {
      // Retention moved the start meanwhile: what is asked for begins there now.
      if (from >= result.start) return null;
      from = await firstCandidate(segments, log, timestamp, result.start);
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
    from = await firstCandidate(segments, log, timestamp, next);
  }
  return null;
}

/** An offset at or after `from` behind which the first late enough timestamp comes; null when none does. */
async function firstCandidate(
  segments: SegmentSet,
  log: LogState,
  timestamp: number,
  from: number,
): Promise<number | null> {
  for (const extent of log.extents ?? []) {
    if (extent.endOffset <= from || extent.maxTimestamp < timestamp) continue;
    try {
      const offset = await segments.seekTime(extent, timestamp, from);
      if (offset !== null) return offset;
    } catch {
      return Math.max(extent.baseOffset, from); // the read that follows knows what to do about it
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
