import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import type { ApiDescriptor } from '../../../src/protocols/kafka/codec/api-descriptor.ts';
import { API_CODECS } from '../../../src/protocols/kafka/codec/generated/apis.ts';
import type { Reader } from '../../../src/protocols/kafka/codec/reader.ts';
import { Writer } from '../../../src/protocols/kafka/codec/writer.ts';
import {
  loadDefinitions,
  type Field,
  type Message,
  type Scalar,
  type Struct,
} from '../../../tools/kafka-codec/definition.ts';
import { within } from '../../../tools/kafka-codec/wire.ts';

/** Any request or response as the tests treat it: a tree of plain values. */
export type Tree = { [field: string]: unknown };

type Read = (reader: Reader, version: number) => Tree;
type Write = (writer: Writer, value: Tree, version: number) => void;

/** One message of one API with its functions, and a source of values for each version. */
export interface MessageUnderTest {
  readonly name: string;
  readonly key: number;
  readonly role: 'request' | 'response';
  readonly versions: readonly number[];
  readonly flexibleFrom: number;
  readonly read: Read;
  readonly write: Write;
  /** Values as they are after reading: fields that the version lacks have their defaults. */
  values(version: number): fc.Arbitrary<Tree>;
}

const schemas = fileURLToPath(new URL('../../../schemas/kafka', import.meta.url));

/** All requests and responses of all APIs. */
export function messagesUnderTest(): MessageUnderTest[] {
  const messages: MessageUnderTest[] = [];
  for (const definition of loadDefinitions(schemas)) {
    if (definition.api === null) continue;
    const codec = API_CODECS[definition.api.name as keyof typeof API_CODECS] as unknown as AnyCodec;
    for (const message of definition.messages) {
      const isRequest = message.role === 'request';
      messages.push({
        name: message.name,
        key: definition.api.key,
        role: isRequest ? 'request' : 'response',
        versions: versionsOf(message),
        flexibleFrom: codec.descriptor.flexibleFrom,
        read: isRequest ? codec.readRequest : codec.readResponse,
        write: isRequest ? codec.writeRequest : codec.writeResponse,
        values: (version) => structValues(message, message.root, version),
      });
    }
  }
  return messages;
}

/** The functions of any API: their values are those that `values` makes. */
interface AnyCodec {
  readonly descriptor: ApiDescriptor;
  readonly readRequest: Read;
  readonly writeRequest: Write;
  readonly readResponse: Read;
  readonly writeResponse: Write;
}

export function encode(message: MessageUnderTest, value: Tree, version: number): Buffer {
  const writer = new Writer();
  message.write(writer, value, version);
  return writer.toBuffer();
}

/** Replaces spliced records by their bytes, so that what was written and what was read compare as equal. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value;
  if ('slices' in value) {
    const slices = value.slices as { buffer: Buffer; start: number; end: number }[];
    return Buffer.concat(slices.map(({ buffer, start, end }) => buffer.subarray(start, end)));
  }
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
}

const SCALAR_VALUES: Readonly<Record<Exclude<Scalar, 'records'>, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int32: fc.integer(),
  int64: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-1, 0, 2 ** 31, 2 ** 32, -(2 ** 32))),
  float64: fc.double({ noNaN: true }),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((array) => Buffer.from(array)),
  string: fc.oneof(
    { weight: 4, arbitrary: fc.string({ maxLength: 12 }) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 150 }) },
  ),
  bytes: bytes(),
};

function bytes(): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
}

function versionsOf(message: Message): number[] {
  const { from, to } = message.versions;
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function structValues(message: Message, struct: Struct, version: number): fc.Arbitrary<Tree> {
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of struct.fields) {
    fields[field.name] = within(field.versions, version)
      ? fieldValues(message, field, version)
      : fc.constant(defaultOf(field));
  }
  // Objects with a prototype, as the readers make them.
  return fc.record(fields, { noNullPrototype: true });
}

function fieldValues(message: Message, field: Field, version: number): fc.Arbitrary<unknown> {
  const one = elementValues(message, field, version);
  const some = field.array ? fc.array(one, { maxLength: 3 }) : one;
  const orDefault = field.tag === null ? some : fc.oneof(fc.constant(defaultOf(field)), some);
  return within(field.nullable, version) ? fc.option(orDefault, { freq: 3 }) : orDefault;
}

function elementValues(message: Message, field: Field, version: number): fc.Arbitrary<unknown> {
  if (typeof field.type !== 'string') return structValues(message, field.type, version);
  if (field.type === 'records') return message.role === 'request' ? bytes() : records();
  return SCALAR_VALUES[field.type];
}

/** Records as a front-end gives them: slices somewhere inside larger buffers. */
const records = (): fc.Arbitrary<unknown> =>
  fc.array(bytes(), { maxLength: 3 }).map((parts) => ({
    bytes: parts.reduce((sum, part) => sum + part.length, 0),
    slices: parts.map((part) => ({
      buffer: Buffer.concat([Buffer.alloc(5, 0xee), part, Buffer.alloc(3, 0xee)]),
      start: 5,
      end: 5 + part.length,
      lease: null,
    })),
  }));

function defaultOf(field: Field): unknown {
  const text = field.defaultText;
  if (text === 'null') return null;
  if (field.array) return [];
  if (typeof field.type !== 'string') {
    return Object.fromEntries(field.type.fields.map((inner) => [inner.name, defaultOf(inner)]));
  }
  switch (field.type) {
    case 'bool':
      return text === 'true';
    case 'string':
      return text === null || text === '""' ? '' : text;
    case 'uuid':
      return Buffer.alloc(16);
    case 'bytes':
      return Buffer.alloc(0);
    case 'records':
      return null;
    default:
      return Number(text ?? 0);
  }
}
