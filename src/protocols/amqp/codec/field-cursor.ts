/*
 * Fields of a table or an array, as the length in front of it delimits them:
 *
 *   table       key (length octet, bytes), value; again and again
 *   array       value; again and again
 *   value       type octet, then
 *     t b B               1 byte: boolean, int8, uint8
 *     s u                 2: int16, uint16
 *     I i f               4: int32, uint32, float32
 *     l L d T             8: int64, int64, float64, timestamp
 *     D                   5: scale (uint8), digits (uint32)
 *     S x A F             length (32 bits), then UTF-8 or bytes, bytes, array, table
 *     V                   nothing
 *
 * This is the set that RabbitMQ and its clients agree on, not the one of the AMQP 0-9-1 document, which
 * gives s, u, l and L other meanings. All numbers are big endian.
 */

export const FIELD = {
  boolean: 0x74, // t
  int8: 0x62, // b
  uint8: 0x42, // B
  int16: 0x73, // s
  uint16: 0x75, // u
  int32: 0x49, // I
  uint32: 0x69, // i
  int64: 0x6c, // l
  int64Upper: 0x4c, // L
  float32: 0x66, // f
  float64: 0x64, // d
  decimal: 0x44, // D
  text: 0x53, // S
  array: 0x41, // A
  timestamp: 0x54, // T
  table: 0x46, // F
  nothing: 0x56, // V
  bytes: 0x78, // x
} as const;

/** Tables and arrays inside each other: the outermost is 1. */
export const TABLE_DEPTH_MAX = 64;
/** Fields of a table with all that is inside it: a bound on the objects that one table can cost. */
export const TABLE_FIELDS_MAX = 65_536;

/** Bytes of a value by its type octet; -1: as many as the length in front of it says; -2: no such type. */
const VALUE_BYTES = new Int8Array(256).fill(-2);
for (const type of [FIELD.boolean, FIELD.int8, FIELD.uint8]) VALUE_BYTES[type] = 1;
for (const type of [FIELD.int16, FIELD.uint16]) VALUE_BYTES[type] = 2;
for (const type of [FIELD.int32, FIELD.uint32, FIELD.float32]) VALUE_BYTES[type] = 4;
for (const type of [FIELD.int64, FIELD.int64Upper, FIELD.float64, FIELD.timestamp]) {
  VALUE_BYTES[type] = 8;
}
for (const type of [FIELD.text, FIELD.bytes, FIELD.array, FIELD.table]) VALUE_BYTES[type] = -1;
VALUE_BYTES[FIELD.decimal] = 5;
VALUE_BYTES[FIELD.nothing] = 0;

const NO_BUFFER = Buffer.alloc(0);

/**
 * Walks over the fields of one table or array without decoding them. After next() said true, the fields below
 * describe the field; the cursor never leaves [start, end), whatever the bytes are.
 */
export class FieldCursor {
  buffer: Buffer = NO_BUFFER;
  /** The key's bytes; empty in an array. */
  keyStart = 0;
  keyEnd = 0;
  /** One of FIELD. */
  type = 0;
  /** The value's bytes: behind type and length. */
  valueStart = 0;
  valueEnd = 0;
  /** Where the whole field begins, its key included. It ends at valueEnd. */
  fieldStart = 0;
  /** next() said false because the bytes are malformed. */
  failed = false;
  private position = 0;
  private end = 0;
  private keyed = true;

  /** Begins with the fields in [start, end), which is what the length in front of the table does not include. */
  openTable(buffer: Buffer, start: number, end: number): this {
    return this.open(buffer, start, end, true);
  }

  openArray(buffer: Buffer, start: number, end: number): this {
    return this.open(buffer, start, end, false);
  }

