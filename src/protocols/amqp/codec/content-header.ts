import { decodeText } from './argument-reader.ts';
import { AmqpCodecError, cannotDecode } from './codec-error.ts';
import { FIELD, FieldCursor, isWellFormedTable } from './field-cursor.ts';
import { readTable, type FieldTable } from './field-table.ts';
import { BASIC_CLASS, CONTENT_PREFIX_BYTES } from './frame.ts';
import {
  PROPERTY,
  PROPERTY_BYTES,
  PROPERTY_COUNT,
  PROPERTY_FLAGS,
} from './generated/basic-properties.ts';
import { REPLY_CODE } from './generated/reply-codes.ts';

/*
 * The payload of a header frame:
 *
 *   class id (16): 60   weight (16): 0   body bytes (64)   property section
 *
 * The property section, which is what is kept of a message:
 *
 *   flags (16)   ( more flags (16), while bit 0 of the last ones is set )   values of the properties whose flag is set
 *
 * Property p has bit 15 - p of the first flags. Values follow each other in the order of p: a short string, an octet,
 * a timestamp or a table, as the property wants.
 */

const CONTINUED = 1;
const TWO_32 = 0x1_0000_0000;
/** Further flags can only say that no further property is there: a bound on how often they do. */
const FLAG_WORDS_MAX = 8;

/**
 * Where the properties of a message are, without decoding them; one object serves any number of messages. The
 * accessors decode one property from the buffer last given, which must still hold the same bytes.
 */
export class ContentHeader {
  bodyBytes = 0;
  flags = 0;
  /** The property section. */
  sectionStart = 0;
  sectionEnd = 0;
  buffer: Buffer = Buffer.alloc(0);
  /** Extent of each property, its length included; defined for those whose flag is set. */
  readonly starts = new Int32Array(PROPERTY_COUNT);
  readonly ends = new Int32Array(PROPERTY_COUNT);
  private readonly cursor = new FieldCursor();

  /** Looks at the payload of a header frame. Throws an AmqpCodecError when it is malformed or out of place. */
  parse(buffer: Buffer, start: number, end: number): void {
    if (end - start < CONTENT_PREFIX_BYTES + 2) throw cannotDecode(buffer, start, end);
    const classId = buffer.readUInt16BE(start);
    if (classId !== BASIC_CLASS) {
      throw notTheHeader(`got one for class ${classId} instead`);
    }
    if (buffer.readUInt16BE(start + 2) !== 0) {
      throw notTheHeader('got non content header frame instead');
    }
    this.bodyBytes = buffer.readUInt32BE(start + 4) * TWO_32 + buffer.readUInt32BE(start + 8);
    this.parseSection(buffer, start + CONTENT_PREFIX_BYTES, end);
  }

  /** Looks at a property section on its own. */
  parseSection(buffer: Buffer, start: number, end: number): void {
    this.buffer = buffer;
    this.sectionStart = start;
    this.sectionEnd = end;
    let at = start + 2;
    if (at > end) throw cannotDecode(buffer, start, end);
    // Inside the section: checked right above.
    const first = ((buffer[start] as number) << 8) | (buffer[start + 1] as number);
    if ((first & CONTINUED) !== 0) at = this.skipFurtherFlags(at);
    const flags = first & PROPERTY_FLAGS;
    if (flags !== (first & ~CONTINUED)) throw cannotDecode(buffer, start, end);
    this.flags = flags;
    for (let property = 0, left = flags; left !== 0; property++, left = (left << 1) & 0xffff) {
      if ((left & 0x8000) === 0) continue;
      this.starts[property] = at;
      at = this.skipProperty(property, at);
      if (at > end) throw cannotDecode(buffer, start, end);
      this.ends[property] = at;
    }
    if (at !== end) throw cannotDecode(buffer, start, end);
  }

  has(property: number): boolean {
    return (this.flags & (0x8000 >> property)) !== 0;
  }

