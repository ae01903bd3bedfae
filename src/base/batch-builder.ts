import { CODEC, compressGzip } from './compression/index.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_OVERHEAD,
  BATCH_MAGIC,
  TIMESTAMP_LOG_APPEND_BIT,
  computeBatchCrc,
  writeInt64,
} from './record-batch.ts';
import type { RecordHeader } from './records.ts';
import { varintBytes, writeVarint } from './varint.ts';

export interface BatchOptions {
  readonly compression?: 'none' | 'gzip';
  /** Stamps all records with this time, ms, as a broker does that keeps append times. */
  readonly appendTimeMs?: number;
  /** The idempotent producer of the batch. */
  readonly producer?: {
    readonly id: number;
    readonly epoch: number;
    readonly baseSequence: number;
  };
}

const NO_HEADERS: readonly RecordHeader[] = [];

/** Makes a record batch of single records; the layouts are in record-batch.ts and records.ts. */
export class BatchBuilder {
  /** Records so far. */
  count = 0;
  private buffer: Buffer;
  private position = BATCH_HEADER_BYTES;
  private baseTimestamp = -1;
  private maxTimestamp = -1;

  constructor(initialBytes = 1024) {
    this.buffer = Buffer.allocUnsafe(Math.max(initialBytes, BATCH_HEADER_BYTES));
  }

  /** Bytes so far, before compression. */
  get bytes(): number {
    return this.position;
  }

  append(
    key: Buffer | null,
    value: Buffer | null,
    timestampMs: number,
    headers: readonly RecordHeader[] = NO_HEADERS,
  ): void {
    if (this.count === 0) this.baseTimestamp = timestampMs;
    this.maxTimestamp = Math.max(this.maxTimestamp, timestampMs);
    const timestampDelta = timestampMs - this.baseTimestamp;
    const names = headers.map((header) => Buffer.from(header.name));
    let bytes = 1 + varintBytes(timestampDelta) + varintBytes(this.count);
    bytes += fieldBytes(key) + fieldBytes(value) + varintBytes(headers.length);
    for (let i = 0; i < headers.length; i++) {
      bytes += fieldBytes(names[i]!) + fieldBytes(headers[i]!.value);
    }
    this.reserve(varintBytes(bytes) + bytes);
    this.putVarint(bytes);
    this.buffer[this.position++] = 0;
    this.putVarint(timestampDelta);
    this.putVarint(this.count++);
    this.putField(key);
    this.putField(value);
    this.putVarint(headers.length);
    for (let i = 0; i < headers.length; i++) {
      this.putField(names[i]!);
      this.putField(headers[i]!.value);
    }
  }

  /** The batch, with base offset 0 and no leader epoch. There must be a record; the builder is of no further use. */
  finish(options: BatchOptions = {}): Buffer {
    const { compression = 'none', appendTimeMs, producer } = options;
    if (compression === 'gzip') this.compress();
    const out = this.buffer.subarray(0, this.position);
    const attributes =
      CODEC[compression] | (appendTimeMs === undefined ? 0 : TIMESTAMP_LOG_APPEND_BIT);
    writeInt64(out, 0, 0);
    out.writeInt32BE(out.length - BATCH_LENGTH_OVERHEAD, 8);
    out.writeInt32BE(-1, 12);
    out.writeInt8(BATCH_MAGIC, 16);
    out.writeInt16BE(attributes, 21);
    out.writeInt32BE(this.count - 1, 23);
    writeInt64(out, this.baseTimestamp, 27);
    writeInt64(out, appendTimeMs ?? this.maxTimestamp, 35);
    writeInt64(out, producer?.id ?? -1, 43);
    out.writeInt16BE(producer?.epoch ?? -1, 51);
    out.writeInt32BE(producer?.baseSequence ?? -1, 53);
    out.writeInt32BE(this.count, 57);
    out.writeUInt32BE(computeBatchCrc(out, 0, out.length), 17);
    return out;
  }

  private compress(): void {
    const records = compressGzip(this.buffer.subarray(BATCH_HEADER_BYTES, this.position));
    this.buffer = Buffer.allocUnsafe(BATCH_HEADER_BYTES + records.length);
    records.copy(this.buffer, BATCH_HEADER_BYTES);
    this.position = this.buffer.length;
  }

  private reserve(bytes: number): void {
    const needed = this.position + bytes;
    if (needed <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.position);
    this.buffer = grown;
  }

  private putVarint(value: number): void {
    this.position = writeVarint(this.buffer, value, this.position);
  }

  private putField(bytes: Buffer | null): void {
    this.putVarint(bytes === null ? -1 : bytes.length);
    if (bytes !== null) this.position += bytes.copy(this.buffer, this.position);
  }
}

function fieldBytes(bytes: Buffer | null): number {
  return bytes === null ? 1 : varintBytes(bytes.length) + bytes.length;
}
