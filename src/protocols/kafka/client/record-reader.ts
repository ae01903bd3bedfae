import { LyrebirdError } from '../../../base/errors.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  CONTROL_BIT,
  batchAttributes,
  batchMagic,
  batchTotalBytes,
} from '../../../base/record-batch.ts';
import { openRecords, type RecordHeader } from '../../../base/records.ts';

/** A record as it was stored. Buffers are views into the fetch response, or into what was decompressed. */
export interface StoredRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

/** Bounds what one compressed batch may grow to. */
const DECOMPRESSED_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Calls back for every record of the whole batches in [start, end) whose offset is at least fromOffset, until false
 * comes back. Batches that carry no user records (control) are passed over; a batch cut at the end is ignored.
 * Returns the offset of the record that false came back for, else null.
 */
export function forEachRecord(
  buffer: Buffer,
  start: number,
  end: number,
  fromOffset: number,
  visit: (record: StoredRecord) => boolean,
): number | null {
  let stoppedAt: number | null = null;
  forEachBatch(buffer, start, end, (at) => {
    if (stoppedAt !== null || (batchAttributes(buffer, at) & CONTROL_BIT) !== 0) return;
    stoppedAt = visitBatch(buffer, at, fromOffset, visit);
  });
  return stoppedAt;
}

/** Calls back for every whole batch in [start, end), without looking at its records. */
export function forEachBatch(
  buffer: Buffer,
  start: number,
  end: number,
  visit: (at: number, totalBytes: number) => void,
): void {
  let at = start;
  while (end - at >= BATCH_HEADER_BYTES) {
    const totalBytes = batchTotalBytes(buffer, at);
    if (totalBytes < BATCH_HEADER_BYTES || batchMagic(buffer, at) !== BATCH_MAGIC) {
      throw malformed('a batch that is not of format 2');
    }
    if (at + totalBytes > end) return;
    visit(at, totalBytes);
    at += totalBytes;
  }
}

function visitBatch(
  buffer: Buffer,
  at: number,
  fromOffset: number,
  visit: (record: StoredRecord) => boolean,
): number | null {
  const records = openRecords(buffer, at, DECOMPRESSED_BYTES_MAX);
  if (typeof records === 'string')
    throw malformed(`a batch that cannot be decompressed: ${records}`);
  while (records.next()) {
    const { offset, timestamp } = records;
    if (offset < fromOffset) continue;
    const headers = records.headers();
    if (headers === null) throw malformed('damaged headers');
    const record = {
      offset,
      timestampMs: timestamp,
      key: records.key(),
      value: records.value(),
      headers,
    };
    if (!visit(record)) return offset;
  }
  if (records.damaged) throw malformed('a damaged record');
  return null;
}

function malformed(what: string): LyrebirdError {
  return new LyrebirdError('LB6003', `the broker sent ${what}`);
}
