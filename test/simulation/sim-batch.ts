import {
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_OVERHEAD,
  computeBatchCrc,
  writeInt64,
} from '../../src/base/record-batch.ts';

export interface SimBatchContent {
  /** No two batches of a run have the same. */
  readonly tag: number;
  readonly records: number;
  readonly bodyBytes: number;
  readonly timestamp: number;
  readonly producerId: number;
  readonly sequence: number;
}

/** A record batch whose body is a pattern: engines never look inside, and its checksum identifies it. */
export function makeSimBatch(content: SimBatchContent): Buffer {
  const { tag, records, timestamp, producerId, sequence } = content;
  const out = Buffer.alloc(BATCH_HEADER_BYTES + content.bodyBytes, tag & 0xff);
  out.writeInt32BE(out.length - BATCH_LENGTH_OVERHEAD, 8);
  out.writeInt32BE(-1, 12);
  out.writeInt8(2, 16);
  out.writeInt32BE(records - 1, 23);
  writeInt64(out, timestamp, 27);
  writeInt64(out, timestamp, 35);
  writeInt64(out, producerId, 43);
  out.writeInt16BE(0, 51);
  out.writeInt32BE(sequence, 53);
  out.writeInt32BE(records, 57);
  out.writeUInt32BE(tag, BATCH_HEADER_BYTES);
  out.writeUInt32BE(computeBatchCrc(out, 0, out.length), 17);
  return out;
}
