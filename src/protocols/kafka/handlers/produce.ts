import {
  batchAttributes,
  BATCH_HEADER_BYTES,
  batchMagic,
  batchRecordCount,
  batchTotalBytes,
  BATCH_MAGIC,
  COMPRESSION_MASK,
  CONTROL_BIT,
  TRANSACTIONAL_BIT,
} from '../../../base/record-batch.ts';
import type { AppendOutcome, PartitionView, TopicView } from '../../../core/types.ts';
import { PRODUCE } from '../codec/generated/produce.ts';
import type { Reader } from '../codec/reader.ts';
import { appendErrorCode, errorName, KAFKA_ERROR } from '../errors.ts';
import type { ApiHandler, RequestContext } from './handler.ts';
import { PendingProduce } from './pending-produce.ts';

/*
 * The request is walked in place, without objects per partition; the layout is that of codec/generated/produce.ts:
 *
 *   request    = transactional-id:string? acks:int16 timeout:int32 topics:array
 *   topic      = (v3-12) name:string | (v13+) id:uuid, partitions:array
 *   partition  = index:int32 records:bytes?
 */

/** Version from which lengths are compact. */
const FLEXIBLE_FROM = 9;
const TOPIC_IDS_FROM = 13;
const ZSTD_FROM = 7;
const ZSTD = 4;
/** Where the format of a batch stands, in all formats. */
const BATCH_MAGIC_AT = 16;

/**
 * Appends one batch to each partition and answers when the last of them is committed at its topic's durability,
 * whatever acks says beyond 0: acknowledged means kept.
 */
export const produceHandler: ApiHandler = {
  api: PRODUCE,
  minVersion: 3,
  maxVersion: 13,
  // librdkafka compresses only for brokers that tell version 0, and never sends it.
  advertisedMinVersion: 0,
  handle(context, reader, version): void {
    const flexible = version >= FLEXIBLE_FROM;
    const size = reader.remaining;
    const transactionalId = reader.nullableString(flexible, 'transactionalId');
    const acks = reader.int16('acks');
    // How long a leader may wait for its followers: there are none, and the disk is waited for without a limit.
    reader.int32('timeoutMs');
    const pending = PendingProduce.take(context, version);
    const refusal = refusalOf(transactionalId, acks);
    for (let n = reader.arrayCount(flexible, 3, 'topicData'); n > 0; n--) {
      const topic = readTopic(context, reader, pending, version);
      const topicError =
        refusal !== KAFKA_ERROR.NONE ? refusal : topicErrorOf(context, pending, topic);
      for (let m = reader.arrayCount(flexible, 6, 'partitionData'); m > 0; m--) {
        readPartition(context, reader, pending, { topic, topicError, version });
        if (flexible) reader.skipTags();
      }
      if (flexible) reader.skipTags();
    }
    if (flexible) reader.skipTags();
    pending.throttle = context.meter('publish-bytes', size);
    if (acks === 0) endWithoutAnswer(context, pending);
    else pending.waitForCommits();
  },
};

/** Why nothing of the request is appended, or NONE. */
function refusalOf(transactionalId: string | null, acks: number): number {
  if (transactionalId !== null) return KAFKA_ERROR.INVALID_TXN_STATE;
  if (acks !== 0 && acks !== 1 && acks !== -1) return KAFKA_ERROR.INVALID_REQUIRED_ACKS;
  return KAFKA_ERROR.NONE;
}

/** Reads which topic comes next and begins its part of the answer; null when it does not exist. */
function readTopic(
  context: RequestContext,
  reader: Reader,
  pending: PendingProduce,
  version: number,
): TopicView | null {
  const lookup = context.services.topicLookup;
  if (version >= TOPIC_IDS_FROM) {
    const start = reader.position;
    if (reader.remaining < 16) reader.uuid('topicData.topicId');
    const topic = lookup.byId(reader.buffer, start);
    if (topic === null) pending.beginTopic(null, '', reader.uuid('topicData.topicId'));
    else {
      reader.position = start + 16;
      pending.beginTopic(topic, topic.name, topic.id);
    }
    return topic;
  }
  const flexible = version >= FLEXIBLE_FROM;
  const before = reader.position;
  const length = flexible ? reader.uvarint('topicData.name') - 1 : reader.int16('topicData.name');
  const start = reader.position;
  if (length < 0 || length > reader.remaining) {
    reader.position = before; // the codec's own check words the error
    reader.string(flexible, 'topicData.name');
  }
  const topic = lookup.byName(reader.buffer, start, start + length);
  const name = topic?.name ?? reader.buffer.toString('utf8', start, start + length);
  reader.position = start + length;
  pending.beginTopic(topic, name, null);
  return topic;
}

function topicErrorOf(
  context: RequestContext,
  pending: PendingProduce,
  topic: TopicView | null,
): number {
  // An id that belongs to no topic has no name to ask rights for.
  if (topic === null && pending.currentTopicId !== null) return KAFKA_ERROR.UNKNOWN_TOPIC_ID;
  if (!context.allows('write', 'topic', pending.currentTopicName)) {
    return KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED;
  }
  return topic === null ? KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION : KAFKA_ERROR.NONE;
}

