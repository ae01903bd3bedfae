import {
  covers,
  intersect,
  isNone,
  type Field,
  type Message,
  type Range,
  type Scalar,
  type Struct,
} from './definition.ts';

/** What every emitter asks of a field: when it is there, and how small it can be. */

/** Versions in which the struct that holds the field exists and the field is in it. */
export const presence = (struct: Struct, field: Field): Range =>
  intersect(struct.versions, field.versions);

/** A condition on `version` that is true in `range`, given that `context` holds; null when it always is. */
export function condition(range: Range, context: Range): string | null {
  if (covers(range, context)) return null;
  const parts: string[] = [];
  if (range.from > context.from) parts.push(`version >= ${range.from}`);
  if (range.to < context.to) parts.push(`version <= ${range.to}`);
  return parts.join(' && ');
}

/** `true`, `false`, or the name of the local constant that says whether the version is flexible. */
export function flexibility(message: Message, struct: Struct): 'true' | 'false' | 'flexible' {
  if (isNone(intersect(message.flexible, struct.versions))) return 'false';
  return covers(message.flexible, struct.versions) ? 'true' : 'flexible';
}

export const isNullable = (struct: Struct, field: Field): boolean =>
  !isNone(intersect(field.nullable, presence(struct, field)));

/** Whether the functions of a struct branch on the version; the root's check it. */
export function needsVersion(message: Message, struct: Struct): boolean {
  if (struct === message.root || flexibility(message, struct) === 'flexible') return true;
  return struct.fields.some((field) => {
    const versions = presence(struct, field);
    if (isNone(versions)) return false;
    if (condition(versions, struct.versions) !== null) return true;
    if (isNullable(struct, field) && !covers(field.nullable, versions)) return true;
    return typeof field.type !== 'string' && needsVersion(message, field.type);
  });
}

export const taggedFields = (struct: Struct): Field[] =>
  struct.fields.filter((field) => field.tag !== null).sort((a, b) => (a.tag ?? 0) - (b.tag ?? 0));

const FIXED_BYTES: Readonly<Record<Scalar, number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
  string: 0,
  bytes: 0,
  records: 0,
};

/** Fewest bytes that one element of an array field takes, in whatever version: what counts are checked against. */
export function elementBytes(message: Message, struct: Struct, field: Field): number {
  const versions = presence(struct, field);
  let fewest = Infinity;
  for (let version = versions.from; version <= versions.to; version++) {
    fewest = Math.min(fewest, valueBytes(message, field.type, version));
  }
  return fewest;
}

function valueBytes(message: Message, type: Scalar | Struct, version: number): number {
  const flexible = version >= message.flexible.from && version <= message.flexible.to;
  if (typeof type === 'string') {
    const fixed = FIXED_BYTES[type];
    if (fixed > 0 || flexible) return Math.max(fixed, 1);
    return type === 'string' ? 2 : 4;
  }
  let bytes = flexible ? 1 : 0;
  for (const field of type.fields) {
    if (field.tag !== null || version < field.versions.from || version > field.versions.to)
      continue;
    if (field.array) bytes += flexible ? 1 : 4;
    else if (typeof field.type !== 'string' && field.nullable.from <= field.nullable.to) bytes += 1;
    else bytes += valueBytes(message, field.type, version);
  }
  return bytes;
}

/** The value that a field has in versions without it, as TypeScript. */
export function defaultValue(message: Message, struct: Struct, field: Field): string {
  if (field.defaultText === 'null') return 'null';
  if (field.array) return '[]';
  if (typeof field.type !== 'string') return `create${message.name}${field.type.name}()`;
  switch (field.type) {
    case 'bool':
      return field.defaultText ?? 'false';
    case 'string':
      return field.defaultText === null ? "''" : `'${field.defaultText.replaceAll('"', '')}'`;
    case 'uuid':
      return 'ZERO_UUID';
    case 'bytes':
      return 'NO_BYTES';
    case 'records':
      if (isNullable(struct, field)) return 'null';
      return message.role === 'request' ? 'NO_BYTES' : '{ bytes: 0, slices: [] }';
    default:
      return numberText(field.defaultText ?? '0');
  }
}

/** int64's largest value has no exact number: 2 ** 63 stands for it, and the writer saturates. */
const numberText = (text: string): string => (text === '9223372036854775807' ? '2 ** 63' : text);
