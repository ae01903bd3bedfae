import { BatchBuilder } from '../../../base/batch-builder.ts';
import { LyrebirdError } from '../../../base/errors.ts';
import type { RecordHeader } from '../../../base/records.ts';
import type { Durability, Position } from '../../../storage/types.ts';
import { EnvelopeWriter } from '../../message/envelope.ts';
import { ORIGIN, type Message } from '../../message/message.ts';
import type { PropertiesReaders } from '../../message/properties.ts';
import type { PartitionView, TopicView } from '../../types.ts';
import { murmur2 } from '../hash.ts';
import type { TopicSink } from '../queue-sink.ts';
import type { KeyTemplate } from './key-template.ts';
import { recordHeadersOf } from './record-headers.ts';
import { ENVELOPE_HEADER } from './record-messages.ts';

/** A batch is appended when it is this large. */
const BATCH_BYTES = 128 * 1024;
/** A record's lengths, deltas and counts take at most this much; each header's lengths, too. */
const RECORD_OVERHEAD_MAX = 64;
const HEADER_OVERHEAD_MAX = 10;
const BATCH_OVERHEAD = 61;

/** The turn of the event loop, as whoever appends in it sees it. */
export interface AppendTurn {
  /** Calls back before the turn ends, and before a commit group that is being made is closed. */
  beforeEnd(flush: () => void): void;
  /** The turn's ticket waits for that, too. */
  appended(position: Position, durability: Durability): void;
  /** Something that was taken in this turn could not be appended: its ticket fails. */
  appendFailed(error: Error): void;
}

interface OpenBatch {
  readonly partition: PartitionView;
  builder: BatchBuilder;
}

/**
 * Writes messages into topics: one batch for each partition and turn. The key decides the partition as Kafka's own
 * producers do; records without a key go to one partition in a turn, to the next in the next.
 */
export class TopicWriter implements TopicSink {
  private readonly readers: PropertiesReaders;
  private readonly turn: AppendTurn;
  private readonly envelopes = new EnvelopeWriter();
  private readonly open = new Map<PartitionView, OpenBatch>();
  private readonly flushNow = (): void => this.flush();
  private turns = 0;

  constructor(readers: PropertiesReaders, turn: AppendTurn) {
    this.readers = readers;
    this.turn = turn;
  }

  publish(topic: TopicView, message: Message, keyTemplate: KeyTemplate): boolean {
    const key = keyTemplate.keyOf(message, this.readers);
    if (key === null && topic.config.requireKey) return false;
    const partition = topic.partition(this.partitionFor(topic, key));
    if (partition === null) return false;
    const headers = this.headersOf(message);
    const bodyBytes = message.bodyEnd - message.bodyStart;
    let bytes = RECORD_OVERHEAD_MAX + (key?.length ?? 0) + bodyBytes;
    for (const { name, value } of headers) {
      bytes += HEADER_OVERHEAD_MAX + name.length * 3 + (value?.length ?? 0);
    }
    const bytesMax = topic.config.maxMessageBytes;
    if (bytes + BATCH_OVERHEAD > bytesMax) return false;
    const batch = this.batchFor(partition);
    if (batch.builder.count > 0 && batch.builder.bytes + bytes > Math.min(BATCH_BYTES, bytesMax)) {
      this.append(batch);
      batch.builder = new BatchBuilder();
    }
    const body = message.body.subarray(message.bodyStart, message.bodyEnd);
    batch.builder.append(key, body, message.publishedMs, headers);
    return true;
  }

  /** Appends everything that waits. */
  flush(): void {
    this.turns++;
    for (const batch of this.open.values()) this.append(batch);
    this.open.clear();
  }

  private partitionFor(topic: TopicView, key: Buffer | null): number {
    const count = topic.partitionCount;
    if (count === 1) return 0;
    return (key === null ? this.turns : murmur2(key) & 0x7fffffff) % count;
  }

  private batchFor(partition: PartitionView): OpenBatch {
    let batch = this.open.get(partition);
    if (batch === undefined) {
      if (this.open.size === 0) this.turn.beforeEnd(this.flushNow);
      batch = { partition, builder: new BatchBuilder() };
      this.open.set(partition, batch);
    }
    return batch;
  }

  private append({ partition, builder }: OpenBatch): void {
    const bytes = builder.finish();
    const outcome = partition.appendBatch(bytes, 0, bytes.length);
    if ('position' in outcome) {
      this.turn.appended(outcome.position, partition.topic.config.durability);
    } else {
      const { name } = partition.topic;
      this.turn.appendFailed(
        new LyrebirdError('LB3002', `topic '${name}' does not take messages: ${outcome.message}`, {
          details: { topic: name, partition: partition.index, status: outcome.status },
        }),
      );
    }
  }

  /** What people and Kafka clients can read, and the envelope for whoever speaks the origin's protocol. */
  private headersOf(message: Message): readonly RecordHeader[] {
    const headers = recordHeadersOf(this.readers.read(message));
    if (message.origin === ORIGIN.kafka) return headers;
    const value = Buffer.allocUnsafe(this.envelopes.measure(message, null));
    this.envelopes.write(message, value, 0);
    headers.push({ name: ENVELOPE_HEADER, value });
    return headers;
  }
}
