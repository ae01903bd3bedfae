import assert from 'node:assert/strict';
import { CodecError } from './codec-error.ts';
import type { Lease, RecordsOut, Slice } from './records.ts';

/*
 * Output of a writer: encoded bytes in one chunk, cut where foreign bytes go in between.
 *
 *   chunk    [ size | header | topics ...      | ... next partition      | ... ]
 *   splices                                    ^ slices of a record batch ^ slices
 *
 * The primitive types are those described in reader.ts.
 */

/** Takes the output; a Connection is one. */
export interface Sink {
  /** Copies the bytes before it returns. */
  write(buffer: Buffer, start: number, end: number): void;
  /** Keeps a reference to the bytes, and the lease, until they are sent. */
  writeShared(buffer: Buffer, start: number, end: number, lease: Lease | null): void;
}

const FRAME_SIZE_BYTES = 4;
const CHUNK_BYTES_INITIAL = 4 * 1024;
/** From this size on the chunk is handed over to the sink instead of being copied by it. */
const SHARE_BYTES_MIN = 64 * 1024;
/** A chunk that grew beyond this is not kept for the next message. */
const CHUNK_BYTES_KEPT_MAX = 256 * 1024;
const TWO_32 = 0x1_0000_0000;
const INT32_MAX = 0x7fff_ffff;
const INT32_MIN = -0x8000_0000;
/** Strings up to this many UTF-16 units are written before their length is known: it fits in the room kept for it. */
const SHORT_STRING_MAX = 42;
/** Strings up to this many units are stored char by char, which is faster than a call into the runtime. */
const TINY_STRING_MAX = 20;

/**
 * Encodes messages into a growing chunk that is used again and again; record batches are spliced in by reference.
 * One writer serves any number of frames: write, emit, write again. Slices must stay valid until emit.
 */
export class Writer {
  private chunk: Buffer;
  /** The chunk again: a DataView's stores are several times faster than a Buffer's. */
  private view: DataView;
  private length = 0;
  /** Bytes spliced in so far. */
  private splicedBytes = 0;
  private readonly splices: Slice[] = [];
  /** splicePositions[i]: how much of the chunk precedes splices[i]. */
  private readonly splicePositions: number[] = [];
  /** Where in the chunk the frame under way begins, and what splicedBytes was then. */
  private frameAt = 0;
  private frameSplicedBefore = 0;
  private message = 'message';
  private version = -1;

  constructor(initialBytes: number = CHUNK_BYTES_INITIAL) {
    this.chunk = Buffer.allocUnsafeSlow(Math.max(initialBytes, 16));
    this.view = viewOf(this.chunk);
  }

  /** Bytes written, spliced ones included. */
  get size(): number {
    return this.length + this.splicedBytes;
  }

  /** Forgets what was written. */
  reset(): void {
    this.length = 0;
    this.splicedBytes = 0;
    this.splices.length = 0;
    this.splicePositions.length = 0;
    if (this.chunk.length > CHUNK_BYTES_KEPT_MAX) this.newChunk(CHUNK_BYTES_INITIAL);
  }

  /** A message begins here: names it in errors and refuses versions that its definition does not have. */
  begin(message: string, version: number, minVersion: number, maxVersion: number): void {
    this.message = message;
    this.version = version;
    if (!(version >= minVersion && version <= maxVersion)) {
      this.fail(`versions ${minVersion} to ${maxVersion} are known`, '');
    }
  }

  fail(problem: string, field: string): never {
    const message = this.version < 0 ? this.message : `${this.message} v${this.version}`;
    throw new CodecError(problem, { message, field, position: this.length });
  }

  /** Begins a frame, leaving room for its size. Frames follow each other; they do not nest. */
  startFrame(): void {
    this.frameSplicedBefore = this.splicedBytes;
    this.frameAt = this.reserve(FRAME_SIZE_BYTES);
  }

  /** Ends the frame: writes its size, spliced bytes included. Returns its whole length. */
  endFrame(): number {
    const spliced = this.splicedBytes - this.frameSplicedBefore;
    const bytes = this.length - this.frameAt + spliced;
    if (bytes > INT32_MAX) this.fail(`a frame of ${bytes} bytes is too long`, '');
    this.view.setInt32(this.frameAt, bytes - FRAME_SIZE_BYTES);
    return bytes;
  }

