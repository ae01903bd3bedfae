import {
  BATCH_HEADER_BYTES,
  COMPRESSION_MASK,
  TIMESTAMP_LOG_APPEND_BIT,
  batchAttributes,
  batchBaseOffset,
  batchBaseTimestamp,
  batchMaxTimestamp,
  batchRecordCount,
  batchTotalBytes,
} from './record-batch.ts';
import { decompress, type DecompressionDefect } from './compression/index.ts';
import { VarintReader } from './varint.ts';

/**
 * The records of a batch, one after the other, without copying (varint as in varint.ts):
 *
 *   length         varint   bytes after this field
 *   attributes     int8     unused
 *   timestampDelta varlong  from the batch's baseTimestamp
 *   offsetDelta    varint   from the batch's baseOffset
 *   keyLength      varint   -1: null;    key
 *   valueLength    varint   -1: null;    value
 *   headerCount    varint   then per header: keyLength varint, key (UTF-8), valueLength varint (-1: null), value
 *
 * next() moves on; the fields then describe the record. Positions are in `buffer`, which is the batch's own
 * buffer or, for a compressed batch, the decompressed one.
 */
export class RecordCursor {
  readonly buffer: Buffer;
  offset = 0;
  timestamp = 0;
  /** -1 when the key is null. */
  keyStart = -1;
  keyEnd = -1;
  /** -1 when the value is null. */
  valueStart = -1;
  valueEnd = -1;
  headerCount = 0;
  headersStart = 0;
  /** True when next() stopped at bytes that are not a record. */
  damaged = false;
  private readonly reader: VarintReader;
  private readonly end: number;
  private readonly baseOffset: number;
  private readonly baseTimestamp: number;
  private readonly appendTimestamp: number | null;
  private left: number;

  constructor(
    buffer: Buffer,
    start: number,
    end: number,
    batch: {
      readonly recordCount: number;
      readonly baseOffset: number;
      readonly baseTimestamp: number;
      /** The time of all records, when the broker stamped it; else null. */
      readonly appendTimestamp: number | null;
    },
  ) {
    this.buffer = buffer;
    this.reader = new VarintReader(buffer, start, end);
    this.end = end;
    this.left = batch.recordCount;
    this.baseOffset = batch.baseOffset;
    this.baseTimestamp = batch.baseTimestamp;
    this.appendTimestamp = batch.appendTimestamp;
  }

  /** False at the end, and at damage. */
  next(): boolean {
    const { reader } = this;
    if (this.damaged) return false;
    if (this.left === 0) {
      this.damaged = reader.position !== this.end;
      return false;
    }
    this.left--;
    reader.end = this.end;
    const length = reader.readVarint();
    const recordEnd = reader.position + length;
    if (reader.failed || length < 0 || recordEnd > this.end) return this.stop();
    reader.end = recordEnd;
    reader.position++;
    const timestampDelta = reader.readVarlong();
    this.offset = this.baseOffset + reader.readVarint();
    this.timestamp = this.appendTimestamp ?? this.baseTimestamp + timestampDelta;
    this.keyEnd = this.skipBytes();
    this.keyStart = this.fieldStart;
    this.valueEnd = this.skipBytes();
    this.valueStart = this.fieldStart;
    this.headerCount = reader.readVarint();
    this.headersStart = reader.position;
    if (reader.failed || this.headerCount < 0 || reader.position > recordEnd) return this.stop();
    reader.position = recordEnd;
    return true;
  }

  key(): Buffer | null {
    return this.keyStart < 0 ? null : this.buffer.subarray(this.keyStart, this.keyEnd);
  }

  value(): Buffer | null {
    return this.valueStart < 0 ? null : this.buffer.subarray(this.valueStart, this.valueEnd);
  }

  /** The record's headers, or null when they are damaged. Allocates: for people and for crossing protocols. */
  headers(): readonly RecordHeader[] | null {
    const reader = new VarintReader(this.buffer, this.headersStart, this.reader.position);
    const headers: RecordHeader[] = [];
    for (let i = 0; i < this.headerCount; i++) {
      const name = readBytes(reader);
      const value = readBytes(reader);
      if (reader.failed || name === null) return null;
      headers.push({ name: name.toString('utf8'), value });
    }
    return reader.position === reader.end ? headers : null;
  }

  private fieldStart = -1;

  /** Skips a length and that many bytes; fieldStart is -1 when the length says null. Returns the end. */
  private skipBytes(): number {
    const { reader } = this;
    const length = reader.readVarint();
    if (length < 0) {
      this.fieldStart = -1;
      return -1;
    }
    this.fieldStart = reader.position;
    reader.position += length;
    if (reader.position > reader.end) reader.failed = true;
    return reader.position;
  }

  private stop(): false {
    this.damaged = true;
    return false;
  }
}

export interface RecordHeader {
  readonly name: string;
  readonly value: Buffer | null;
}

function readBytes(reader: VarintReader): Buffer | null {
  const length = reader.readVarint();
  if (length < 0) return null;
  const start = reader.position;
  if (start + length > reader.end) {
    reader.failed = true;
    return null;
  }
  reader.position += length;
  return reader.buffer.subarray(start, reader.position);
}

/**
 * A cursor before the first record of the well-formed batch at `at`, or why its compressed records cannot be read.
 * They are decompressed to at most maxBytes.
 */
export function openRecords(
  buffer: Buffer,
  at: number,
  maxBytes: number,
): RecordCursor | DecompressionDefect {
  const attributes = batchAttributes(buffer, at);
  const codec = attributes & COMPRESSION_MASK;
  const start = at + BATCH_HEADER_BYTES;
  const end = at + batchTotalBytes(buffer, at);
  const batch = {
    recordCount: batchRecordCount(buffer, at),
    baseOffset: batchBaseOffset(buffer, at),
    baseTimestamp: batchBaseTimestamp(buffer, at),
    appendTimestamp: attributes & TIMESTAMP_LOG_APPEND_BIT ? batchMaxTimestamp(buffer, at) : null,
  };
  if (codec === 0) return new RecordCursor(buffer, start, end, batch);
  const records = decompress(codec, buffer.subarray(start, end), maxBytes);
  if (typeof records === 'string') return records;
  return new RecordCursor(records, 0, records.length, batch);
}
