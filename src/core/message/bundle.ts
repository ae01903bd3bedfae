import {
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_OVERHEAD,
  BATCH_MAGIC,
  computeBatchCrc,
  writeInt64,
} from '../../base/record-batch.ts';
import { varintBytes, writeVarint } from '../../base/varint.ts';
import { type Delay, type EnvelopeWriter, copyBytes } from './envelope.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { Message } from './message.ts';

/** In the baseSequence of a batch's header: its records are messages in envelopes, not a producer's. */
export const BUNDLE_MARK = -2;

/** Record attributes, timestamp delta, offset delta and the count of headers take at most this much. */
const RECORD_OVERHEAD_MAX = 32;

/**
 * Messages for one set of queues on their way into their logs: a record batch that grows. It may be read while it
 * grows; `buffer` changes when it does. Whoever keeps it is counted: with the last one its memory goes back.
 */
export class Bundle {
  buffer: Buffer;
  /** Messages so far. */
  count = 0;
  /** End of the batch so far. */
  end = BATCH_HEADER_BYTES;
  baseTimestamp = -1;
  bodyBytes = 0;
  persistentCount = 0;
  /** Messages with a time to live of their own. */
  deadlineCount = 0;
  /** No more messages are taken. */
  sealed = false;
  holders = 0;
  private maxTimestamp = -1;
  private keptBytes = 0;
  private readonly pool: BufferPool;

  constructor(pool: BufferPool) {
    this.pool = pool;
    this.buffer = pool.take(0);
  }

  add(message: Message, writer: EnvelopeWriter, delay: Delay | null): void {
    const envelopeBytes = writer.measure(message, delay);
    const bodyBytes = message.bodyEnd - message.bodyStart;
    if (this.count === 0) this.baseTimestamp = message.publishedMs;
    if (message.publishedMs > this.maxTimestamp) this.maxTimestamp = message.publishedMs;
    const timestampDelta = message.publishedMs - this.baseTimestamp;
    let length = 2 + varintBytes(timestampDelta) + varintBytes(this.count);
    length += varintBytes(envelopeBytes) + envelopeBytes + varintBytes(bodyBytes) + bodyBytes;
    const needed = this.end + length + RECORD_OVERHEAD_MAX;
    if (needed > this.buffer.length) this.grow(needed);
    const out = this.buffer;
    let at = writeVarint(out, length, this.end);
    out[at++] = 0;
    at = writeVarint(out, timestampDelta, at);
    at = writeVarint(out, this.count, at);
    at = writeVarint(out, envelopeBytes, at);
    at = writer.write(message, out, at);
    at = writeVarint(out, bodyBytes, at);
    at = copyBytes(message.body, message.bodyStart, message.bodyEnd, out, at);
    out[at++] = 0;
    this.end = at;
    this.count++;
    this.bodyBytes += bodyBytes;
    if (message.persistent) this.persistentCount++;
    if (message.ttlMs >= 0) this.deadlineCount++;
  }

  /** Writes the batch's header. checksum: it goes to a durable log. */
  finish(options: { readonly checksum: boolean }): void {
    const out = this.buffer;
    writeInt64(out, 0, 0);
    out.writeInt32BE(this.end - BATCH_LENGTH_OVERHEAD, 8);
    out.writeInt32BE(-1, 12);
    out[16] = BATCH_MAGIC;
    out.writeUInt32BE(0, 17);
    out.writeInt16BE(0, 21);
    out.writeInt32BE(this.count - 1, 23);
    writeInt64(out, this.baseTimestamp, 27);
    writeInt64(out, this.maxTimestamp, 35);
    writeInt64(out, -1, 43);
    out.writeInt16BE(-1, 51);
    out.writeInt32BE(BUNDLE_MARK, 53);
    out.writeInt32BE(this.count, 57);
    if (options.checksum) out.writeUInt32BE(computeBatchCrc(out, 0, this.end), 17);
  }

  /** It stays in memory for as long as somebody holds it: moves to a buffer of just its size, and is counted. */
  keep(): void {
    if (this.buffer.length > this.end * 1.25) {
      const exact = Buffer.allocUnsafe(this.end);
      this.buffer.copy(exact, 0, 0, this.end);
      this.pool.give(this.buffer);
      this.buffer = exact;
    }
    this.keptBytes = this.buffer.length;
    this.pool.keptBytes += this.keptBytes;
  }

  release(): void {
    this.holders--;
    if (this.holders > 0) return;
    this.pool.keptBytes -= this.keptBytes;
    this.pool.give(this.buffer);
    this.buffer = NOTHING;
  }

  private grow(needed: number): void {
    const grown = this.pool.take(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.end);
    this.pool.give(this.buffer);
    this.buffer = grown;
  }
}

const NOTHING = Buffer.alloc(0);
