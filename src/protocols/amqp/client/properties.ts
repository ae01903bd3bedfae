import type { PlainValue } from '../codec/field-object.ts';
import { objectOf } from '../codec/field-object.ts';
import type { FieldEntry } from '../codec/field-table.ts';
import { NO_PROPERTIES, type BasicProperties } from '../codec/generated/basic-properties.ts';

/** A header as the command line knows it. */
export interface PlainHeader {
  readonly name: string;
  readonly value: Buffer | null;
}

type TextProperty = {
  [Name in keyof BasicProperties]: BasicProperties[Name] extends string | null ? Name : never;
}[keyof BasicProperties];
type NumberProperty = Exclude<keyof BasicProperties, TextProperty | 'headers'>;

const TEXT: Readonly<Record<string, TextProperty>> = {
  'content-type': 'contentType',
  'content-encoding': 'contentEncoding',
  'correlation-id': 'correlationId',
  'reply-to': 'replyTo',
  expiration: 'expiration',
  'message-id': 'messageId',
  type: 'type',
  'user-id': 'userId',
  'app-id': 'appId',
  'cluster-id': 'clusterId',
};
/** With the largest value. */
const NUMBERS: Readonly<Record<string, readonly [NumberProperty, number]>> = {
  'delivery-mode': ['deliveryMode', 2],
  priority: ['priority', 255],
  timestamp: ['timestamp', Number.MAX_SAFE_INTEGER],
};

/** What a message may say of itself, as people write it. */
export const PROPERTY_NAMES: readonly string[] = [...Object.keys(TEXT), ...Object.keys(NUMBERS)];

/** Why the text cannot be the value of that property, or null. */
export function propertyFault(name: string, text: string): string | null {
  if (Object.hasOwn(TEXT, name)) {
    if (Buffer.byteLength(text) > 255) return 'at most 255 bytes';
    if (name === 'expiration' && !/^\d+$/.test(text)) return 'milliseconds, in digits';
    return null;
  }
  const max = Object.hasOwn(NUMBERS, name) ? (NUMBERS[name]?.[1] ?? -1) : -1;
  if (max < 0) return `known: ${PROPERTY_NAMES.join(', ')}`;
  return /^\d{1,16}$/.test(text) && Number(text) <= max ? null : `a number up to ${max}`;
}

/** The properties of a message that is published; names and values without a fault. */
export function basicProperties(
  named: Readonly<Record<string, string>>,
  headers: readonly PlainHeader[],
): BasicProperties {
  const properties: { -readonly [Name in keyof BasicProperties]: BasicProperties[Name] } = {
    ...NO_PROPERTIES,
  };
  for (const [name, value] of Object.entries(named)) {
    const text = TEXT[name];
    if (text !== undefined) properties[text] = value;
    const number = NUMBERS[name];
    if (number !== undefined) properties[number[0]] = Number(value);
  }
  if (headers.length > 0) properties.headers = headers.map(entryOf);
  return properties;
}

function entryOf({ name, value }: PlainHeader): FieldEntry {
  if (value === null) return { key: name, field: { type: 'V', value } };
  return { key: name, field: { type: 'S', value: value.toString() } };
}

/** The other way: what is there, by the names that people write. */
export function namedProperties(properties: BasicProperties): Record<string, string | number> {
  const named: Record<string, string | number> = {};
  for (const [name, property] of Object.entries(TEXT)) {
    const value = properties[property];
    if (value !== null) named[name] = value;
  }
  for (const [name, [property]] of Object.entries(NUMBERS)) {
    const value = properties[property];
    if (value !== null) named[name] = value;
  }
  return named;
}

/** Headers as bytes: text as it is, anything else as JSON. */
export function plainHeaders(properties: BasicProperties): PlainHeader[] {
  return Object.entries(objectOf(properties.headers ?? [])).map(([name, value]) => ({
    name,
    value: bytesOf(value),
  }));
}

function bytesOf(value: PlainValue): Buffer | null {
  if (value === null || Buffer.isBuffer(value)) return value;
  if (typeof value === 'string') return Buffer.from(value);
  return Buffer.from(
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'bigint' ? inner.toString() : inner,
    ),
  );
}