  /** Goes to the next field; false at the end, or when what comes is malformed. */
  next(): boolean {
    const { buffer, end } = this;
    let at = this.position;
    if (at >= end) return false;
    this.fieldStart = at;
    if (this.keyed) {
      this.keyStart = at + 1;
      at += 1 + (buffer[at] as number); // at < end
      this.keyEnd = at;
      if (at >= end) return this.fail();
    }
    const type = buffer[at++] as number; // checked right above
    let bytes = VALUE_BYTES[type] as number; // one per octet
    if (bytes < 0) {
      if (bytes === -2 || end - at < 4) return this.fail();
      bytes = buffer.readUInt32BE(at);
      at += 4;
    }
    if (bytes > end - at) return this.fail();
    this.type = type;
    this.valueStart = at;
    this.valueEnd = at + bytes;
    this.position = at + bytes;
    return true;
  }

  /** Goes on until a key equals these bytes; false when none does. */
  find(key: Uint8Array): boolean {
    while (this.next()) {
      if (this.keyIs(key)) return true;
    }
    return false;
  }

  keyIs(key: Uint8Array): boolean {
    const { buffer, keyStart } = this;
    const { length } = key;
    if (this.keyEnd - keyStart !== length) return false;
    for (let i = 0; i < length; i++) {
      if (buffer[keyStart + i] !== key[i]) return false;
    }
    return true;
  }

  /** Whether the value is a byte string or text of exactly these bytes. */
  valueIs(bytes: Uint8Array): boolean {
    const { buffer, valueStart } = this;
    const { length } = bytes;
    if (this.type !== FIELD.text && this.type !== FIELD.bytes) return false;
    if (this.valueEnd - valueStart !== length) return false;
    for (let i = 0; i < length; i++) {
      if (buffer[valueStart + i] !== bytes[i]) return false;
    }
    return true;
  }

  /** The value when it is an integer of any width; beyond 2^53 the nearest double. NaN when it is none. */
  integer(): number {
    const { buffer, valueStart: at } = this;
    switch (this.type) {
      case FIELD.int8:
        return buffer.readInt8(at);
      case FIELD.uint8:
        return buffer.readUInt8(at);
      case FIELD.int16:
        return buffer.readInt16BE(at);
      case FIELD.uint16:
        return buffer.readUInt16BE(at);
      case FIELD.int32:
        return buffer.readInt32BE(at);
      case FIELD.uint32:
        return buffer.readUInt32BE(at);
      case FIELD.int64:
      case FIELD.int64Upper:
        return buffer.readInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4);
      default:
        return Number.NaN;
    }
  }

  private open(buffer: Buffer, start: number, end: number, keyed: boolean): this {
    this.buffer = buffer;
    this.position = start;
    this.end = end;
    this.keyed = keyed;
    this.keyStart = this.keyEnd = start;
    this.failed = false;
    return this;
  }

  private fail(): false {
    this.failed = true;
    this.position = this.end;
    return false;
  }
}

/** Checks a table through all depths without decoding it. False: malformed, too deep or too many fields. */
export function isWellFormedTable(buffer: Buffer, start: number, end: number): boolean {
  return countFields(new FieldCursor().openTable(buffer, start, end), 1, 0) >= 0;
}

/** Fields in and below the cursor's level, added to count; -1 when anything is wrong. */
function countFields(cursor: FieldCursor, depth: number, count: number): number {
  let counted = count;
  while (cursor.next()) {
    if (++counted > TABLE_FIELDS_MAX) return -1;
    const { type, buffer, valueStart, valueEnd } = cursor;
    if ((type !== FIELD.table && type !== FIELD.array) || valueStart === valueEnd) continue;
    if (depth === TABLE_DEPTH_MAX) return -1;
    const inner = new FieldCursor();
    if (type === FIELD.table) inner.openTable(buffer, valueStart, valueEnd);
    else inner.openArray(buffer, valueStart, valueEnd);
    counted = countFields(inner, depth + 1, counted);
    if (counted < 0) return -1;
  }
  return cursor.failed ? -1 : counted;
}
