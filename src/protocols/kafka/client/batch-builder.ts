import { gzipSync } from 'node:zlib';
import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  computeBatchCrc,
  writeInt64,
} from '../../../base/record-batch.ts';

export type Compression = 'none' | 'gzip';

export interface RecordHeader {
  readonly name: string;
  readonly value: Buffer | null;
}

const GZIP_ATTRIBUTE = 1;
const NO_HEADERS: readonly RecordHeader[] = [];
/** Upper bound of what a record needs besides key, value and headers: length, attributes, deltas, lengths, count. */
const RECORD_OVERHEAD_BYTES_MAX = 1 + 6 * 5 + 10;

/**
 * Collects records and makes a record batch of them, in the layout of base/record-batch.ts. A record:
 *
 *   length varint, attributes int8 (0), timestampDelta varlong, offsetDelta varint,
 *   keyLength varint (-1 null), key, valueLength varint (-1 null), value,
 *   headerCount varint, per header: nameLength varint, name, valueLength varint (-1 null), value
 */
export class BatchBuilder {
  count = 0;
  private buffer: Buffer;
  private position = BATCH_HEADER_BYTES;
  private baseTimestamp = 0;
  private maxTimestamp = 0;

  constructor(initialBytes: number) {
    this.buffer = Buffer.allocUnsafeSlow(Math.max(initialBytes, 1024));
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
    if (this.count === 0) {
      this.baseTimestamp = timestampMs;
      this.maxTimestamp = timestampMs;
    } else if (timestampMs > this.maxTimestamp) {
      this.maxTimestamp = timestampMs;
    }
    const timestampDelta = timestampMs - this.baseTimestamp;
    let body = 1 + varintBytes(timestampDelta) + varintBytes(this.count);
    body += blobBytes(key) + blobBytes(value) + varintBytes(headers.length);
    for (const header of headers) {
      const nameBytes = Buffer.byteLength(header.name);
      body += varintBytes(nameBytes) + nameBytes + blobBytes(header.value);
    }
    this.reserve(body + RECORD_OVERHEAD_BYTES_MAX);
    this.putVarint(body);
    this.buffer[this.position++] = 0;
    this.putVarint(timestampDelta);
    this.putVarint(this.count);
    this.putBlob(key);
    this.putBlob(value);
    this.putVarint(headers.length);
    for (const header of headers) {
      this.putBlob(Buffer.from(header.name));
      this.putBlob(header.value);
    }
    this.count++;
  }

  /** The finished batch. The builder must not be used again. */
  finish(compression: Compression): Buffer {
    if (compression === 'gzip') this.compress();
    const { buffer, position } = this;
    writeInt64(buffer, 0, 0);
    buffer.writeInt32BE(position - 12, 8);
    buffer.writeInt32BE(-1, 12);
    buffer.writeInt8(BATCH_MAGIC, 16);
    buffer.writeInt16BE(compression === 'gzip' ? GZIP_ATTRIBUTE : 0, 21);
    buffer.writeInt32BE(this.count - 1, 23);
    writeInt64(buffer, this.baseTimestamp, 27);
    writeInt64(buffer, this.maxTimestamp, 35);
    writeInt64(buffer, -1, 43);
    buffer.writeInt16BE(-1, 51);
    buffer.writeInt32BE(-1, 53);
    buffer.writeInt32BE(this.count, 57);
    buffer.writeUInt32BE(computeBatchCrc(buffer, 0, position), 17);
    return buffer.subarray(0, position);
  }

  private compress(): void {
    const records = gzipSync(this.buffer.subarray(BATCH_HEADER_BYTES, this.position));
    const buffer = Buffer.allocUnsafeSlow(BATCH_HEADER_BYTES + records.length);
    records.copy(buffer, BATCH_HEADER_BYTES);
    this.buffer = buffer;
    this.position = buffer.length;
  }

  private reserve(bytes: number): void {
    if (this.position + bytes <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.position + bytes, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.position);
    this.buffer = grown;
  }

  private putBlob(blob: Buffer | null): void {
    if (blob === null) {
      this.putVarint(-1);
      return;
    }
    this.putVarint(blob.length);
    blob.copy(this.buffer, this.position);
    this.position += blob.length;
  }

  /** Zigzag, base 128, low group first. */
  private putVarint(value: number): void {
    let rest = zigzag(value);
    while (rest >= 0x80) {
      this.buffer[this.position++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.position++] = rest;
  }
}

/** Not with shifts: a difference of timestamps may need more than 32 bits. */
function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = zigzag(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

function blobBytes(blob: Buffer | null): number {
  return blob === null ? 1 : varintBytes(blob.length) + blob.length;
}