  /** A property that is a short string; null when absent. */
  shortstr(property: number): string | null {
    if (!this.has(property)) return null;
    return decodeText(this.buffer, this.valueStart(property), this.valueEnd(property));
  }

  /** A property that is an octet or a timestamp; null when absent. */
  number(property: number): number | null {
    if (!this.has(property)) return null;
    const at = this.starts[property] as number; // the property is there
    if (PROPERTY_BYTES[property] === 1) return this.buffer[at] as number; // inside the section
    return this.buffer.readUInt32BE(at) * TWO_32 + this.buffer.readUInt32BE(at + 4);
  }

  /** The headers, decoded and copied; null when absent. */
  table(property: number): FieldTable | null {
    if (!this.has(property)) return null;
    return readTable(this.buffer, this.valueStart(property), this.valueEnd(property));
  }

  /** Where the bytes of a string or the fields of a table begin: behind their length. */
  valueStart(property: number): number {
    const at = this.starts[property] as number; // one per property
    const bytes = PROPERTY_BYTES[property];
    return bytes === 0 ? at + 1 : bytes === -1 ? at + 4 : at;
  }

  valueEnd(property: number): number {
    return this.ends[property] as number; // one per property
  }

  /** Puts a cursor before the first header. A message without headers has none to find. */
  openHeaders(cursor: FieldCursor): FieldCursor {
    if (!this.has(PROPERTY.headers)) return cursor.openTable(this.buffer, 0, 0);
    const end = this.valueEnd(PROPERTY.headers);
    return cursor.openTable(this.buffer, this.valueStart(PROPERTY.headers), end);
  }

  /** The header with that key, undecoded, or null. Valid until the next call. */
  findHeader(key: Uint8Array): FieldCursor | null {
    if ((this.flags & HEADERS_FLAG) === 0) return null;
    return this.openHeaders(this.cursor).find(key) ? this.cursor : null;
  }

  /** Puts a cursor before the first element of a header that is an array; false when there is no such array. */
  openHeaderArray(key: Uint8Array, cursor: FieldCursor): boolean {
    const found = this.findHeader(key);
    if (found === null || found.type !== FIELD.array) return false;
    cursor.openArray(found.buffer, found.valueStart, found.valueEnd);
    return true;
  }

  /** Throws when the headers are malformed inside: parse looks at their length only. */
  checkHeaders(): void {
    if ((this.flags & HEADERS_FLAG) === 0) return;
    const start = this.valueStart(PROPERTY.headers);
    const end = this.valueEnd(PROPERTY.headers);
    if (!isWellFormedTable(this.buffer, start, end)) throw cannotDecode(this.buffer, start, end);
  }

  private skipProperty(property: number, at: number): number {
    const { buffer, sectionEnd } = this;
    const bytes = PROPERTY_BYTES[property] as number; // one per property
    if (bytes > 0) return at + bytes;
    if (bytes === 0) return at < sectionEnd ? at + 1 + (buffer[at] as number) : at + 1;
    return at + 4 <= sectionEnd ? at + 4 + buffer.readUInt32BE(at) : at + 4;
  }

  /** More flags are allowed and none of them is defined, so that none may be set. */
  private skipFurtherFlags(from: number): number {
    const { buffer, sectionStart, sectionEnd } = this;
    let at = from;
    for (let words = 1; words < FLAG_WORDS_MAX && at + 2 <= sectionEnd; words++) {
      const flags = buffer.readUInt16BE(at);
      at += 2;
      if (flags === 0) return at;
      if (flags !== CONTINUED) break;
    }
    throw cannotDecode(buffer, sectionStart, sectionEnd);
  }
}

const HEADERS_FLAG = 0x8000 >> PROPERTY.headers;

const notTheHeader = (what: string): AmqpCodecError =>
  new AmqpCodecError(
    REPLY_CODE.UNEXPECTED_FRAME,
    `expected content header for class ${BASIC_CLASS}, ${what}`,
  );
