import type { RecordCursor } from '../../../base/records.ts';
import { VarintReader, varintBytes, writeVarint } from '../../../base/varint.ts';
import { EnvelopeReader } from '../../message/envelope.ts';
import { ORIGIN, type Message } from '../../message/message.ts';
import { readField, recordPropertiesBytes, writeKey } from './record-properties.ts';

/** The record header that holds the envelope of a message which came over another protocol. */
export const ENVELOPE_HEADER = 'lyrebird-envelope';

const ENVELOPE_NAME = Buffer.from(ENVELOPE_HEADER);
const NOTHING = Buffer.alloc(0);

/**
 * Reads records of topics as messages. What another protocol published comes back exactly, out of its envelope; what
 * a Kafka client produced has the record's key and headers as its properties, and the key as its routing key.
 */
export class RecordMessages {
  private readonly envelopes = new EnvelopeReader();
  private scratch = Buffer.allocUnsafe(1024);

  /** Fills the message with the record under the cursor. It is valid until the next read, as the record's bytes are. */
  read(record: RecordCursor, message: Message): void {
    const { buffer } = record;
    const hasBody = record.valueStart >= 0;
    message.body = hasBody ? buffer : NOTHING;
    message.bodyStart = hasBody ? record.valueStart : 0;
    message.bodyEnd = hasBody ? record.valueEnd : 0;
    if (!this.readEnvelope(record, message)) this.readPlain(record, message);
    message.publishedMs = record.timestamp;
    message.persistent = true;
  }

  private readEnvelope(record: RecordCursor, message: Message): boolean {
    const { buffer } = record;
    const reader = new VarintReader(buffer, record.headersStart, buffer.length);
    // Positions only: this is done for each delivery.
    for (let i = 0; i < record.headerCount; i++) {
      const nameBytes = reader.readVarint();
      const nameStart = reader.position;
      reader.position += Math.max(nameBytes, 0);
      const valueBytes = reader.readVarint();
      const valueStart = reader.position;
      reader.position += Math.max(valueBytes, 0);
      if (reader.failed || reader.position > buffer.length) return false;
      if (valueBytes < 0 || nameBytes !== ENVELOPE_NAME.length) continue;
      if (ENVELOPE_NAME.compare(buffer, nameStart, nameStart + nameBytes) !== 0) continue;
      return this.envelopes.read(buffer, valueStart, reader.position, message);
    }
    return false;
  }

  private readPlain(record: RecordCursor, message: Message): void {
    const key = record.key();
    message.origin = ORIGIN.kafka;
    message.exchange = '';
    message.routingKey = key?.toString() ?? '';
    message.furtherKeys = null;
    message.priority = -1;
    message.ttlMs = -1;
    message.delayMs = -1;
    message.deaths = null;
    message.deduplicationKey = null;
    message.properties = this.propertiesOf(record, key);
    message.propertiesStart = 0;
    message.propertiesEnd = this.end;
  }

  private end = 0;

  /** The layout of record-properties.ts, put together of what lies apart in the record. */
  private propertiesOf(record: RecordCursor, key: Buffer | null): Buffer {
    const { buffer, headersStart, headerCount } = record;
    const reader = new VarintReader(buffer, headersStart, buffer.length);
    for (let i = 0; i < headerCount * 2; i++) readField(reader);
    const headersBytes = reader.failed ? 0 : reader.position - headersStart;
    const count = reader.failed ? 0 : headerCount;
    const bytes = recordPropertiesBytes(key, varintBytes(count) + headersBytes);
    if (bytes > this.scratch.length) this.scratch = Buffer.allocUnsafe(bytes * 2);
    const out = this.scratch;
    const at = writeVarint(out, count, writeKey(out, key, 0));
    this.end = at + buffer.copy(out, at, headersStart, headersStart + headersBytes);
    return out;
  }
}
