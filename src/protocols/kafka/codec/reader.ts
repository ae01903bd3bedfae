import assert from 'node:assert/strict';
import { CodecError } from './codec-error.ts';
import type { RecordsOut } from './records.ts';

/*
 * Primitive types. All numbers are big endian.
 *
 *   bool               int8, 0 is false
 *   uvarint            7 bits per byte, least significant first, bit 7 set on all but the last; at most 5 bytes
 *   uuid               16 bytes
 *   string             int16 length, then UTF-8;              -1 = null
 *   compact string     uvarint length + 1, then UTF-8;         0 = null
 *   bytes, records     int32 length, then bytes;              -1 = null
 *   compact bytes      uvarint length + 1, then bytes;         0 = null
 *   array              int32 count, then elements;            -1 = null
 *   compact array      uvarint count + 1, then elements;       0 = null
 *   nullable struct    int8 marker, negative = null, then the struct
 *   tagged fields      uvarint count, then per field: uvarint tag, uvarint bytes, value
 *
 * A version of an API is either flexible (all lengths compact, tagged fields at the end of every struct) or not.
 */

/** Elements that one message may hold in all its arrays together: a bound on the objects a request can cost. */
export const ELEMENTS_PER_MESSAGE_MAX = 1_000_000;

const TWO_32 = 0x1_0000_0000;

/**
 * Reads primitives from bytes [position, end) of a buffer. Whatever the bytes are, a read either succeeds inside
 * those bounds or throws a CodecError; lengths and counts are checked against the bytes left before anything is
 * allocated. `field` is the path that the error names. One reader may serve many messages: see reset.
 */
export class Reader {
  /** Changed by reset only. */
  buffer: Buffer;
  position: number;
  end: number;
  /** Elements that may still be read in arrays of this message. */
  elementsLeft: number;
  /** The buffer again: a DataView's loads are faster than a Buffer's. */
  private view: DataView;
  private message: string;
  private version: number;

  constructor(buffer: Buffer, position = 0, end: number = buffer.length) {
    assert(position >= 0 && position <= end && end <= buffer.length, 'reader outside its buffer');
    this.buffer = buffer;
    this.view = viewOf(buffer);
    this.position = position;
    this.end = end;
    this.elementsLeft = ELEMENTS_PER_MESSAGE_MAX;
    this.message = 'message';
    this.version = -1;
  }

  /** Turns to other bytes. */
  reset(buffer: Buffer, position: number, end: number): void {
    assert(position >= 0 && position <= end && end <= buffer.length, 'reader outside its buffer');
    if (buffer !== this.buffer) {
      this.buffer = buffer;
      this.view = viewOf(buffer);
    }
    this.position = position;
    this.end = end;
    this.elementsLeft = ELEMENTS_PER_MESSAGE_MAX;
    this.message = 'message';
    this.version = -1;
  }

  /** A message begins here: names it in errors and refuses versions that its definition does not have. */
  begin(message: string, version: number, minVersion: number, maxVersion: number): void {
    this.message = message;
    this.version = version;
    this.elementsLeft = ELEMENTS_PER_MESSAGE_MAX;
    if (!(version >= minVersion && version <= maxVersion)) {
      this.fail(`versions ${minVersion} to ${maxVersion} are known`, '');
    }
  }

  get remaining(): number {
    return this.end - this.position;
  }

  fail(problem: string, field: string): never {
    const message = this.version < 0 ? this.message : `${this.message} v${this.version}`;
    throw new CodecError(problem, { message, field, position: this.position });
  }

  bool(field: string): boolean {
    return this.int8(field) !== 0;
  }

  int8(field: string): number {
    return this.view.getInt8(this.take(1, field));
  }

  int16(field: string): number {
    return this.view.getInt16(this.take(2, field));
  }

  uint16(field: string): number {
    return this.view.getUint16(this.take(2, field));
  }

  int32(field: string): number {
    return this.view.getInt32(this.take(4, field));
  }

  /** Beyond the safe integers the nearest double: the largest int64 reads as 2^63. */
  int64(field: string): number {
    const at = this.take(8, field);
    return this.view.getInt32(at) * TWO_32 + this.view.getUint32(at + 4);
  }

  float64(field: string): number {
    return this.view.getFloat64(this.take(8, field));
  }

  /** A copy: topic ids outlive the bytes they came in. */
  uuid(field: string): Buffer {
    const at = this.take(16, field);
    const uuid = Buffer.allocUnsafe(16);
    this.buffer.copy(uuid, 0, at, at + 16);
    return uuid;
  }

  uvarint(field: string): number {
    const first = this.buffer[this.take(1, field)] as number; // inside the bounds: take checked
    if (first < 0x80) return first;
    return this.uvarintTail(first & 0x7f, field);
  }

