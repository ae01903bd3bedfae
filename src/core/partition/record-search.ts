import {
  batchBaseOffset,
  batchMaxTimestamp,
  batchNextOffset,
  batchTotalBytes,
} from '../../base/record-batch.ts';
import { openRecords } from '../../base/records.ts';
import type { LogEngine, LogId, Slice } from '../../storage/types.ts';

export interface FoundRecord {
  readonly offset: number;
  readonly timestamp: number;
}

export interface SearchOptions {
  /** Records before this offset do not count. */
  readonly from: number;
  /** Batches are decompressed up to this size; of a larger one the first offset stands for its records. */
  readonly decompressedBytesMax: number;
}

/** Batches looked at when headers promise a timestamp that their records do not have. */
const BATCHES_MAX = 64;

/**
 * The first committed record at or after the timestamp, beginning with the batch at startOffset: the first batch
 * whose header says that it has one.
 */
export async function findByTimestamp(
  engine: LogEngine,
  log: LogId,
  startOffset: number,
  timestamp: number,
  options: SearchOptions,
): Promise<FoundRecord | null> {
  let next = startOffset;
  for (let looked = 0; looked < BATCHES_MAX; looked++) {
    const slice = await readBatch(engine, log, next);
    if (slice === null) return null;
    if (typeof slice === 'number') {
      next = slice;
      continue;
    }
    const { buffer, start } = slice;
    if (batchMaxTimestamp(buffer, start) >= timestamp) {
      const found = firstRecord(buffer, start, timestamp, options);
      if (found !== null) return found;
    }
    next = batchNextOffset(buffer, start);
  }
  return null;
}

/** The batch that holds the offset; where to go on when it is damaged; null behind the committed end. */
async function readBatch(
  engine: LogEngine,
  log: LogId,
  offset: number,
): Promise<Slice | number | null> {
  const result = await engine.read(log, offset, { maxBytes: 1, atLeastOneBatch: true });
  if (result.status === 'corrupt') return result.resumeOffset > offset ? result.resumeOffset : null;
  if (result.status !== 'ok') return null;
  const slice = result.slices[0];
  if (slice === undefined) return null;
  // A slice may begin with batches before the asked offset: skip to the one that holds it.
  let { start } = slice;
  while (start < slice.end && batchNextOffset(slice.buffer, start) <= offset) {
    start += batchTotalBytes(slice.buffer, start);
  }
  return start < slice.end ? { ...slice, start } : null;
}

function firstRecord(
  buffer: Buffer,
  start: number,
  timestamp: number,
  options: SearchOptions,
): FoundRecord | null {
  const records = openRecords(buffer, start, options.decompressedBytesMax);
  if (typeof records === 'string') {
    const offset = Math.max(batchBaseOffset(buffer, start), options.from);
    return { offset, timestamp: batchMaxTimestamp(buffer, start) };
  }
  while (records.next()) {
    if (records.timestamp >= timestamp && records.offset >= options.from) {
      return { offset: records.offset, timestamp: records.timestamp };
    }
  }
  return null;
}
