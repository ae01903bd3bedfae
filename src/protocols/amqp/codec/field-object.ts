import type { FieldEntry, FieldTable, FieldValue } from './field-table.ts';

/** What a field is in plain terms. Numbers, texts, and so on keep no wire type. */
export type PlainValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue };

/**
 * A table of plain values, with the types that RabbitMQ itself would choose: text S, integers I or l, other numbers d,
 * Buffers x.
 */
export function tableOf(object: { readonly [key: string]: PlainValue }): FieldTable {
  return Object.entries(object).map(([key, value]): FieldEntry => ({ key, field: fieldOf(value) }));
}

function fieldOf(value: PlainValue): FieldValue {
  if (value === null) return { type: 'V', value };
  switch (typeof value) {
    case 'boolean':
      return { type: 't', value };
    case 'string':
      return { type: 'S', value };
    case 'bigint':
      return { type: 'l', value };
    case 'number':
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) return { type: 'd', value };
      return { type: (value | 0) === value ? 'I' : 'l', value };
    default:
      if (Buffer.isBuffer(value)) return { type: 'x', value };
      if (isArray(value)) return { type: 'A', value: value.map(fieldOf) };
      return { type: 'F', value: tableOf(value) };
  }
}

/** Array.isArray does not know readonly arrays. */
const isArray = (value: object): value is readonly PlainValue[] => Array.isArray(value);

/** The other way: for people and JSON. Of a key that comes twice the first one counts; decimals become numbers. */
export function objectOf(table: FieldTable): Record<string, PlainValue> {
  const first = new Map<string, PlainValue>();
  for (const entry of table) {
    if (!first.has(entry.key)) first.set(entry.key, plainOf(entry.field));
  }
  // Unlike an assignment, fromEntries makes even __proto__ a plain key.
  return Object.fromEntries(first);
}

function plainOf(field: FieldValue): PlainValue {
  switch (field.type) {
    case 'A':
      return field.value.map(plainOf);
    case 'F':
      return objectOf(field.value);
    case 'D':
      return field.value.digits / 10 ** field.value.scale;
    default:
      return field.value;
  }
}