  string(flexible: boolean, field: string): string {
    const length = flexible ? this.uvarint(field) - 1 : this.int16(field);
    if (length < 0) this.fail('null where a string is required', field);
    return this.utf8(length, field);
  }

  nullableString(flexible: boolean, field: string): string | null {
    const length = flexible ? this.uvarint(field) - 1 : this.int16(field);
    if (length < 0) return this.nullLength(length, field);
    return this.utf8(length, field);
  }

  /** A view into the message: the caller copies what must outlive it. */
  bytes(flexible: boolean, field: string): Buffer {
    const length = flexible ? this.uvarint(field) - 1 : this.int32(field);
    if (length < 0) this.fail('null where bytes are required', field);
    const at = this.take(length, field);
    return this.buffer.subarray(at, at + length);
  }

  nullableBytes(flexible: boolean, field: string): Buffer | null {
    const length = flexible ? this.uvarint(field) - 1 : this.int32(field);
    if (length < 0) return this.nullLength(length, field);
    const at = this.take(length, field);
    return this.buffer.subarray(at, at + length);
  }

  /** Record batches of a response, as one slice of the message. */
  records(flexible: boolean, field: string): RecordsOut {
    const records = this.nullableRecords(flexible, field);
    if (records === null) this.fail('null where records are required', field);
    return records;
  }

  nullableRecords(flexible: boolean, field: string): RecordsOut | null {
    const length = flexible ? this.uvarint(field) - 1 : this.int32(field);
    if (length < 0) return this.nullLength(length, field);
    const at = this.take(length, field);
    return {
      bytes: length,
      slices: [{ buffer: this.buffer, start: at, end: at + length, lease: null }],
    };
  }

  /** Count of an array whose elements take at least elementBytes each. */
  arrayCount(flexible: boolean, elementBytes: number, field: string): number {
    const count = this.nullableArrayCount(flexible, elementBytes, field);
    if (count < 0) this.fail('null where an array is required', field);
    return count;
  }

  /** As arrayCount; -1 is null. */
  nullableArrayCount(flexible: boolean, elementBytes: number, field: string): number {
    const count = flexible ? this.uvarint(field) - 1 : this.int32(field);
    if (count < 0) {
      this.nullLength(count, field);
      return -1;
    }
    if (count * elementBytes > this.end - this.position) {
      this.fail(`${count} elements do not fit in the ${this.remaining} bytes left`, field);
    }
    if (count > this.elementsLeft) {
      this.fail(`more than ${ELEMENTS_PER_MESSAGE_MAX} array elements in one message`, field);
    }
    this.elementsLeft -= count;
    return count;
  }

  /** Marker before a nullable struct: false is null. */
  present(field: string): boolean {
    return this.int8(field) >= 0;
  }

  /** Skips a tagged fields section of which no tag is known. */
  skipTags(): void {
    for (let tags = this.tagCount(); tags > 0; tags--) {
      this.uvarint('tag');
      this.take(this.uvarint('tag size'), 'tag');
    }
  }

  tagCount(): number {
    const count = this.uvarint('tag count');
    if (count * 2 > this.end - this.position)
      this.fail(`${count} tagged fields do not fit`, 'tag count');
    return count;
  }

  /** Narrows the reader to one tagged field's value; returns what closeTag takes. */
  openTag(): number {
    const size = this.uvarint('tag size');
    const outerEnd = this.end;
    if (size > outerEnd - this.position) this.fail(`${size} bytes do not fit`, 'tag');
    this.end = this.position + size;
    return outerEnd;
  }

  /** The value of an unknown tag. */
  skipTag(): void {
    this.position = this.end;
  }

  closeTag(outerEnd: number): void {
    if (this.position !== this.end) this.fail(`${this.remaining} bytes too many`, 'tag');
    this.end = outerEnd;
  }

  /** Reserves bytes and returns where they begin. */
  private take(bytes: number, field: string): number {
    const at = this.position;
    if (bytes > this.end - at) {
      this.fail(`${bytes} bytes wanted, ${this.end - at} left`, field);
    }
    this.position = at + bytes;
    return at;
  }

  private utf8(length: number, field: string): string {
    const at = this.take(length, field);
    if (length === 0) return '';
    // No encoding named: the shortest way to UTF-8.
    return this.buffer.toString(undefined, at, at + length);
  }

  /** Only -1 means null; compact lengths cannot be lower. */
  private nullLength(length: number, field: string): null {
    if (length !== -1) this.fail(`negative length ${length}`, field);
    return null;
  }

  private uvarintTail(value: number, field: string): number {
    let shift = 7;
    for (;;) {
      const byte = this.buffer[this.take(1, field)] as number; // inside the bounds: take checked
      if (shift === 28) {
        if (byte > 0x0f) this.fail('varint is longer than 32 bits', field);
        return value + byte * 0x1000_0000;
      }
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
      shift += 7;
    }
  }
}

const viewOf = (buffer: Buffer): DataView =>
  new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
