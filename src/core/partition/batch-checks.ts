import {
  BATCH_HEADER_BYTES,
  COMPRESSION_MASK,
  CONTROL_BIT,
  TIMESTAMP_LOG_APPEND_BIT,
  TRANSACTIONAL_BIT,
  batchAttributes,
  batchBaseOffset,
  batchBaseSequence,
  batchBaseTimestamp,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
  batchRecordCount,
  computeBatchCrc,
  findBatchDefect,
  writeInt64,
  type BatchDefect,
} from '../../base/record-batch.ts';
import { openRecords } from '../../base/records.ts';
import type { AppendOutcome, TopicConfig } from '../types.ts';

/** An append that did not happen, and why. */
export type AppendRefusal = Extract<AppendOutcome, { readonly message: string }>;

/** A record has at least a byte of each: length, attributes, two deltas, key, value, header count. */
const RECORD_BYTES_MIN = 7;
const CODEC_MAX = 4;
/** Bit 6 says that baseTimestamp is something else: only compaction may set it. */
const DELETE_HORIZON_BIT = 0x40;
const NO_TIMESTAMP = -1;
/** Records to blame beyond these are not named one by one. */
const BAD_RECORDS_MAX = 10_000;

const DEFECTS: Record<BatchDefect, AppendRefusal> = {
  'too-short': { status: 'corrupt', message: 'the batch is shorter than its header' },
  'length-mismatch': { status: 'corrupt', message: 'the batch length does not match its bytes' },
  'bad-crc': { status: 'corrupt', message: 'the checksum of the batch does not match its bytes' },
  'old-magic': {
    status: 'old-format',
    message: 'record batches of the message format version 2 are accepted only',
  },
  'bad-count': {
    status: 'invalid-record',
    message: 'the record count and the last offset delta of the batch contradict each other',
  },
  'bad-offset': { status: 'invalid-record', message: 'the base offset of the batch must be 0' },
  'bad-timestamp': {
    status: 'invalid-timestamp',
    message: 'the largest timestamp of the batch is out of range',
  },
};

/**
 * Whether the bytes are one batch that this topic takes from a client: null, or why not. Looks at the header, and
 * takes the checksum; records are walked only where each must have a key.
 */
export function findAppendDefect(
  buffer: Buffer,
  start: number,
  end: number,
  config: TopicConfig,
  options: { readonly nowMs: number; readonly decompressedBytesMax: number },
): AppendRefusal | null {
  const bytes = end - start;
  if (bytes > config.maxMessageBytes) {
    return {
      status: 'too-large',
      message: `the batch of ${bytes} bytes exceeds the topic's limit of ${config.maxMessageBytes}`,
    };
  }
  const defect = findBatchDefect(buffer, start, end);
  if (defect !== null) return DEFECTS[defect];
  if (batchBaseOffset(buffer, start) !== 0) return DEFECTS['bad-offset'];
  return (
    findHeaderDefect(buffer, start, bytes) ??
    findTimestampDefect(buffer, start, config, options.nowMs) ??
    (config.requireKey ? findMissingKey(buffer, start, options.decompressedBytesMax) : null)
  );
}

function invalid(message: string): AppendRefusal {
  return { status: 'invalid-record', message };
}

function findHeaderDefect(buffer: Buffer, start: number, bytes: number): AppendRefusal | null {
  const attributes = batchAttributes(buffer, start);
  const codec = attributes & COMPRESSION_MASK;
  if (codec > CODEC_MAX) return invalid(`the compression codec ${codec} is unknown`);
  if (attributes & CONTROL_BIT) return invalid('clients may not write control records');
  if (attributes & TRANSACTIONAL_BIT) {
    return invalid('transactions are not supported yet: write without a transactional id');
  }
  if (attributes & DELETE_HORIZON_BIT) {
    return invalid('clients may not write batches with a delete horizon');
  }
  const count = batchRecordCount(buffer, start);
  if (codec === 0 && count * RECORD_BYTES_MIN > bytes - BATCH_HEADER_BYTES) {
    return invalid(`${count} records do not fit into a batch of ${bytes} bytes`);
  }
  const producerId = batchProducerId(buffer, start);
  if (producerId >= 0) {
    if (!Number.isSafeInteger(producerId)) return invalid('the producer id is out of range');
    if (batchProducerEpoch(buffer, start) < 0 || batchBaseSequence(buffer, start) < 0) {
      return invalid('a batch with a producer id needs an epoch and a sequence');
    }
  }
  return null;
}

/** The header's base and largest timestamp stand for those of the records: no record is looked at. */
function findTimestampDefect(
  buffer: Buffer,
  start: number,
  config: TopicConfig,
  nowMs: number,
): AppendRefusal | null {
  if (batchAttributes(buffer, start) & TIMESTAMP_LOG_APPEND_BIT) {
    return {
      status: 'invalid-timestamp',
      message: 'only the broker may mark timestamps as append time',
    };
  }
  if (config.timestampType === 'append') return null;
  const earliest = nowMs - config.timestampBeforeMaxMs;
  const latest = nowMs + config.timestampAfterMaxMs;
  const base = batchBaseTimestamp(buffer, start);
  const max = batchMaxTimestamp(buffer, start);
  if (isWithin(base, earliest, latest) && isWithin(max, earliest, latest)) return null;
  return {
    status: 'invalid-timestamp',
    message: `the timestamps ${base} to ${max} are out of range: the topic takes ${earliest} to ${latest}`,
  };
}

function isWithin(timestamp: number, earliest: number, latest: number): boolean {
  if (timestamp === NO_TIMESTAMP) return true;
  return timestamp >= earliest && timestamp <= latest && Number.isSafeInteger(timestamp);
}

function findMissingKey(
  buffer: Buffer,
  start: number,
  decompressedBytesMax: number,
): AppendRefusal | null {
  const records = openRecords(buffer, start, decompressedBytesMax);
  if (typeof records === 'string') {
    return records === 'too-large'
      ? { status: 'too-large', message: 'the batch is too large when it is decompressed' }
      : { status: 'corrupt', message: 'the records of the batch cannot be decompressed' };
  }
  const badRecords: number[] = [];
  for (let index = 0; records.next(); index++) {
    if (records.keyStart < 0 && badRecords.length < BAD_RECORDS_MAX) badRecords.push(index);
  }
  if (records.damaged) {
    return { status: 'corrupt', message: 'the records of the batch are damaged' };
  }
  if (badRecords.length === 0) return null;
  return { status: 'key-required', message: 'each record of this topic needs a key', badRecords };
}

/** Marks the batch's records as of now, in place: attributes, largest timestamp and checksum change. */
export function stampAppendTime(buffer: Buffer, start: number, end: number, nowMs: number): void {
  buffer.writeInt16BE(batchAttributes(buffer, start) | TIMESTAMP_LOG_APPEND_BIT, start + 21);
  writeInt64(buffer, nowMs, start + 35);
  buffer.writeUInt32BE(computeBatchCrc(buffer, start, end - start), start + 17);
}
