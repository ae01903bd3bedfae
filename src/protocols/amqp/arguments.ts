import type { Arguments, ArgumentValue } from '../../core/queue-types.ts';
import type { FieldTable, FieldValue } from './codec/field-table.ts';

/*
 * Arguments of queues and exchanges have names with a prefix here (`x-message-ttl`) and without one in core
 * (`message-ttl`). What core does not know keeps its name as it is.
 */
const PREFIX = 'x-';

/** Names that core knows without the prefix. */
const KNOWN = new Set([
  'message-ttl',
  'expires',
  'max-length',
  'max-length-bytes',
  'overflow',
  'dead-letter-exchange',
  'dead-letter-routing-key',
  'dead-letter-strategy',
  'max-priority',
  'delivery-limit',
  'single-active-consumer',
  'message-deduplication',
  'deduplication-window',
  'retry-delay-min',
  'retry-delay-max',
  'queue-type',
  'queue-mode',
  'queue-version',
  'queue-master-locator',
  'queue-leader-locator',
  'quorum-initial-group-size',
  'initial-cluster-size',
  'max-in-memory-length',
  'max-in-memory-bytes',
  'max-age',
  'stream-max-segment-size-bytes',
  'stream-filter-size-bytes',
  'cache-size',
  'cache-ttl',
  'delayed-type',
  'recent-history-length',
]);

export function coreName(name: string): string {
  if (!name.startsWith(PREFIX)) return name;
  const bare = name.slice(PREFIX.length);
  return KNOWN.has(bare) ? bare : name;
}

export function wireName(name: string): string {
  return KNOWN.has(name) ? PREFIX + name : name;
}

/** Arguments of a declaration, named as core names them. */
export function declaredArguments(table: FieldTable): Arguments {
  return Object.fromEntries(table.map(({ key, field }) => [coreName(key), plainValue(field)]));
}

/** Arguments of a binding: their names are the application's own. */
export function bindingArguments(table: FieldTable): Arguments {
  return Object.fromEntries(table.map(({ key, field }) => [key, plainValue(field)]));
}

/** Arguments as clients named them, for listings. */
export function wireArguments(values: Arguments): Arguments {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [wireName(name), value]));
}

/** A field without its wire type. Bytes become text (Latin-1), a bigint a decimal string. */
export function plainValue(field: FieldValue): ArgumentValue {
  switch (field.type) {
    case 'A':
      return field.value.map(plainValue);
    case 'F':
      return bindingArguments(field.value);
    case 'D':
      return field.value.digits / 10 ** field.value.scale;
    default:
      if (typeof field.value === 'bigint') return field.value.toString();
      return Buffer.isBuffer(field.value) ? field.value.toString('latin1') : field.value;
  }
}

/** A field of the type that is usual for the value. */
export function fieldValue(value: ArgumentValue | Buffer): FieldValue {
  if (value === null) return { type: 'V', value: null };
  if (Buffer.isBuffer(value)) return { type: 'x', value };
  switch (typeof value) {
    case 'string':
      return { type: 'S', value };
    case 'boolean':
      return { type: 't', value };
    case 'number':
      if (!Number.isSafeInteger(value)) return { type: 'd', value };
      return value === (value | 0) ? { type: 'I', value } : { type: 'l', value };
    default:
      if (Array.isArray(value)) return { type: 'A', value: value.map(fieldValue) };
      return { type: 'F', value: fieldTable(value as Arguments) };
  }
}

export function fieldTable(values: Arguments): FieldTable {
  return Object.entries(values).map(([key, value]) => ({ key, field: fieldValue(value) }));
}

const TYPE_NAMES: Readonly<Record<FieldValue['type'], string>> = {
  t: 'bool',
  b: 'byte',
  B: 'unsignedbyte',
  s: 'short',
  u: 'unsignedshort',
  I: 'signedint',
  i: 'unsignedint',
  l: 'long',
  L: 'long',
  f: 'float',
  d: 'double',
  D: 'decimal',
  S: 'longstr',
  x: 'binary',
  A: 'array',
  T: 'timestamp',
  F: 'table',
  V: 'void',
};

/** What RabbitMQ's messages call the type of a field. */
export function wireTypeName(field: FieldValue): string {
  return TYPE_NAMES[field.type];
}
