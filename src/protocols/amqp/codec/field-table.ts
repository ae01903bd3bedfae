import { isUtf8 } from 'node:buffer';
import { AmqpCodecError } from './codec-error.ts';
import { FIELD, FieldCursor, TABLE_DEPTH_MAX, TABLE_FIELDS_MAX } from './field-cursor.ts';
import { REPLY_CODE } from './generated/reply-codes.ts';

/** digits / 10^scale. */
export interface Decimal {
  readonly scale: number;
  /** An unsigned integer of 32 bits. */
  readonly digits: number;
}

/**
 * A value with the type it has on the wire, so that it is written again as it was read. The letters are the wire's
 * own, see field-cursor.ts. 64-bit values are numbers where that is exact, else bigints; text that is no UTF-8 is a
 * Buffer.
 */
export type FieldValue =
  | { readonly type: 't'; readonly value: boolean }
  | { readonly type: 'b' | 'B' | 's' | 'u' | 'I' | 'i' | 'f' | 'd'; readonly value: number }
  | { readonly type: 'l' | 'L' | 'T'; readonly value: number | bigint }
  | { readonly type: 'D'; readonly value: Decimal }
  | { readonly type: 'S'; readonly value: string | Buffer }
  | { readonly type: 'x'; readonly value: Buffer }
  | { readonly type: 'A'; readonly value: readonly FieldValue[] }
  | { readonly type: 'F'; readonly value: FieldTable }
  | { readonly type: 'V'; readonly value: null };

export interface FieldEntry {
  readonly key: string;
  readonly field: FieldValue;
}

/** In the order of the wire. Where a key comes twice, the first one counts. */
export type FieldTable = readonly FieldEntry[];

export const EMPTY_TABLE: FieldTable = Object.freeze([]);

export function tableGet(table: FieldTable, key: string): FieldValue | null {
  for (const entry of table) {
    if (entry.key === key) return entry.field;
  }
  return null;
}

/** Decodes the fields in [start, end). Everything is copied. Throws an AmqpCodecError for whatever is malformed. */
export function readTable(buffer: Buffer, start: number, end: number): FieldTable {
  const budget = { fieldsLeft: TABLE_FIELDS_MAX };
  return readEntries(new FieldCursor().openTable(buffer, start, end), 1, budget);
}

/** Decodes the value at which a cursor stands. */
export function readValue(cursor: FieldCursor): FieldValue {
  return decodeValue(cursor, 1, { fieldsLeft: TABLE_FIELDS_MAX });
}

interface Budget {
  fieldsLeft: number;
}

function readEntries(cursor: FieldCursor, depth: number, budget: Budget): FieldEntry[] {
  const entries: FieldEntry[] = [];
  while (cursor.next()) {
    const key = cursor.buffer.toString('utf8', cursor.keyStart, cursor.keyEnd);
    entries.push({ key, field: decodeValue(cursor, depth, budget) });
  }
  if (cursor.failed) throw malformed('malformed field table');
  return entries;
}

function readElements(cursor: FieldCursor, depth: number, budget: Budget): FieldValue[] {
  const values: FieldValue[] = [];
  while (cursor.next()) values.push(decodeValue(cursor, depth, budget));
  if (cursor.failed) throw malformed('malformed field array');
  return values;
}

function decodeValue(cursor: FieldCursor, depth: number, budget: Budget): FieldValue {
  if (budget.fieldsLeft-- === 0) throw malformed(`more than ${TABLE_FIELDS_MAX} fields in a table`);
  const { buffer, type, valueStart: at, valueEnd: end } = cursor;
  switch (type) {
    case FIELD.table:
    case FIELD.array:
      return decodeNested(cursor, depth, budget);
    case FIELD.text:
      return { type: 'S', value: textOrBytes(buffer, at, end) };
    case FIELD.bytes:
      return { type: 'x', value: Buffer.from(buffer.subarray(at, end)) };
    case FIELD.boolean:
      return { type: 't', value: buffer[at] !== 0 };
    case FIELD.nothing:
      return { type: 'V', value: null };
    case FIELD.decimal:
      return {
        type: 'D',
        value: { scale: buffer.readUInt8(at), digits: buffer.readUInt32BE(at + 1) },
      };
    case FIELD.float32:
      return { type: 'f', value: buffer.readFloatBE(at) };
    case FIELD.float64:
      return { type: 'd', value: buffer.readDoubleBE(at) };
    case FIELD.timestamp:
      return { type: 'T', value: exact(buffer.readBigUInt64BE(at)) };
    case FIELD.int64:
      return { type: 'l', value: exact(buffer.readBigInt64BE(at)) };
    case FIELD.int64Upper:
      return { type: 'L', value: exact(buffer.readBigInt64BE(at)) };
    default:
      // What is left are the small integers, and the cursor stops at no other octet.
      return { type: String.fromCharCode(type) as 'b', value: cursor.integer() };
  }
}

function decodeNested(cursor: FieldCursor, depth: number, budget: Budget): FieldValue {
  if (depth === TABLE_DEPTH_MAX) {
    throw malformed(`field tables nested deeper than ${TABLE_DEPTH_MAX}`);
  }
  const { buffer, type, valueStart, valueEnd } = cursor;
  const inner = new FieldCursor();
  if (type === FIELD.table) {
    inner.openTable(buffer, valueStart, valueEnd);
    return { type: 'F', value: readEntries(inner, depth + 1, budget) };
  }
  inner.openArray(buffer, valueStart, valueEnd);
  return { type: 'A', value: readElements(inner, depth + 1, budget) };
}

function textOrBytes(buffer: Buffer, start: number, end: number): string | Buffer {
  const bytes = buffer.subarray(start, end);
  return isUtf8(bytes) ? bytes.toString('utf8', 0, bytes.length) : Buffer.from(bytes);
}

function exact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const malformed = (explanation: string): AmqpCodecError =>
  new AmqpCodecError(REPLY_CODE.FRAME_ERROR, explanation);