interface PartitionTarget {
  readonly topic: TopicView | null;
  readonly topicError: number;
  readonly version: number;
}

function readPartition(
  context: RequestContext,
  reader: Reader,
  pending: PendingProduce,
  target: PartitionTarget,
): void {
  const flexible = target.version >= FLEXIBLE_FROM;
  const index = reader.int32('index');
  const length = flexible ? reader.uvarint('records') - 1 : reader.int32('records');
  const start = reader.position;
  if (length > reader.remaining || length < -1) {
    reader.fail(`${length} bytes of records, ${reader.remaining} left`, 'records');
  }
  const end = start + Math.max(length, 0);
  reader.position = end;
  if (target.topicError !== KAFKA_ERROR.NONE || target.topic === null) {
    pending.addFailure(index, target.topicError, null);
    return;
  }
  const partition = target.topic.partition(index);
  if (partition === null) {
    pending.addFailure(index, KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION, null);
    return;
  }
  const defect = findDefect(reader.buffer, start, end, target.version);
  if (defect !== null) {
    pending.addFailure(index, defect.code, defect.message);
    return;
  }
  // Read before the append: it may change the header in place.
  const records = batchRecordCount(reader.buffer, start);
  const outcome = partition.appendBatch(reader.buffer, start, end);
  addOutcome(context, pending, partition, outcome);
  if (outcome.status === 'ok')
    context.services.metrics.produced(target.topic, records, end - start);
}

interface Defect {
  readonly code: number;
  readonly message: string;
}

const NO_BATCH: Defect = {
  code: KAFKA_ERROR.INVALID_RECORD,
  message: 'The request has no record batch for the partition.',
};
const TOO_SHORT: Defect = {
  code: KAFKA_ERROR.CORRUPT_MESSAGE,
  message: 'The record batch is shorter than its header.',
};
const OLD_FORMAT: Defect = {
  code: KAFKA_ERROR.INVALID_RECORD,
  message: 'Only record batches of message format 2 are accepted.',
};
const SEVERAL_BATCHES: Defect = {
  code: KAFKA_ERROR.INVALID_RECORD,
  message: 'The request has more than one record batch for the partition.',
};
const ZSTD_TOO_EARLY: Defect = {
  code: KAFKA_ERROR.UNSUPPORTED_COMPRESSION_TYPE,
  message: 'zstd needs version 7 of Produce.',
};
const CONTROL_BATCH: Defect = {
  code: KAFKA_ERROR.INVALID_RECORD,
  message: 'Clients may not write control batches.',
};
const TRANSACTIONAL: Defect = {
  code: KAFKA_ERROR.INVALID_TXN_STATE,
  message: 'Transactions are not supported.',
};

/** What is wrong with the bytes before the core looks at them: rules of the request, not of the batch. */
function findDefect(buffer: Buffer, start: number, end: number, version: number): Defect | null {
  const size = end - start;
  if (size === 0) return NO_BATCH;
  if (size > BATCH_MAGIC_AT && isOld(buffer, start)) return OLD_FORMAT;
  if (size < BATCH_HEADER_BYTES) return TOO_SHORT;
  const first = batchTotalBytes(buffer, start);
  if (first >= BATCH_HEADER_BYTES && first < size) return SEVERAL_BATCHES;
  const attributes = batchAttributes(buffer, start);
  if ((attributes & COMPRESSION_MASK) === ZSTD && version < ZSTD_FROM) return ZSTD_TOO_EARLY;
  if ((attributes & CONTROL_BIT) !== 0) return CONTROL_BATCH;
  if ((attributes & TRANSACTIONAL_BIT) !== 0) return TRANSACTIONAL;
  return null;
}

function isOld(buffer: Buffer, start: number): boolean {
  const magic = batchMagic(buffer, start);
  return magic >= 0 && magic < BATCH_MAGIC;
}

function addOutcome(
  context: RequestContext,
  pending: PendingProduce,
  partition: PartitionView,
  outcome: AppendOutcome,
): void {
  if (outcome.status === 'ok') {
    pending.addAppend(partition, outcome.baseOffset, outcome.appendTimeMs, outcome.position);
    return;
  }
  if (outcome.status === 'duplicate') {
    pending.addAppend(partition, outcome.baseOffset, -1, outcome.position);
    return;
  }
  const { status, message, badRecords } = outcome;
  const code = appendErrorCode(status);
  pending.addFailure(partition.index, code, message, badRecords);
  if (code === KAFKA_ERROR.KAFKA_STORAGE_ERROR) {
    context.services.storageNotices.tell(status, message);
  }
  context.services.metrics.of(partition.topic).failedProduceRequests++;
  context.services.metrics.all.failedProduceRequests++;
}

/** acks=0: the client reads nothing; all that can be said is to close. */
function endWithoutAnswer(context: RequestContext, pending: PendingProduce): void {
  const error = pending.firstError();
  pending.release();
  if (error === KAFKA_ERROR.NONE) context.respondNothing();
  else context.close(`a batch sent with acks=0 was refused: ${errorName(error)}`);
}
