import assert from 'node:assert/strict';
import type { Decimal, FieldTable, FieldValue } from './field-table.ts';
import { TABLE_DEPTH_MAX } from './field-cursor.ts';
import type { Output } from './output.ts';

/** Writes a table with the length in front of it. The layout is described in field-cursor.ts. */
export function writeTable(output: Output, table: FieldTable): void {
  writeEntries(output, table, 1);
}

/** Writes one entry of a table: key and value. */
export function writeEntry(output: Output, key: string, field: FieldValue): void {
  output.shortstr(key);
  writeValue(output, field, 1);
}

function writeEntries(output: Output, table: FieldTable, depth: number): void {
  assert(depth <= TABLE_DEPTH_MAX, `field tables nest ${TABLE_DEPTH_MAX} deep at most`);
  const position = output.frameBytes;
  output.long(0);
  for (const entry of table) {
    output.shortstr(entry.key);
    writeValue(output, entry.field, depth);
  }
  output.patchLength(position);
}

function writeElements(output: Output, values: readonly FieldValue[], depth: number): void {
  assert(depth <= TABLE_DEPTH_MAX, `field tables nest ${TABLE_DEPTH_MAX} deep at most`);
  const position = output.frameBytes;
  output.long(0);
  for (const value of values) writeValue(output, value, depth);
  output.patchLength(position);
}

function writeValue(output: Output, field: FieldValue, depth: number): void {
  output.octet(field.type.charCodeAt(0));
  switch (field.type) {
    case 't':
      output.octet(field.value ? 1 : 0);
      break;
    case 'b':
    case 'B':
      output.octet(field.value);
      break;
    case 's':
    case 'u':
      output.short(field.value);
      break;
    case 'I':
    case 'i':
      output.long(field.value);
      break;
    case 'l':
    case 'L':
    case 'T':
      writeInt64(output, field.value);
      break;
    case 'f':
    case 'd':
      writeFloat(output, field.type === 'f' ? 4 : 8, field.value);
      break;
    case 'D':
      writeDecimal(output, field.value);
      break;
    case 'S':
    case 'x':
      if (typeof field.value === 'string') output.longtext(field.value);
      else output.longstr(field.value);
      break;
    case 'A':
      writeElements(output, field.value, depth + 1);
      break;
    case 'F':
      writeEntries(output, field.value, depth + 1);
      break;
    case 'V':
      break;
  }
}

function writeInt64(output: Output, value: number | bigint): void {
  const at = output.reserve(8);
  output.memory.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)), at);
}

function writeDecimal(output: Output, value: Decimal): void {
  output.octet(value.scale);
  output.long(value.digits);
}

function writeFloat(output: Output, bytes: number, value: number): void {
  const at = output.reserve(bytes);
  if (bytes === 4) output.memory.writeFloatBE(value, at);
  else output.memory.writeDoubleBE(value, at);
}
