import type { MessageProperties, PropertiesReader } from '../../core/message/properties.ts';
import type { ArgumentValue } from '../../core/queue-types.ts';
import { plainValue } from './arguments.ts';
import { ContentHeader } from './codec/content-header.ts';
import { readValue, type FieldValue } from './codec/field-table.ts';
import { PROPERTY } from './codec/generated/basic-properties.ts';

/** Reads what AMQP publishers gave, for core and for other protocols. Malformed headers read as none. */
export class AmqpPropertiesReader implements PropertiesReader {
  private readonly section = new ContentHeader();
  private readonly keys = new Map<string, Buffer>();

  read(buffer: Buffer, start: number, end: number): MessageProperties {
    const { section } = this;
    section.parseSection(buffer, start, end);
    const timestamp = section.number(PROPERTY.timestamp);
    return {
      contentType: section.shortstr(PROPERTY.contentType),
      contentEncoding: section.shortstr(PROPERTY.contentEncoding),
      correlationId: section.shortstr(PROPERTY.correlationId),
      replyTo: section.shortstr(PROPERTY.replyTo),
      messageId: section.shortstr(PROPERTY.messageId),
      type: section.shortstr(PROPERTY.type),
      userId: section.shortstr(PROPERTY.userId),
      appId: section.shortstr(PROPERTY.appId),
      timestampMs: timestamp === null ? null : timestamp * 1000,
      key: null,
      headers: this.headers(),
    };
  }

  header(
    buffer: Buffer,
    start: number,
    end: number,
    name: string,
  ): ArgumentValue | Buffer | undefined {
    const { section } = this;
    section.parseSection(buffer, start, end);
    let key = this.keys.get(name);
    if (key === undefined) {
      key = Buffer.from(name);
      if (this.keys.size > 1000) this.keys.clear();
      this.keys.set(name, key);
    }
    const found = section.findHeader(key);
    return found === null ? undefined : neutral(readValue(found));
  }

  private headers(): MessageProperties['headers'] {
    try {
      const table = this.section.table(PROPERTY.headers) ?? [];
      return table.map(({ key, field }) => [key, neutral(field)] as const);
    } catch {
      return [];
    }
  }
}

/** Timestamps become ms as everywhere in core; bytes stay bytes. */
function neutral(field: FieldValue): ArgumentValue | Buffer {
  if (field.type === 'T') return Number(field.value) * 1000;
  if (Buffer.isBuffer(field.value)) return field.value;
  return plainValue(field);
}
