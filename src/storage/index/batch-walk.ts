import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  batchBaseOffset,
  batchCrc,
  batchLastOffsetDelta,
  batchMagic,
  batchMaxTimestamp,
  batchNextOffset,
  batchTotalBytes,
  computeBatchCrc,
  stampBatch,
} from '../../base/record-batch.ts';

/** What the batches of a piece add up to. Filled by measureBatches, reused by its owner. */
export interface BatchTotals {
  offsetCount: number;
  maxTimestamp: number;
  /** Offset of the batch with that timestamp, counted from the first one's base offset. */
  maxTimestampDelta: number;
}

export const newBatchTotals = (): BatchTotals => ({
  offsetCount: 0,
  maxTimestamp: -1,
  maxTimestampDelta: 0,
});

/** Adds up whole batches [start, end); false when the bytes are not exactly that. */
export function measureBatches(
  b: Buffer,
  start: number,
  end: number,
  totals: BatchTotals,
): boolean {
  let offsets = 0;
  let maxTimestamp = -Infinity;
  let maxTimestampDelta = 0;
  let at = start;
  while (at < end) {
    if (end - at < BATCH_HEADER_BYTES || batchMagic(b, at) !== BATCH_MAGIC) return false;
    const bytes = batchTotalBytes(b, at);
    const delta = batchLastOffsetDelta(b, at);
    if (bytes < BATCH_HEADER_BYTES || bytes > end - at || delta < 0) return false;
    const timestamp = batchMaxTimestamp(b, at);
    if (timestamp > maxTimestamp) {
      maxTimestamp = timestamp;
      maxTimestampDelta = offsets;
    }
    offsets += delta + 1;
    at += bytes;
  }
  totals.offsetCount = offsets;
  totals.maxTimestamp = maxTimestamp;
  totals.maxTimestampDelta = maxTimestampDelta;
  return offsets > 0;
}

/** Stamps consecutive offsets and the epoch on the batches [start, end), which measureBatches accepted. */
export function stampBatches(
  b: Buffer,
  start: number,
  end: number,
  baseOffset: number,
  epoch: number,
): void {
  let offset = baseOffset;
  let at = start;
  while (at < end) {
    stampBatch(b, at, offset, epoch);
    offset += batchLastOffsetDelta(b, at) + 1;
    at += batchTotalBytes(b, at);
  }
}

/** Position of the batch in [start, end) that holds the offset, or end. */
export function seekBatch(b: Buffer, start: number, end: number, offset: number): number {
  let at = start;
  while (at < end && batchNextOffset(b, at) <= offset) at += batchTotalBytes(b, at);
  return at;
}

/**
 * End of the batches from start that fit bytesMax and begin below endOffset. atLeastOne: the first batch is
 * taken whatever its size.
 */
export function cutBatches(
  b: Buffer,
  start: number,
  end: number,
  limit: { bytesMax: number; endOffset: number; atLeastOne: boolean },
): number {
  let at = start;
  while (at < end) {
    if (batchBaseOffset(b, at) >= limit.endOffset) break;
    const next = at + batchTotalBytes(b, at);
    if (next - start > limit.bytesMax && !(limit.atLeastOne && at === start)) break;
    at = next;
  }
  return at;
}

/**
 * Checks stored batches [start, end), whose offsets are expected to follow each other from baseOffset. Returns
 * the position of the first one that is not as it was written, or end.
 */
export function findDamage(
  b: Buffer,
  start: number,
  end: number,
  expected: { baseOffset: number; checkCrc: boolean },
): number {
  let offset = expected.baseOffset;
  let at = start;
  while (at < end) {
    if (end - at < BATCH_HEADER_BYTES || batchMagic(b, at) !== BATCH_MAGIC) return at;
    const bytes = batchTotalBytes(b, at);
    const delta = batchLastOffsetDelta(b, at);
    if (bytes < BATCH_HEADER_BYTES || bytes > end - at || delta < 0) return at;
    if (batchBaseOffset(b, at) !== offset) return at;
    if (expected.checkCrc && computeBatchCrc(b, at, bytes) !== batchCrc(b, at)) return at;
    offset += delta + 1;
    at += bytes;
  }
  return end;
}
