import { crc32c } from './crc32c.ts';

/**
 * The stored unit of every log: a record batch, in the layout of Kafka's message format v2
 * (source: https://kafka.apache.org/documentation/#recordbatch). Big endian; offsets of the fixed header:
 *
 *   baseOffset            int64  @0    patched in place at append, outside the checksum
 *   batchLength           int32  @8    bytes after this field
 *   partitionLeaderEpoch  int32  @12   patched in place at append, outside the checksum
 *   magic                 int8   @16   2
 *   crc                   uint32 @17   CRC-32C of everything from attributes to the end
 *   attributes            int16  @21   bits 0-2 compression, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon
 *   lastOffsetDelta       int32  @23
 *   baseTimestamp         int64  @27   ms
 *   maxTimestamp          int64  @35   ms
 *   producerId            int64  @43   -1 = none
 *   producerEpoch         int16  @51
 *   baseSequence          int32  @53
 *   recordCount           int32  @57
 *   records               ...    @61
 *
 * All accessors take the position of the batch's first byte in the buffer.
 */
export const BATCH_HEADER_BYTES = 61;
/** Bytes before batchLength starts to count: a batch is this much longer than the field says. */
export const BATCH_LENGTH_OVERHEAD = 12;
export const BATCH_MAGIC = 2;

export const COMPRESSION_MASK = 0x07;
export const TIMESTAMP_LOG_APPEND_BIT = 0x08;
export const TRANSACTIONAL_BIT = 0x10;
export const CONTROL_BIT = 0x20;

const TWO_32 = 0x1_0000_0000;

/** An int64 as a number. Values outside the safe integers lose precision: check with Number.isSafeInteger. */
export function readInt64(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position) * TWO_32 + buffer.readUInt32BE(position + 4);
}

/** Writes a safe integer as an int64. */
export function writeInt64(buffer: Buffer, value: number, position: number): void {
  const high = Math.floor(value / TWO_32);
  buffer.writeInt32BE(high, position);
  buffer.writeUInt32BE(value - high * TWO_32, position + 4);
}

export const batchBaseOffset = (b: Buffer, at: number): number => readInt64(b, at);
/** Whole length of the batch in bytes, header included. */
export const batchTotalBytes = (b: Buffer, at: number): number =>
  b.readInt32BE(at + 8) + BATCH_LENGTH_OVERHEAD;
export const batchLeaderEpoch = (b: Buffer, at: number): number => b.readInt32BE(at + 12);
export const batchMagic = (b: Buffer, at: number): number => b.readInt8(at + 16);
export const batchCrc = (b: Buffer, at: number): number => b.readUInt32BE(at + 17);
export const batchAttributes = (b: Buffer, at: number): number => b.readInt16BE(at + 21);
export const batchLastOffsetDelta = (b: Buffer, at: number): number => b.readInt32BE(at + 23);
export const batchBaseTimestamp = (b: Buffer, at: number): number => readInt64(b, at + 27);
export const batchMaxTimestamp = (b: Buffer, at: number): number => readInt64(b, at + 35);
export const batchProducerId = (b: Buffer, at: number): number => readInt64(b, at + 43);
export const batchProducerEpoch = (b: Buffer, at: number): number => b.readInt16BE(at + 51);
export const batchBaseSequence = (b: Buffer, at: number): number => b.readInt32BE(at + 53);
export const batchRecordCount = (b: Buffer, at: number): number => b.readInt32BE(at + 57);
/** First offset after the batch. */
export const batchNextOffset = (b: Buffer, at: number): number =>
  readInt64(b, at) + b.readInt32BE(at + 23) + 1;

/** Stamps what the owner of a log assigns; neither field is covered by the checksum. */
export function stampBatch(b: Buffer, at: number, baseOffset: number, leaderEpoch: number): void {
  writeInt64(b, baseOffset, at);
  b.writeInt32BE(leaderEpoch, at + 12);
}

/** CRC-32C over the part of the batch that its crc field covers. */
export function computeBatchCrc(b: Buffer, at: number, totalBytes: number): number {
  return crc32c(b.subarray(at + 21, at + totalBytes));
}

/** Why bytes are not a batch that may be stored; null when they are. */
export type BatchDefect =
  | 'too-short'
  | 'length-mismatch'
  | 'old-magic'
  | 'bad-crc'
  | 'bad-count'
  | 'bad-offset'
  | 'bad-timestamp';

/**
 * Checks that bytes [start, end) are exactly one well-formed batch: length, magic, counts and checksum.
 * Records inside are not walked.
 */
export function findBatchDefect(b: Buffer, start: number, end: number): BatchDefect | null {
  if (end - start < BATCH_HEADER_BYTES) return 'too-short';
  if (batchMagic(b, start) !== BATCH_MAGIC) return 'old-magic';
  if (batchTotalBytes(b, start) !== end - start) return 'length-mismatch';
  const count = batchRecordCount(b, start);
  if (count < 1 || batchLastOffsetDelta(b, start) !== count - 1) return 'bad-count';
  if (!Number.isSafeInteger(batchMaxTimestamp(b, start))) return 'bad-timestamp';
  if (computeBatchCrc(b, start, end - start) !== batchCrc(b, start)) return 'bad-crc';
  return null;
}
