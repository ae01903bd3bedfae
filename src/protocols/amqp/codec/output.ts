import assert from 'node:assert/strict';
import { AmqpCodecError } from './codec-error.ts';
import { copyBytes } from './copy-bytes.ts';
import { FRAME, FRAME_END, FRAME_HEADER_BYTES } from './frame.ts';
import type { FieldTable } from './field-table.ts';
import { REPLY_CODE } from './generated/reply-codes.ts';
import { OutputChunk, type Lease, type OutputPool } from './output-pool.ts';
import { writeTable } from './table-writer.ts';

/** Takes the output; a Connection is one. */
export interface Sink {
  /** Copies the bytes, or keeps a reference and the lease until they are sent. */
  writeShared(buffer: Buffer, start: number, end: number, lease: Lease | null): void;
}

const NO_CHUNK = new OutputChunk(0, null);
const SHORTSTR_BYTES_MAX = 255;
/** Strings up to this many units are stored char by char, which is faster than a call into the runtime. */
const TINY_STRING_MAX = 24;
const TWO_32 = 0x1_0000_0000;

/**
 * Frames for one peer, in chunks from a pool; a full chunk goes to the sink, the rest with flush at the end of the
 * turn. Holds no memory between flush and the next frame. Without a sink it grows and is read with toBuffer.
 */
export class Output {
  /** Largest frame the peer takes, as negotiated; bodies are cut accordingly. */
  frameBytesMax = Number.MAX_SAFE_INTEGER;
  private readonly pool: OutputPool;
  private readonly sink: Sink | null;
  private chunk: OutputChunk = NO_CHUNK;
  private buffer: Buffer = NO_CHUNK.buffer;
  private length = 0;
  /** The sink has everything of the chunk before this. */
  private passed = 0;
  /** Where the frame under way begins; -1: none is. */
  private frameAt = -1;

  constructor(pool: OutputPool, sink: Sink | null) {
    this.pool = pool;
    this.sink = sink;
  }

  /** Bytes that the sink has not got. */
  get pending(): number {
    return this.length - this.passed;
  }

  /** Passes everything on and lets go of the memory. */
  flush(): void {
    assert(this.frameAt < 0, 'a frame is not finished');
    if (this.chunk === NO_CHUNK) return;
    this.pass(this.length);
    this.chunk.release();
    this.chunk = NO_CHUNK;
    this.buffer = NO_CHUNK.buffer;
    this.length = this.passed = 0;
  }

  /** Forgets what was not passed on, as when the connection is gone. */
  discard(): void {
    this.passed = this.length;
    this.frameAt = -1;
    this.flush();
  }

  /** A copy of everything written since the last flush: for an output without sink. */
  toBuffer(): Buffer {
    return Buffer.from(this.buffer.subarray(this.passed, this.length));
  }

  beginMethod(channel: number, id: number): void {
    this.beginFrame(FRAME.method, channel);
    this.long(id);
  }

  beginFrame(type: number, channel: number): void {
    assert(this.frameAt < 0, 'frames do not nest');
    const at = this.reserve(FRAME_HEADER_BYTES);
    this.frameAt = at;
    const { buffer } = this;
    buffer[at] = type;
    buffer[at + 1] = channel >>> 8;
    buffer[at + 2] = channel;
  }

  endFrame(): void {
    assert(this.frameAt >= 0, 'no frame was begun');
    const end = this.reserve(1);
    const at = this.frameAt;
    this.buffer[end] = FRAME_END;
    this.frameAt = -1;
    putLong(this.buffer, at + 3, end - at - FRAME_HEADER_BYTES);
  }

  /** Takes back the frame that was begun, as when its method could not be encoded. */
  dropFrame(): void {
    if (this.frameAt < 0) return;
    this.length = this.frameAt;
    this.frameAt = -1;
  }

  heartbeat(): void {
    this.beginFrame(FRAME.heartbeat, 0);
    this.endFrame();
  }

  octet(value: number): void {
    const at = this.reserve(1);
    this.buffer[at] = value;
  }

  short(value: number): void {
    const at = this.reserve(2);
    putShort(this.buffer, at, value);
  }

  long(value: number): void {
    const at = this.reserve(4);
    putLong(this.buffer, at, value);
  }

  longlong(value: number): void {
    const at = this.reserve(8);
    putLonglong(this.buffer, at, value);
  }

  timestamp(value: number): void {
    this.longlong(value);
  }