  /** Takes back the frame last started, as when its message could not be encoded. */
  dropFrame(): void {
    let kept = this.splices.length;
    while (kept > 0 && (this.splicePositions[kept - 1] as number) > this.frameAt) kept--;
    this.splices.length = kept;
    this.splicePositions.length = kept;
    this.splicedBytes = this.frameSplicedBefore;
    this.length = this.frameAt;
  }

  /** Hands everything written to the sink, in order, and starts anew. */
  emit(sink: Sink): void {
    const share = this.length >= SHARE_BYTES_MIN;
    let from = 0;
    for (let i = 0; i < this.splices.length; i++) {
      const slice = this.splices[i] as Slice; // i is inside the array
      const to = this.splicePositions[i] as number; // as long as splices
      if (to > from) this.emitChunk(sink, share, from, to);
      sink.writeShared(slice.buffer, slice.start, slice.end, slice.lease);
      from = to;
    }
    if (this.length > from) this.emitChunk(sink, share, from, this.length);
    if (share) this.newChunk(CHUNK_BYTES_INITIAL);
    this.reset();
  }

  /** Everything written as one copy: for tests and for callers that need the bytes in one piece. */
  toBuffer(): Buffer {
    const whole = Buffer.allocUnsafe(this.size);
    let from = 0;
    let at = 0;
    this.splices.forEach((slice, i) => {
      const to = this.splicePositions[i] as number; // as long as splices
      at += this.chunk.copy(whole, at, from, to);
      at += slice.buffer.copy(whole, at, slice.start, slice.end);
      from = to;
    });
    this.chunk.copy(whole, at, from, this.length);
    return whole;
  }

