import { isUtf8 } from 'node:buffer';
import { VarintReader, varintBytes, writeVarint } from '../../../base/varint.ts';
import type { MessageProperties, PropertiesReader } from '../../message/properties.ts';
import { PROPERTY_HEADERS } from './record-headers.ts';

/**
 * The properties of a message that came as a record are the record's key and headers, laid out as in a record:
 *
 *   keyLength varint (-1: null)  key  headerCount varint  then per header: nameLength varint, name, valueLength varint
 *   (-1: null), value
 *
 * Headers that are named as properties are properties. Text is UTF-8; what is not stays bytes.
 */
export class RecordPropertiesReader implements PropertiesReader {
  read(buffer: Buffer, start: number, end: number): MessageProperties {
    const fields = new RecordFields(buffer, start, end);
    const properties: Record<string, string> = {};
    const headers: (readonly [string, string | null | Buffer])[] = [];
    while (fields.next()) {
      const value = valueOf(fields);
      if (PROPERTY_NAMES.has(fields.name) && typeof value === 'string') {
        if (properties[fields.name] === undefined) {
          properties[fields.name] = value;
          continue;
        }
      }
      headers.push([fields.name, value]);
    }
    const of = (property: keyof typeof PROPERTY_HEADERS): string | null =>
      properties[PROPERTY_HEADERS[property]] ?? null;
    const timestampMs = Number(of('timestampMs') ?? Number.NaN);
    return {
      contentType: of('contentType'),
      contentEncoding: of('contentEncoding'),
      correlationId: of('correlationId'),
      replyTo: of('replyTo'),
      messageId: of('messageId'),
      type: of('type'),
      userId: of('userId'),
      appId: of('appId'),
      timestampMs: Number.isSafeInteger(timestampMs) ? timestampMs : null,
      key: fields.key,
      headers,
    };
  }

  header(
    buffer: Buffer,
    start: number,
    end: number,
    name: string,
  ): string | null | Buffer | undefined {
    const fields = new RecordFields(buffer, start, end);
    while (fields.next()) if (fields.name === name) return valueOf(fields);
    return undefined;
  }
}

const PROPERTY_NAMES: ReadonlySet<string> = new Set(Object.values(PROPERTY_HEADERS));

function valueOf(fields: RecordFields): string | null | Buffer {
  const { value } = fields;
  return value === null || !isUtf8(value) ? value : value.toString();
}

/** Walks the bytes described above; it ends at the first defect. */
class RecordFields {
  readonly key: Buffer | null;
  name = '';
  value: Buffer | null = null;
  private readonly reader: VarintReader;
  private left: number;

  constructor(buffer: Buffer, start: number, end: number) {
    this.reader = new VarintReader(buffer, start, end);
    this.key = readField(this.reader);
    this.left = this.reader.readVarint();
  }

  next(): boolean {
    if (this.left-- <= 0 || this.reader.failed) return false;
    this.name = readField(this.reader)?.toString() ?? '';
    this.value = readField(this.reader);
    return !this.reader.failed;
  }
}

/** Bytes behind their length, or null. */
export function readField(reader: VarintReader): Buffer | null {
  const length = reader.readVarint();
  const start = reader.position;
  if (length < 0 || reader.failed) return null;
  reader.position += length;
  if (reader.position > reader.end) {
    reader.failed = true;
    return null;
  }
  return reader.buffer.subarray(start, reader.position);
}

/** Bytes that the properties of a record take, whose headers (their count included) are that long. */
export function recordPropertiesBytes(key: Buffer | null, headersBytes: number): number {
  return (key === null ? 1 : varintBytes(key.length) + key.length) + headersBytes;
}

/** Writes the key in front of the headers; returns the position behind it. */
export function writeKey(out: Buffer, key: Buffer | null, position: number): number {
  const at = writeVarint(out, key === null ? -1 : key.length, position);
  return key === null ? at : at + key.copy(out, at);
}