  shortstr(value: string): void {
    const { length } = value;
    if (length > SHORTSTR_BYTES_MAX) throw tooLong();
    const at = this.reserve(1 + 3 * length);
    const bytes = this.putText(value, at + 1);
    this.length = at;
    if (bytes > SHORTSTR_BYTES_MAX) throw tooLong();
    this.buffer[at] = bytes;
    this.length = at + 1 + bytes;
  }

  longstr(value: Buffer): void {
    this.long(value.length);
    this.bytes(value, 0, value.length);
  }

  longtext(value: string): void {
    const at = this.reserve(4 + 3 * value.length);
    const bytes = this.putText(value, at + 4);
    putLong(this.buffer, at, bytes);
    this.length = at + 4 + bytes;
  }

  table(table: FieldTable): void {
    writeTable(this, table);
  }

  /** Copies [start, end). */
  bytes(buffer: Buffer, start: number, end: number): void {
    const at = this.reserve(end - start);
    copyBytes(this.buffer, at, buffer, start, end);
  }

  /** Passes [start, end) on without copying, behind all that was written; not between beginFrame and endFrame. */
  sharedBytes(buffer: Buffer, start: number, end: number, lease: Lease | null): void {
    assert(this.frameAt < 0, 'inside a frame bytes are copied');
    if (this.sink === null) {
      this.bytes(buffer, start, end);
      return;
    }
    this.pass(this.length);
    this.sink.writeShared(buffer, start, end, lease);
  }

  /** The memory in which reserve made room; the next call may put another in its place. */
  get memory(): Buffer {
    return this.buffer;
  }

  /** The same memory. */
  get view(): DataView {
    return this.chunk.view;
  }

  /** Makes room for bytes and returns where in memory they begin. */
  reserve(bytes: number): number {
    if (this.length + bytes > this.buffer.length) this.makeRoom(bytes);
    const at = this.length;
    this.length = at + bytes;
    return at;
  }

  /** How far the frame under way has come: stays right when the frame moves to other memory. */
  get frameBytes(): number {
    return this.length - Math.max(this.frameAt, 0);
  }

  /** Writes the 32 bits at which frameBytes was `position`: the number of bytes that follow them. */
  patchLength(position: number): void {
    const at = Math.max(this.frameAt, 0) + position;
    putLong(this.buffer, at, this.length - at - 4);
  }

  /** Puts text in memory from `at` on and returns its bytes. There must be room for three per unit. */
  private putText(value: string, at: number): number {
    const { length } = value;
    if (length > TINY_STRING_MAX) return this.buffer.write(value, at);
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return this.buffer.write(value, at);
      this.buffer[at + i] = code;
    }
    return length;
  }

  private pass(to: number): void {
    if (this.sink === null || to <= this.passed) return;
    this.sink.writeShared(this.buffer, this.passed, to, this.chunk);
    this.passed = to;
  }

  /** Finished frames are passed on; what is unfinished moves to other memory. */
  private makeRoom(bytes: number): void {
    const old = this.buffer;
    let from = 0;
    if (this.sink !== null) {
      from = this.frameAt < 0 ? this.length : this.frameAt;
      this.pass(from);
    }
    const size = this.length - from;
    const room = size === 0 ? bytes : Math.max(size + bytes, 2 * size);
    const chunk = this.pool.take(room);
    old.copy(chunk.buffer, 0, from, this.length);
    if (this.chunk !== NO_CHUNK) this.chunk.release();
    this.chunk = chunk;
    this.buffer = chunk.buffer;
    this.length = size;
    this.passed = 0;
    if (this.frameAt >= 0) this.frameAt -= from;
  }
}

const tooLong = (): AmqpCodecError =>
  new AmqpCodecError(
    REPLY_CODE.SYNTAX_ERROR,
    `a short string has at most ${SHORTSTR_BYTES_MAX} bytes`,
  );

export function putShort(memory: Buffer, at: number, value: number): void {
  memory[at] = value >>> 8;
  memory[at + 1] = value;
}

export function putLong(memory: Buffer, at: number, value: number): void {
  memory[at] = value >>> 24;
  memory[at + 1] = value >>> 16;
  memory[at + 2] = value >>> 8;
  memory[at + 3] = value;
}

export function putLonglong(memory: Buffer, at: number, value: number): void {
  // Shifts take a number modulo 2^32, so that the lower half needs no arithmetic.
  putLong(memory, at, value < TWO_32 ? 0 : value / TWO_32);
  putLong(memory, at + 4, value);
}
