import type { ContentHeader } from '../codec/content-header.ts';
import { rewriteContent } from '../codec/content-rewrite.ts';
import type { OutgoingContent } from '../codec/content-writer.ts';
import { PROPERTY } from '../codec/generated/basic-properties.ts';
import { putLonglong } from '../codec/output.ts';
import type { OutputPool } from '../codec/output-pool.ts';

const OFFSET = 'x-stream-offset';
const PARTITION = 'x-stream-partition';
const OFFSET_KEY = Buffer.from(OFFSET);
const PARTITION_KEY = Buffer.from(PARTITION);
const INT64 = 0x6c; // l
const HEADERS_FLAG = 0x8000 >> PROPERTY.headers;
/** Flags, a table's length, and both headers. */
const ADDED_BYTES = 2 + 4 + 2 * (1 + 1 + 8) + OFFSET_KEY.length + PARTITION_KEY.length;

/** Adds to a message's headers where it is in its stream. One object serves any number of messages. */
export class StreamSection {
  private readonly pool: OutputPool;
  private readonly header: ContentHeader;
  private buffer = Buffer.allocUnsafe(1024);

  constructor(pool: OutputPool, header: ContentHeader) {
    this.pool = pool;
    this.header = header;
  }

  /** Points the content at a section with the headers, valid until the next call. partition: -1 where there is only one. */
  addTo(content: OutgoingContent, offset: number, partition: number): void {
    const { header } = this;
    header.parseSection(content.section, content.sectionStart, content.sectionEnd);
    // A message that was read from a stream and published to another brings its old place.
    if (header.findHeader(OFFSET_KEY) !== null || header.findHeader(PARTITION_KEY) !== null) {
      this.replace(content, offset, partition);
      return;
    }
    const { buffer: from, sectionEnd } = header;
    const sectionBytes = sectionEnd - header.sectionStart;
    if (this.buffer.length < sectionBytes + ADDED_BYTES) {
      this.buffer = Buffer.allocUnsafe(2 * (sectionBytes + ADDED_BYTES));
    }
    const { buffer } = this;
    const flags = header.flags | HEADERS_FLAG;
    buffer[0] = flags >>> 8;
    buffer[1] = flags;
    const valuesStart = this.valuesStart();
    const headersAt = header.has(PROPERTY.headers)
      ? this.startOf(PROPERTY.headers)
      : this.headersPlace(valuesStart);
    const headersEnd = header.has(PROPERTY.headers) ? header.valueEnd(PROPERTY.headers) : headersAt;
    const lengthAt = 2 + from.copy(buffer, 2, valuesStart, headersAt);
    let at = lengthAt + 4;
    if (headersEnd > headersAt) at += from.copy(buffer, at, headersAt + 4, headersEnd);
    at = putEntry(buffer, at, OFFSET_KEY, offset);
    if (partition >= 0) at = putEntry(buffer, at, PARTITION_KEY, partition);
    buffer.writeUInt32BE(at - lengthAt - 4, lengthAt);
    content.section = buffer;
    content.sectionStart = 0;
    content.sectionEnd = at + from.copy(buffer, at, headersEnd, sectionEnd);
  }

  private replace(content: OutgoingContent, offset: number, partition: number): void {
    const section = rewriteContent(this.pool, this.header, {
      removeHeaders: [OFFSET, PARTITION],
      setHeaders: [
        { key: OFFSET, field: { type: 'l' as const, value: offset } },
        ...(partition < 0
          ? []
          : [{ key: PARTITION, field: { type: 'l' as const, value: partition } }]),
      ],
    });
    content.section = section;
    content.sectionStart = 0;
    content.sectionEnd = section.length;
  }

  /** Where the first value begins: behind all flags. */
  private valuesStart(): number {
    const { header } = this;
    for (
      let property = 0, left = header.flags;
      left !== 0;
      property++, left = (left << 1) & 0xffff
    ) {
      if ((left & 0x8000) !== 0) return this.startOf(property);
    }
    return header.sectionEnd;
  }

  /** Where headers belong in a message that has none. */
  private headersPlace(valuesStart: number): number {
    const { header } = this;
    if (header.has(PROPERTY.contentEncoding)) return header.valueEnd(PROPERTY.contentEncoding);
    if (header.has(PROPERTY.contentType)) return header.valueEnd(PROPERTY.contentType);
    return valuesStart;
  }

  private startOf(property: number): number {
    return this.header.starts[property]!; // callers looked
  }
}

function putEntry(out: Buffer, position: number, key: Buffer, value: number): number {
  out[position] = key.length;
  let at = position + 1;
  at += key.copy(out, at);
  out[at] = INT64;
  putLonglong(out, at + 1, value);
  return at + 9;
}
