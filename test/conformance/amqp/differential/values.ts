/**
 * A value of a field table with its type, as `{ tag: value }`: the tag is the letter that RabbitMQ's dialect puts
 * before the value. 64-bit integers beyond 2^53 are strings; D is `[scale, value]`; x is in hexadecimal digits.
 */
export type FieldValue =
  | { readonly t: boolean }
  | { readonly b: number }
  | { readonly B: number }
  | { readonly s: number }
  | { readonly u: number }
  | { readonly I: number }
  | { readonly i: number }
  | { readonly l: number | string }
  | { readonly f: number }
  | { readonly d: number }
  | { readonly D: readonly [scale: number, value: number] }
  | { readonly S: string }
  | { readonly A: readonly FieldValue[] }
  | { readonly T: number }
  | { readonly F: FieldTable }
  | { readonly V: null }
  | { readonly x: string };

export interface FieldTable {
  readonly [name: string]: FieldValue;
}

/** Writes AMQP's primitives into one growing buffer. */
export class Writer {
  private readonly parts: Buffer[] = [];

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }

  octet(value: number): this {
    this.parts.push(Buffer.from([value & 0xff]));
    return this;
  }

  short(value: number): this {
    const part = Buffer.alloc(2);
    part.writeUInt16BE(value & 0xffff);
    this.parts.push(part);
    return this;
  }

  long(value: number): this {
    const part = Buffer.alloc(4);
    part.writeUInt32BE(value >>> 0);
    this.parts.push(part);
    return this;
  }

  longlong(value: number | string): this {
    const part = Buffer.alloc(8);
    part.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)));
    this.parts.push(part);
    return this;
  }

  shortstr(value: string): this {
    const text = Buffer.from(value);
    return this.octet(text.length).raw(text);
  }

  longstr(value: string | Buffer): this {
    const text = Buffer.from(value as string);
    return this.long(text.length).raw(text);
  }

  raw(bytes: Buffer): this {
    this.parts.push(bytes);
    return this;
  }

  table(table: FieldTable): this {
    const inner = new Writer();
    for (const [name, value] of Object.entries(table)) inner.shortstr(name).field(value);
    return this.longstr(inner.bytes());
  }

  field(value: FieldValue): this {
    const [[tag, content] = ['V', null]] = Object.entries(value) as [string, unknown][];
    this.raw(Buffer.from(tag, 'latin1'));
    return this.fieldContent(tag, content);
  }

  private fieldContent(tag: string, content: unknown): this {
    switch (tag) {
      case 't':
        return this.octet(content === true ? 1 : 0);
      case 'b':
      case 'B':
        return this.octet(Number(content));
      case 's':
      case 'u':
        return this.short(Number(content));
      case 'I':
      case 'i':
        return this.long(Number(content));
      case 'l':
      case 'T':
        return this.longlong(content as number | string);
      case 'f':
      case 'd':
        return this.float(tag, Number(content));
      case 'D': {
        const [scale, value] = content as [number, number];
        return this.octet(scale).long(value);
      }
      case 'S':
        return this.longstr(String(content));
      case 'x':
        return this.longstr(Buffer.from(String(content), 'hex'));
      case 'F':
        return this.table(content as FieldTable);
      case 'A': {
        const inner = new Writer();
        for (const item of content as FieldValue[]) inner.field(item);
        return this.longstr(inner.bytes());
      }
      default:
        return this;
    }
  }

  private float(tag: 'f' | 'd', value: number): this {
    const part = Buffer.alloc(tag === 'f' ? 4 : 8);
    if (tag === 'f') part.writeFloatBE(value);
    else part.writeDoubleBE(value);
    return this.raw(part);
  }
}

/** Reads AMQP's primitives from a buffer. */
export class Reader {
  private readonly buffer: Buffer;
  private at = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  get left(): number {
    return this.buffer.length - this.at;
  }

  octet(): number {
    return this.buffer.readUInt8(this.skip(1));
  }

  short(): number {
    return this.buffer.readUInt16BE(this.skip(2));
  }

  long(): number {
    return this.buffer.readUInt32BE(this.skip(4));
  }

  longlong(): number | string {
    return small(this.buffer.readBigInt64BE(this.skip(8)));
  }

  shortstr(): string {
    return this.take(this.octet()).toString();
  }

  longstr(): string {
    return this.take(this.long()).toString();
  }

  table(): FieldTable {
    const inner = new Reader(this.take(this.long()));
    const table: Record<string, FieldValue> = {};
    while (inner.left > 0) {
      const name = inner.shortstr();
      table[name] = inner.field();
    }
    return table;
  }

  field(): FieldValue {
    const tag = String.fromCharCode(this.octet());
    switch (tag) {
      case 't':
        return { t: this.octet() !== 0 };
      case 'b':
        return { b: this.buffer.readInt8(this.skip(1)) };
      case 'B':
        return { B: this.octet() };
      case 's':
        return { s: this.buffer.readInt16BE(this.skip(2)) };
      case 'u':
        return { u: this.short() };
      case 'I':
        return { I: this.buffer.readInt32BE(this.skip(4)) };
      case 'i':
        return { i: this.long() };
      case 'l':
        return { l: this.longlong() };
      case 'f':
        return { f: this.buffer.readFloatBE(this.skip(4)) };
      case 'd':
        return { d: this.buffer.readDoubleBE(this.skip(8)) };
      case 'D':
        return { D: [this.octet(), this.long()] };
      case 'S':
        return { S: this.longstr() };
      case 'T':
        return { T: Number(this.longlong()) };
      case 'F':
        return { F: this.table() };
      case 'V':
        return { V: null };
      case 'x':
        return { x: this.take(this.long()).toString('hex') };
      case 'A':
        return { A: this.array() };
      default:
        throw new Error(`the broker sent a field of type ${JSON.stringify(tag)}`);
    }
  }

  private array(): FieldValue[] {
    const inner = new Reader(this.take(this.long()));
    const items: FieldValue[] = [];
    while (inner.left > 0) items.push(inner.field());
    return items;
  }

  private take(length: number): Buffer {
    const from = this.skip(length);
    return this.buffer.subarray(from, from + length);
  }

  private skip(length: number): number {
    const from = this.at;
    this.at += length;
    if (this.at > this.buffer.length) throw new Error('the broker sent a frame that is too short');
    return from;
  }
}

const small = (value: bigint): number | string =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : String(value);
