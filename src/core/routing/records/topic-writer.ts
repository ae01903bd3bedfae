import { BatchBuilder } from '../../../base/batch-builder.ts';
import type { RecordHeader } from '../../../base/records.ts';
import { APPEND_REFUSED, type Position } from '../../../storage/types.ts';
import { EnvelopeWriter } from '../../message/envelope.ts';
import { ORIGIN, type Message } from '../../message/message.ts';
import type { PropertiesReaders } from '../../message/properties.ts';
import type { AppendOutcome, PartitionView, TopicView } from '../../types.ts';
import { murmur2 } from '../hash.ts';
import type { TopicSink } from '../queue-sink.ts';
import type { KeyTemplate } from './key-template.ts';
import { recordHeadersOf } from './record-headers.ts';
import { ENVELOPE_HEADER } from './record-messages.ts';

/** A batch takes no more records when it is this large. */
const BATCH_BYTES = 128 * 1024;
/** A record's lengths, deltas and counts take at most this much; each header's lengths, too. */
const RECORD_OVERHEAD_MAX = 64;
const HEADER_OVERHEAD_MAX = 10;
const BATCH_OVERHEAD = 61;

export interface TopicWriterOptions {
  readonly readers: PropertiesReaders;
  /** ms since the Unix epoch, the same during a turn. */
  readonly nowMs: () => number;
  /** append() is to be called at the end of this turn. Called again and again. */
  readonly wake: () => void;
  /** Durable data is refused for now. */
  readonly diskFull: () => boolean;
}

interface OpenBatch {
  readonly partition: PartitionView;
  readonly builder: BatchBuilder;
}

/** A batch that takes nothing more. */
interface FullBatch {
  readonly partition: PartitionView;
  readonly bytes: Buffer;
}

/**
 * Writes messages into topics: one batch for each partition and turn of the event loop. The key decides the partition as
 * Kafka's own producers do; records without a key go to one partition in a turn, to the next in the next.
 */
export class TopicWriter implements TopicSink {
  private readonly options: TopicWriterOptions;
  private readonly envelopes = new EnvelopeWriter();
  /** Batches that take records, and the full ones before them. */
  private readonly open = new Map<PartitionView, OpenBatch>();
  private full: FullBatch[] = [];
  private turns = 0;

  constructor(options: TopicWriterOptions) {
    this.options = options;
  }

  /** There is something to append. */
  get pending(): boolean {
    return this.open.size > 0 || this.full.length > 0;
  }

  publish(topic: TopicView, message: Message, keyTemplate: KeyTemplate): boolean {
    const { readers, diskFull, nowMs } = this.options;
    const { requireKey, durability, maxMessageBytes } = topic.config;
    const key = keyTemplate.keyOf(message, readers);
    if (key === null && requireKey) return false;
    if (durability !== 'memory' && diskFull()) return false;
    const partition = topic.partition(this.partitionFor(topic, key));
    if (partition === null) return false;
    message.publishedMs = nowMs();
    const headers = this.headersOf(message);
    const bytes = sizeOf(key, message, headers);
    if (bytes + BATCH_OVERHEAD > maxMessageBytes) return false;
    const { builder } = this.batchFor(partition, bytes, Math.min(BATCH_BYTES, maxMessageBytes));
    const body = message.body.subarray(message.bodyStart, message.bodyEnd);
    builder.append(key, body, message.publishedMs, headers);
    return true;
  }

  /**
   * Appends everything. Returns the position with which all of it commits, 0 when there is nothing to wait for, or one
   * of APPEND_REFUSED: what is refused because something is full is kept for the next time.
   */
  append(): Position {
    this.turns++;
    for (const batch of this.open.values()) this.close(batch);
    this.open.clear();
    const batches = this.full;
    this.full = [];
    let reached = 0;
    for (const [index, { partition, bytes }] of batches.entries()) {
      const outcome = partition.appendBatch(bytes, 0, bytes.length);
      const position = positionOf(outcome, partition);
      if (position === APPEND_REFUSED.diskFull || position === APPEND_REFUSED.memoryFull) {
        this.full = batches.slice(index);
        return position;
      }
      if (position < 0) return position;
      reached = Math.max(reached, position);
    }
    return reached;
  }

  private partitionFor(topic: TopicView, key: Buffer | null): number {
    const count = topic.partitionCount;
    if (count === 1) return 0;
    return (key === null ? this.turns : murmur2(key) & 0x7fffffff) % count;
  }

  /** The batch that takes so many bytes more. */
  private batchFor(partition: PartitionView, bytes: number, bytesMax: number): OpenBatch {
    let batch = this.open.get(partition);
    if (batch !== undefined && batch.builder.bytes + bytes > bytesMax) {
      this.close(batch);
      batch = undefined;
    }
    if (batch === undefined) {
      this.options.wake();
      batch = { partition, builder: new BatchBuilder() };
      this.open.set(partition, batch);
    }
    return batch;
  }

  private close({ partition, builder }: OpenBatch): void {
    this.full.push({ partition, bytes: builder.finish() });
  }

  /** What people and Kafka clients can read, and the envelope for whoever speaks the origin's protocol. */
  private headersOf(message: Message): readonly RecordHeader[] {
    const headers = recordHeadersOf(this.options.readers.read(message));
    if (message.origin === ORIGIN.kafka) return headers;
    const value = Buffer.allocUnsafe(this.envelopes.measure(message, null));
    this.envelopes.write(message, value, 0);
    headers.push({ name: ENVELOPE_HEADER, value });
    return headers;
  }
}

/** At most so many bytes as a record. */
function sizeOf(key: Buffer | null, message: Message, headers: readonly RecordHeader[]): number {
  let bytes = RECORD_OVERHEAD_MAX + (key?.length ?? 0) + message.bodyEnd - message.bodyStart;
  for (const { name, value } of headers) {
    bytes += HEADER_OVERHEAD_MAX + name.length * 3 + (value?.length ?? 0);
  }
  return bytes;
}

/** A topic that was deleted in this turn took what it got with it. */
function positionOf(outcome: AppendOutcome, partition: PartitionView): Position {
  switch (outcome.status) {
    case 'ok':
    case 'duplicate':
      return partition.topic.config.durability === 'memory' ? 0 : outcome.position;
    case 'not-owner':
      return 0;
    case 'disk-full':
      return APPEND_REFUSED.diskFull;
    case 'memory-full':
      return APPEND_REFUSED.memoryFull;
    case 'closed':
      return APPEND_REFUSED.closed;
    default:
      return APPEND_REFUSED.failed;
  }
}
