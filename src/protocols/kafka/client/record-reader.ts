import { gunzipSync } from 'node:zlib';
import { LyrebirdError } from '../../../base/errors.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  COMPRESSION_MASK,
  CONTROL_BIT,
  TIMESTAMP_LOG_APPEND_BIT,
  batchAttributes,
  batchBaseOffset,
  batchBaseTimestamp,
  batchMagic,
  batchMaxTimestamp,
  batchRecordCount,
  batchTotalBytes,
} from '../../../base/record-batch.ts';
import type { RecordHeader } from './batch-builder.ts';

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
  forEachBatch(buffer, start, end, (at, totalBytes) => {
    const attributes = batchAttributes(buffer, at);
    if (stoppedAt !== null || (attributes & CONTROL_BIT) !== 0) return;
    stoppedAt = visitBatch(buffer, at, totalBytes, attributes, fromOffset, visit);
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
      throw malformed(`a batch at ${at} that is not of format 2`);
    }
    if (at + totalBytes > end) return;
    visit(at, totalBytes);
    at += totalBytes;
  }
}

function visitBatch(
  buffer: Buffer,
  at: number,
  totalBytes: number,
  attributes: number,
  fromOffset: number,
  visit: (record: StoredRecord) => boolean,
): number | null {
  const stored = buffer.subarray(at + BATCH_HEADER_BYTES, at + totalBytes);
  const records = new RecordCursor(decompress(stored, attributes & COMPRESSION_MASK));
  const baseOffset = batchBaseOffset(buffer, at);
  const baseTimestamp = batchBaseTimestamp(buffer, at);
  const appendTime =
    (attributes & TIMESTAMP_LOG_APPEND_BIT) === 0 ? null : batchMaxTimestamp(buffer, at);
  for (let left = batchRecordCount(buffer, at); left > 0; left--) {
    const record = records.next(baseOffset, baseTimestamp, appendTime);
    if (record.offset >= fromOffset && !visit(record)) return record.offset;
  }
  return null;
}

function decompress(bytes: Buffer, codec: number): Buffer {
  if (codec === 0) return bytes;
  if (codec === 1) return gunzipSync(bytes, { maxOutputLength: DECOMPRESSED_BYTES_MAX });
  throw new LyrebirdError('LB6003', `compression ${codec} cannot be read by this client`);
}

/** Reads one record after the other; see BatchBuilder for the layout. */
class RecordCursor {
  private readonly buffer: Buffer;
  private position = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  next(baseOffset: number, baseTimestamp: number, appendTime: number | null): StoredRecord {
    const length = this.varint();
    const end = this.position + length;
    if (length < 0 || end > this.buffer.length) throw malformed(`a record of ${length} bytes`);
    this.position++;
    const timestampMs = baseTimestamp + this.varint();
    const offset = baseOffset + this.varint();
    const key = this.blob();
    const value = this.blob();
    const headers: RecordHeader[] = [];
    for (let left = this.varint(); left > 0; left--) {
      const name = this.blob()?.toString('utf8') ?? '';
      headers.push({ name, value: this.blob() });
    }
    if (this.position !== end) throw malformed('a record whose length does not fit its fields');
    return { offset, timestampMs: appendTime ?? timestampMs, key, value, headers };
  }

  private blob(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const end = this.position + length;
    if (end > this.buffer.length) throw malformed('a field beyond the end of its batch');
    const blob = this.buffer.subarray(this.position, end);
    this.position = end;
    return blob;
  }

  private varint(): number {
    let value = 0;
    let factor = 1;
    for (let bytes = 0; bytes < 10; bytes++) {
      const byte = this.buffer[this.position++];
      if (byte === undefined) throw malformed('a number beyond the end of its batch');
      value += (byte & 0x7f) * factor;
      factor *= 0x80;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw malformed('a number of more than ten bytes');
  }
}

function malformed(what: string): LyrebirdError {
  return new LyrebirdError('LB6003', `the broker sent ${what}`);
}
