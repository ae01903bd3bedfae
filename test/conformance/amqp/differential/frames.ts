import { methodNamed, methodWithId, PROPERTIES, type ArgumentType } from './methods.ts';
import { Reader, Writer, type FieldTable } from './values.ts';

// frame = type:octet channel:short size:long payload:size*octet %xCE   ; AMQP 0-9-1, 4.2.3

export type Argument = boolean | number | string | FieldTable;
export type Arguments = Readonly<Record<string, Argument>>;
/** The properties of a message by name; what is absent has no flag. */
export type Properties = Readonly<Record<string, Argument>>;

/** An argument that should be text; empty when it is not there. */
export const textOf = (value: Argument | undefined): string =>
  typeof value === 'string' ? value : '';

const METHOD = 1;
const HEADER = 2;
const BODY = 3;
const HEARTBEAT = 8;
const FRAME_END = 0xce;
const BASIC = 60;

export type Frame =
  | {
      readonly kind: 'method';
      readonly channel: number;
      readonly name: string;
      readonly args: Arguments;
    }
  | {
      readonly kind: 'header';
      readonly channel: number;
      readonly size: number;
      readonly flags: number;
      readonly properties: Properties;
    }
  | { readonly kind: 'body'; readonly channel: number; readonly bytes: Buffer }
  | { readonly kind: 'heartbeat'; readonly channel: number }
  | { readonly kind: 'protocol-header'; readonly channel: number; readonly version: string };

export const PROTOCOL_HEADER = Buffer.from('AMQP\0\0\x09\x01', 'latin1');

export function frame(type: number, channel: number, payload: Buffer): Buffer {
  return new Writer()
    .octet(type)
    .short(channel)
    .long(payload.length)
    .raw(payload)
    .octet(FRAME_END)
    .bytes();
}

export const heartbeatFrame = (channel = 0): Buffer => frame(HEARTBEAT, channel, Buffer.alloc(0));

/** Arguments that are not given are empty, zero or false. */
export function methodFrame(channel: number, name: string, args: Arguments = {}): Buffer {
  return frame(METHOD, channel, methodPayload(name, args));
}

export function methodPayload(name: string, args: Arguments = {}): Buffer {
  const method = methodNamed(name);
  const writer = new Writer().short(method.classId).short(method.methodId);
  const known = new Set(method.args.map(([argument]) => argument));
  for (const argument of Object.keys(args)) {
    if (!known.has(argument)) throw new Error(`${name} has no argument ${argument}`);
  }
  let bits = 0;
  let bitCount = 0;
  for (const [argument, type] of method.args) {
    const value = args[argument];
    if (type === 'bit') {
      if (value === true) bits |= 1 << bitCount;
      bitCount++;
      continue;
    }
    if (bitCount > 0) writer.octet(bits);
    bits = bitCount = 0;
    write(writer, type, value);
  }
  if (bitCount > 0) writer.octet(bits);
  return writer.bytes();
}

function write(
  writer: Writer,
  type: ArgumentType | 'timestamp',
  value: Argument | undefined,
): void {
  switch (type) {
    case 'octet':
      writer.octet(Number(value ?? 0));
      break;
    case 'short':
      writer.short(Number(value ?? 0));
      break;
    case 'long':
      writer.long(Number(value ?? 0));
      break;
    case 'longlong':
    case 'timestamp':
      writer.longlong((value ?? 0) as number | string);
      break;
    case 'shortstr':
      writer.shortstr(textOf(value));
      break;
    case 'longstr':
      writer.longstr(textOf(value));
      break;
    case 'table':
      writer.table((value ?? {}) as FieldTable);
      break;
    case 'bit':
      break;
  }
}

/** The content header of a message. */
export function headerFrame(
  channel: number,
  size: number,
  properties: Properties = {},
  classId = BASIC,
): Buffer {
  const writer = new Writer().short(classId).short(0).longlong(size);
  let flags = 0;
  const values = new Writer();
  for (const [index, [name, type]] of PROPERTIES.entries()) {
    const value = properties[name];
    if (value === undefined) continue;
    flags |= 1 << (15 - index);
    write(values, type, value);
  }
  return frame(HEADER, channel, writer.short(flags).raw(values.bytes()).bytes());
}

export const bodyFrame = (channel: number, bytes: Buffer): Buffer => frame(BODY, channel, bytes);

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  private rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Frame[] {
    this.rest = Buffer.concat([this.rest, chunk]);
    const frames: Frame[] = [];
    for (;;) {
      if (this.rest.length >= 8 && this.rest.toString('latin1', 0, 4) === 'AMQP') {
        const version = [...this.rest.subarray(4, 8)].join('.');
        frames.push({ kind: 'protocol-header', channel: 0, version });
        this.rest = this.rest.subarray(8);
        continue;
      }
      if (this.rest.length < 7) return frames;
      const size = this.rest.readUInt32BE(3);
      if (this.rest.length < size + 8) return frames;
      if (this.rest[size + 7] !== FRAME_END) throw new Error('the broker sent a bad frame end');
      frames.push(
        parse(
          this.rest.readUInt8(0),
          this.rest.readUInt16BE(1),
          new Reader(this.rest.subarray(7, size + 7)),
          this.rest.subarray(7, size + 7),
        ),
      );
      this.rest = this.rest.subarray(size + 8);
    }
  }
}

function parse(type: number, channel: number, reader: Reader, payload: Buffer): Frame {
  if (type === METHOD) return parseMethod(channel, reader);
  if (type === HEADER) return parseHeader(channel, reader);
  if (type === BODY) return { kind: 'body', channel, bytes: payload };
  if (type === HEARTBEAT) return { kind: 'heartbeat', channel };
  throw new Error(`the broker sent a frame of type ${type}`);
}

function parseMethod(channel: number, reader: Reader): Frame {
  const classId = reader.short();
  const methodId = reader.short();
  const method = methodWithId(classId, methodId);
  if (method === undefined) throw new Error(`the broker sent method ${classId}.${methodId}`);
  const args: Record<string, Argument> = {};
  let bits = 0;
  let bitCount = 0;
  for (const [name, argumentType] of method.args) {
    if (argumentType === 'bit') {
      if (bitCount === 0) bits = reader.octet();
      args[name] = (bits & (1 << bitCount)) !== 0;
      bitCount++;
    } else {
      bitCount = 0;
      args[name] = reader[argumentType]();
    }
  }
  if (reader.left > 0) throw new Error(`the broker sent too much after ${method.name}`);
  return { kind: 'method', channel, name: method.name, args };
}

function parseHeader(channel: number, reader: Reader): Frame {
  reader.short();
  reader.short();
  const size = Number(reader.longlong());
  const flags = reader.short();
  const properties: Record<string, Argument> = {};
  for (const [index, [name, type]] of PROPERTIES.entries()) {
    if ((flags & (1 << (15 - index))) === 0) continue;
    properties[name] =
      type === 'timestamp' ? reader.longlong() : type === 'bit' ? true : reader[type]();
  }
  return { kind: 'header', channel, size, flags, properties };
}
