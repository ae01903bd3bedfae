import { isUtf8 } from 'node:buffer';
import { AmqpCodecError, cannotDecode } from './codec-error.ts';
import { EMPTY_TABLE, readTable, type FieldTable } from './field-table.ts';
import { REPLY_CODE } from './generated/reply-codes.ts';

/*
 * Arguments of a method follow its id without names or padding. All numbers are big endian.
 *
 *   bit         neighbours share an octet, the first is bit 0 (done by the generated code)
 *   octet, short, long, longlong, timestamp      8, 16, 32, 64, 64 bits, unsigned
 *   shortstr    length octet, UTF-8
 *   longstr     length (32 bits), bytes
 *   table       length (32 bits), fields: see field-table.ts
 */

const TWO_32 = 0x1_0000_0000;

/**
 * Reads the arguments of a method from bytes [position, end). Whatever the bytes are, a read either succeeds inside
 * those bounds or throws an AmqpCodecError. Strings, byte strings and tables are copies: nothing refers to the
 * buffer afterwards. One reader serves any number of methods.
 */
export class ArgumentReader {
  private buffer: Buffer;
  private start: number;
  private position: number;
  private end: number;

  constructor(buffer: Buffer, start = 0, end: number = buffer.length) {
    this.buffer = buffer;
    this.start = start;
    this.position = start;
    this.end = end;
  }

  /** Turns to the arguments of another method: [start, end) begins behind the method id. */
  reset(buffer: Buffer, start: number, end: number): void {
    this.buffer = buffer;
    this.start = start;
    this.position = start;
    this.end = end;
  }

  octet(): number {
    const at = this.take(1);
    return this.buffer[at] as number; // take checked it
  }

  short(): number {
    return this.buffer.readUInt16BE(this.take(2));
  }

  long(): number {
    return this.buffer.readUInt32BE(this.take(4));
  }

  /** Beyond 2^53 the nearest double. */
  longlong(): number {
    const at = this.take(8);
    return this.buffer.readUInt32BE(at) * TWO_32 + this.buffer.readUInt32BE(at + 4);
  }

  timestamp(): number {
    return this.longlong();
  }

  shortstr(): string {
    const length = this.octet();
    const at = this.take(length);
    return decodeText(this.buffer, at, at + length);
  }

  skipShortstr(): void {
    this.take(this.octet());
  }

  /** A copy. */
  longstr(): Buffer {
    const length = this.long();
    const at = this.take(length);
    return Buffer.from(this.buffer.subarray(at, at + length));
  }

  skipLongstr(): void {
    this.take(this.long());
  }

  longtext(): string {
    const length = this.long();
    const at = this.take(length);
    return this.buffer.toString('utf8', at, at + length);
  }

  table(): FieldTable {
    const length = this.long();
    const at = this.take(length);
    return length === 0 ? EMPTY_TABLE : readTable(this.buffer, at, at + length);
  }

  /** Nothing may follow the last argument. */
  finish(): void {
    if (this.position !== this.end) throw this.malformed();
  }

  private take(bytes: number): number {
    const at = this.position;
    if (bytes > this.end - at) throw this.malformed();
    this.position = at + bytes;
    return at;
  }

  private malformed(): AmqpCodecError {
    return cannotDecode(this.buffer, this.start, this.end);
  }
}

/** The text of a short string; AMQP wants UTF-8 there, and RabbitMQ refuses anything else. */
export function decodeText(buffer: Buffer, start: number, end: number): string {
  for (let i = start; i < end; i++) {
    if ((buffer[i] as number) < 0x80) continue; // inside the range
    if (!isUtf8(buffer.subarray(i, end))) {
      throw new AmqpCodecError(REPLY_CODE.FRAME_ERROR, 'Malformed UTF-8 in shortstr');
    }
    return buffer.toString('utf8', start, end);
  }
  return buffer.toString('latin1', start, end);
}
