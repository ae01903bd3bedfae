import {
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_OVERHEAD,
  batchBaseOffset,
  batchBaseSequence,
  batchLeaderEpoch,
  batchMaxTimestamp,
  batchNextOffset,
  batchProducerId,
  batchTotalBytes,
  computeBatchCrc,
  findBatchDefect,
  writeInt64,
} from '../../src/base/record-batch.ts';
import type { Slice } from '../../src/storage/types.ts';

export interface BatchContent {
  /** Values of the records, in order. */
  readonly values: readonly (string | Buffer)[];
  /** Timestamp of all records, ms. */
  readonly timestamp?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
}

/** A stored batch, taken apart as far as tests look. */
export interface ParsedBatch {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly epoch: number;
  readonly timestamp: number;
  readonly producerId: number;
  readonly baseSequence: number;
  readonly values: readonly string[];
}

/** An uncompressed record batch with correct checksum; every record has a null key and no headers. */
export function buildBatch(content: BatchContent): Buffer {
  const { timestamp = 1_700_000_000_000, producerId = -1, producerEpoch = -1 } = content;
  const values = content.values.map((value) => Buffer.from(value));
  const bodies = values.map((value, index) => encodeRecord(value, index));
  const out = Buffer.concat([Buffer.alloc(BATCH_HEADER_BYTES), ...bodies]);
  const last = values.length - 1;
  out.writeInt32BE(out.length - BATCH_LENGTH_OVERHEAD, 8);
  out.writeInt32BE(-1, 12);
  out.writeInt8(2, 16);
  out.writeInt32BE(last, 23);
  writeInt64(out, timestamp, 27);
  writeInt64(out, timestamp, 35);
  writeInt64(out, producerId, 43);
  out.writeInt16BE(producerEpoch, 51);
  out.writeInt32BE(content.baseSequence ?? -1, 53);
  out.writeInt32BE(values.length, 57);
  out.writeUInt32BE(computeBatchCrc(out, 0, out.length), 17);
  return out;
}

/** All batches of the slices. Throws when one is not whole or its checksum is wrong. */
export function parseSlices(slices: readonly Slice[]): ParsedBatch[] {
  const batches: ParsedBatch[] = [];
  for (const { buffer, start, end } of slices) {
    for (let at = start; at < end;) {
      const next = at + (end - at < BATCH_HEADER_BYTES ? end - at : batchTotalBytes(buffer, at));
      batches.push(parseBatch(buffer, at, next));
      at = next;
    }
  }
  return batches;
}

/** The batch in bytes [start, end). Throws when it is not exactly one. */
export function parseBatch(b: Buffer, start: number, end: number): ParsedBatch {
  const defect = findBatchDefect(b, start, end);
  if (defect !== null) throw new Error(`bytes ${start} to ${end} are not a batch: ${defect}`);
  return {
    baseOffset: batchBaseOffset(b, start),
    nextOffset: batchNextOffset(b, start),
    epoch: batchLeaderEpoch(b, start),
    timestamp: batchMaxTimestamp(b, start),
    producerId: batchProducerId(b, start),
    baseSequence: batchBaseSequence(b, start),
    values: decodeValues(b, start + BATCH_HEADER_BYTES, end),
  };
}

/**
 * length varint, attributes int8, timestampDelta varint, offsetDelta varint, keyLength varint (-1), valueLength
 * varint, value, headerCount varint; all varints zigzag.
 */
function encodeRecord(value: Buffer, offsetDelta: number): Buffer {
  const head = [0, ...zigzag(0), ...zigzag(offsetDelta), ...zigzag(-1), ...zigzag(value.length)];
  const length = head.length + value.length + 1;
  return Buffer.concat([Buffer.from([...zigzag(length), ...head]), value, Buffer.from([0])]);
}

function zigzag(value: number): number[] {
  let rest = value < 0 ? -value * 2 - 1 : value * 2;
  const bytes: number[] = [];
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

function decodeValues(b: Buffer, start: number, end: number): string[] {
  const values: string[] = [];
  let at = start;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = b[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  };
  while (at < end) {
    const recordEnd = varint() + at;
    at++;
    varint();
    varint();
    varint();
    const length = varint();
    values.push(b.toString('utf8', at, at + length));
    at = recordEnd;
  }
  return values;
}