  bool(value: boolean): void {
    const at = this.reserve(1);
    this.chunk[at] = value ? 1 : 0;
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) this.fail(`${value} is no int8`, '');
    const at = this.reserve(1);
    this.chunk[at] = value;
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) this.fail(`${value} is no int16`, '');
    const at = this.reserve(2);
    this.view.setInt16(at, value);
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) this.fail(`${value} is no uint16`, '');
    const at = this.reserve(2);
    this.view.setUint16(at, value);
  }

  int32(value: number): void {
    if ((value | 0) !== value) this.fail(`${value} is no int32`, '');
    const at = this.reserve(4);
    this.view.setInt32(at, value);
  }

  /** Numbers beyond int64 become its largest or smallest value. */
  int64(value: number): void {
    const at = this.reserve(8);
    const high = Math.floor(value / TWO_32);
    if (high > INT32_MAX) {
      this.view.setInt32(at, INT32_MAX);
      this.view.setInt32(at + 4, -1);
    } else if (high < INT32_MIN) {
      this.view.setInt32(at, INT32_MIN);
      this.view.setInt32(at + 4, 0);
    } else {
      this.view.setInt32(at, high);
      this.view.setUint32(at + 4, value - high * TWO_32);
    }
  }

  float64(value: number): void {
    const at = this.reserve(8);
    this.view.setFloat64(at, value);
  }

  uuid(value: Buffer): void {
    if (value.length !== 16) this.fail(`a uuid has 16 bytes, not ${value.length}`, '');
    const at = this.reserve(16);
    value.copy(this.chunk, at);
  }

  uvarint(value: number): void {
    if (value < 0x80) {
      const at = this.reserve(1);
      this.chunk[at] = value;
      return;
    }
    const at = this.reserve(uvarintBytes(value));
    putUvarint(this.chunk, at, value);
  }

  string(flexible: boolean, value: string): void {
    if (value.length <= SHORT_STRING_MAX) {
      this.shortString(flexible, value);
      return;
    }
    const bytes = Buffer.byteLength(value);
    if (flexible) this.uvarint(bytes + 1);
    else if (bytes > 0x7fff) this.fail(`a string of ${bytes} bytes is too long`, '');
    else this.int16(bytes);
    const at = this.reserve(bytes);
    this.chunk.write(value, at);
  }

  nullableString(flexible: boolean, value: string | null): void {
    if (value !== null) this.string(flexible, value);
    else if (flexible) this.uvarint(0);
    else this.int16(-1);
  }

  bytes(flexible: boolean, value: Buffer): void {
    this.byteCount(flexible, value.length);
    const at = this.reserve(value.length);
    value.copy(this.chunk, at);
  }

  nullableBytes(flexible: boolean, value: Buffer | null): void {
    if (value !== null) this.bytes(flexible, value);
    else this.byteCount(flexible, -1);
  }

  nullableRecords(flexible: boolean, value: RecordsOut | null): void {
    if (value !== null) this.records(flexible, value);
    else this.byteCount(flexible, -1);
  }

  /** Splices record batches in: the slices are sent from where they are. */
  records(flexible: boolean, value: RecordsOut): void {
    this.byteCount(flexible, value.bytes);
    let bytes = 0;
    for (const slice of value.slices) {
      if (slice.end === slice.start) continue;
      bytes += slice.end - slice.start;
      this.splices.push(slice);
      this.splicePositions.push(this.length);
    }
    this.splicedBytes += bytes;
    assert(bytes === value.bytes, 'the slices are not as long as they say together');
  }

  arrayCount(flexible: boolean, count: number): void {
    if (flexible) this.uvarint(count + 1);
    else this.int32(count);
  }

  nullArray(flexible: boolean): void {
    if (flexible) this.uvarint(0);
    else this.int32(-1);
  }

  /** Marker before a nullable struct. */
  present(present: boolean): void {
    this.int8(present ? 1 : -1);
  }

  /** The value itself; refuses null in a version that cannot say null there. */
  required<T>(value: T | null, field: string): T {
    if (value === null) this.fail('null cannot be said in this version', field);
    return value;
  }

  /** Begins one tagged field; returns what closeTag takes. */
  openTag(tag: number): number {
    this.uvarint(tag);
    return this.reserve(1);
  }

  /** Writes the size of the tagged field, moving its value when the size takes more than the one byte kept for it. */
  closeTag(at: number): void {
    const size = this.length - at - 1;
    const extra = uvarintBytes(size) - 1;
    if (extra > 0) {
      this.reserve(extra);
      this.chunk.copyWithin(at + 1 + extra, at + 1, at + 1 + size);
    }
    putUvarint(this.chunk, at, size);
  }

  /** At most 126 bytes of UTF-8, so that a compact length takes one byte. */
  private shortString(flexible: boolean, value: string): void {
    const lengthBytes = flexible ? 1 : 2;
    const at = this.reserve(lengthBytes + value.length * 3);
    const from = at + lengthBytes;
    const bytes = this.putAscii(value, from) ? value.length : this.chunk.write(value, from);
    if (flexible) this.chunk[at] = bytes + 1;
    else this.view.setInt16(at, bytes);
    this.length = from + bytes;
  }

  /** Stores a tiny string of ASCII; false when it is something else. */
  private putAscii(value: string, at: number): boolean {
    if (value.length > TINY_STRING_MAX) return false;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return false;
      this.chunk[at + i] = code;
    }
    return true;
  }

  private byteCount(flexible: boolean, bytes: number): void {
    if (flexible) this.uvarint(bytes + 1);
    else this.int32(bytes);
  }

  /** Makes room for bytes and returns where they begin. */
  private reserve(bytes: number): number {
    const at = this.length;
    if (at + bytes > this.chunk.length) this.grow(at + bytes);
    this.length = at + bytes;
    return at;
  }

  private grow(bytes: number): void {
    const full = this.chunk;
    this.newChunk(Math.max(bytes, full.length * 2));
    full.copy(this.chunk, 0, 0, this.length);
  }

  private newChunk(bytes: number): void {
    this.chunk = Buffer.allocUnsafeSlow(bytes);
    this.view = viewOf(this.chunk);
  }

  private emitChunk(sink: Sink, share: boolean, from: number, to: number): void {
    if (share) sink.writeShared(this.chunk, from, to, null);
    else sink.write(this.chunk, from, to);
  }
}

const viewOf = (chunk: Buffer): DataView =>
  new DataView(chunk.buffer, chunk.byteOffset, chunk.length);

function uvarintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

function putUvarint(buffer: Buffer, at: number, value: number): void {
  let rest = value;
  let position = at;
  while (rest >= 0x80) {
    buffer[position++] = (rest & 0x7f) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  buffer[position] = rest;
}
