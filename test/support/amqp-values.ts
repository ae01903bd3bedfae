import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import type { FieldTable, FieldValue } from '../../src/protocols/amqp/codec/field-table.ts';

/** amqplib's own codec: an encoder and decoder that knows nothing of ours. Not exported by the package, hence the path. */
const require = createRequire(import.meta.url);
export const amqplibCodec = require(
  join(dirname(require.resolve('amqplib')), 'lib', 'defs.js'),
) as AmqplibCodec;

export interface AmqplibCodec {
  info(id: number): { name: string; args: { name: string; type: string }[] };
  encodeMethod(id: number, channel: number, fields: object): Buffer;
  encodeProperties(id: number, channel: number, size: number, fields: object): Buffer;
  decode(id: number, payload: Buffer): Record<string, unknown>;
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const int64 = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: 2n ** 60n, max: 2n ** 63n - 1n }));

const field = (type: FieldValue['type'], value: fc.Arbitrary<unknown>): fc.Arbitrary<FieldValue> =>
  value.map((v) => ({ type, value: v }) as unknown as FieldValue);

const { value: anyField, table: anyTable } = fc.letrec<{ value: FieldValue; table: FieldTable }>(
  (tie) => ({
    value: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      field('t', fc.boolean()),
      field('b', fc.integer({ min: -128, max: 127 })),
      field('B', fc.nat(255)),
      field('s', fc.integer({ min: -0x8000, max: 0x7fff })),
      field('u', fc.nat(0xffff)),
      field('I', fc.integer()),
      field('i', fc.integer({ min: 0, max: 0xffff_ffff })),
      field('l', int64),
      field('f', fc.float({ noNaN: true })),
      field('d', fc.double({ noNaN: true })),
      field(
        'D',
        fc.record({ scale: fc.nat(255), digits: fc.nat(0x7fff_ffff) }, { noNullPrototype: true }),
      ),
      field('S', text),
      field('x', bytes),
      field('T', fc.nat({ max: Number.MAX_SAFE_INTEGER })),
      field('V', fc.constant(null)),
      field('A', fc.array(tie('value'), { maxLength: 4 })),
      field('F', tie('table')),
    ),
    table: fc
      .uniqueArray(
        // A number as key would change places in amqplib's objects.
        fc.record(
          { key: text.map((key) => `k${key}`), field: tie('value') },
          { noNullPrototype: true },
        ),
        { maxLength: 5, selector: (entry) => entry.key },
      )
      .map((entries) => entries as FieldTable),
  }),
);

/** Values and tables of all types that amqplib knows too: of 64 bits, only the signed ones by the name l. */
export const anyFieldValue = anyField;
export const anyFieldTable = anyTable;

const AMQPLIB_TYPES: Partial<Record<FieldValue['type'], string>> = {
  b: 'int8',
  B: 'uint8',
  s: 'int16',
  u: 'uint16',
  I: 'int32',
  i: 'uint32',
  l: 'int64',
  f: 'float',
  d: 'double',
  T: 'timestamp',
};

/** A table as amqplib takes it. */
export function amqplibTable(table: FieldTable): Record<string, unknown> {
  return Object.fromEntries(table.map((entry) => [entry.key, amqplibValue(entry.field)]));
}

function amqplibValue(value: FieldValue): unknown {
  switch (value.type) {
    case 'F':
      return amqplibTable(value.value);
    case 'A':
      return value.value.map(amqplibValue);
    case 'D':
      return { '!': 'decimal', value: { places: value.value.scale, digits: value.value.digits } };
    case 't':
    case 'S':
    case 'x':
    case 'V':
      return value.value;
    default:
      return { '!': AMQPLIB_TYPES[value.type], value: value.value };
  }
}

/** A value of a method's argument or of a property, in our form and in amqplib's. */
export interface ArgumentPair {
  readonly ours: unknown;
  readonly theirs: unknown;
}

const same = (value: unknown): ArgumentPair => ({ ours: value, theirs: value });

export function anyArgument(type: string): fc.Arbitrary<ArgumentPair> {
  switch (type) {
    case 'bit':
      return fc.boolean().map(same);
    case 'octet':
      return fc.nat(255).map(same);
    case 'short':
      return fc.nat(0xffff).map(same);
    case 'long':
      return fc.integer({ min: 0, max: 0xffff_ffff }).map(same);
    case 'longlong':
    case 'timestamp':
      return fc.nat({ max: Number.MAX_SAFE_INTEGER }).map(same);
    case 'shortstr':
      return text.map(same);
    case 'longstr':
      return bytes.map(same);
    case 'longtext':
      return text.map((value) => ({ ours: value, theirs: Buffer.from(value) }));
    case 'table':
      return anyTable.map((value) => ({ ours: value, theirs: amqplibTable(value) }));
    default:
      throw new Error(`no argument has type ${type}`);
  }
}
