import { varintBytes, writeVarint } from '../../base/varint.ts';
import type { Death, Message, Origin } from './message.ts';
import { TextCache } from './text-cache.ts';

/**
 * What is stored of a message beside its body: the key of its record (the value is the body, the record's timestamp
 * the time at which it was published).
 *
 *   flags         uint8    1 persistent, 2 priority, 4 ttl, 8 history, 16 further keys, 32 deduplication key,
 *                          64 delayed
 *   origin        uint8    ORIGIN
 *   exchange      text     where text = length varint, UTF-8
 *   routingKey    text
 *   priority      uint8    if flagged
 *   ttlMs         varint   if flagged
 *   deduplication text     if flagged
 *   furtherKeys   text     if flagged: JSON, an array of strings
 *   deaths        text     if flagged: JSON, an array of Death
 *   dueMs         varint   if flagged 64: ms since the Unix epoch
 *   delayedBy     text     if flagged 64: the exchange that routes it when it is due
 *   properties    the rest, exactly as the origin's protocol had them
 *
 * varint as in base/varint.ts.
 */
export const ENVELOPE = {
  persistent: 1,
  priority: 2,
  ttl: 4,
  deaths: 8,
  furtherKeys: 16,
  deduplication: 32,
  delayed: 64,
} as const;

/** When a delayed message is due, and who routes it then. */
export interface Delay {
  readonly dueMs: number;
  readonly exchange: string;
}

const EMPTY = Buffer.alloc(0);

/** A text as bytes, kept for as long as the same text is asked for again. */
class EncodedText {
  bytes: Buffer;
  length = 0;
  private text = '';

  constructor() {
    this.bytes = Buffer.allocUnsafe(256);
  }

  set(text: string): void {
    if (text === this.text) return;
    this.text = text;
    if (text.length * 3 > this.bytes.length) this.bytes = Buffer.allocUnsafe(text.length * 3);
    const { bytes } = this;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) {
        this.length = bytes.write(text, 0);
        return;
      }
      bytes[i] = unit;
    }
    this.length = text.length;
  }
}

/** Writes envelopes. measure() first, then write() of the same message. */
export class EnvelopeWriter {
  private readonly exchange: EncodedText;
  private readonly routingKey: EncodedText;
  private readonly deduplication: EncodedText;
  private readonly delayedBy: EncodedText;
  private delay: Delay | null = null;
  private flags = 0;
  private furtherKeys = EMPTY;
  private deaths = EMPTY;

  constructor() {
    this.exchange = new EncodedText();
    this.routingKey = new EncodedText();
    this.deduplication = new EncodedText();
    this.delayedBy = new EncodedText();
  }

  /** Bytes that the envelope takes. */
  measure(message: Message, delay: Delay | null): number {
    const { exchange, routingKey } = this;
    exchange.set(message.exchange);
    routingKey.set(message.routingKey);
    let bytes = 2 + varintBytes(exchange.length) + exchange.length;
    bytes += varintBytes(routingKey.length) + routingKey.length;
    let flags = message.persistent ? ENVELOPE.persistent : 0;
    if (message.priority >= 0) {
      flags |= ENVELOPE.priority;
      bytes++;
    }
    if (message.ttlMs >= 0) {
      flags |= ENVELOPE.ttl;
      bytes += varintBytes(message.ttlMs);
    }
    if (message.deduplicationKey !== null) {
      flags |= ENVELOPE.deduplication;
      this.deduplication.set(message.deduplicationKey);
      bytes += varintBytes(this.deduplication.length) + this.deduplication.length;
    }
    if (message.furtherKeys !== null) {
      flags |= ENVELOPE.furtherKeys;
      this.furtherKeys = Buffer.from(JSON.stringify(message.furtherKeys));
      bytes += varintBytes(this.furtherKeys.length) + this.furtherKeys.length;
    }
    if (message.deaths !== null) {
      flags |= ENVELOPE.deaths;
      this.deaths = Buffer.from(JSON.stringify(message.deaths));
      bytes += varintBytes(this.deaths.length) + this.deaths.length;
    }
    if (delay !== null) {
      flags |= ENVELOPE.delayed;
      this.delayedBy.set(delay.exchange);
      bytes +=
        varintBytes(delay.dueMs) + varintBytes(this.delayedBy.length) + this.delayedBy.length;
    }
    this.delay = delay;
    this.flags = flags;
    return bytes + message.propertiesEnd - message.propertiesStart;
  }

  /** Returns the position behind the envelope. */
  write(message: Message, out: Buffer, position: number): number {
    const { flags } = this;
    let at = position;
    out[at++] = flags;
    out[at++] = message.origin;
    at = putBytes(out, this.exchange.bytes, this.exchange.length, at);
    at = putBytes(out, this.routingKey.bytes, this.routingKey.length, at);
    if ((flags & ENVELOPE.priority) !== 0) out[at++] = message.priority;
    if ((flags & ENVELOPE.ttl) !== 0) at = writeVarint(out, message.ttlMs, at);
    if ((flags & ENVELOPE.deduplication) !== 0) {
      at = putBytes(out, this.deduplication.bytes, this.deduplication.length, at);
    }
    if ((flags & ENVELOPE.furtherKeys) !== 0) {
      at = putBytes(out, this.furtherKeys, this.furtherKeys.length, at);
    }
    if ((flags & ENVELOPE.deaths) !== 0) at = putBytes(out, this.deaths, this.deaths.length, at);
    if (this.delay !== null) {
      at = writeVarint(out, this.delay.dueMs, at);
      at = putBytes(out, this.delayedBy.bytes, this.delayedBy.length, at);
    }
    const { properties, propertiesStart, propertiesEnd } = message;
    return copyBytes(properties, propertiesStart, propertiesEnd, out, at);
  }
}

/** Reads envelopes into messages. */
export class EnvelopeReader {
  /** Of the delayed message that was read last; -1 and '' when it was not delayed. */
  dueMs = -1;
  delayedBy = '';
  private readonly texts: TextCache;
  private buffer: Buffer = EMPTY;
  private position = 0;
  private end = 0;

  constructor() {
    this.texts = new TextCache();
  }

  /**
   * Reads the envelope [start, end) into message; what is not in it gets its default. Body and time are the
   * record's. False when the bytes are no envelope.
   */
  read(buffer: Buffer, start: number, end: number, message: Message): boolean {
    if (end - start < 4) return false;
    const flags = buffer[start]!;
    this.buffer = buffer;
    this.position = start + 2;
    this.end = end;
    // An origin of a later version is kept: whoever does not know it sees no properties.
    message.origin = buffer[start + 1]! as Origin;
    message.exchange = this.text();
    message.routingKey = this.text();
    message.persistent = (flags & ENVELOPE.persistent) !== 0;
    message.priority = (flags & ENVELOPE.priority) !== 0 ? buffer[this.position++]! : -1;
    message.ttlMs = (flags & ENVELOPE.ttl) !== 0 ? this.varint() : -1;
    message.delayMs = -1;
    message.deduplicationKey = (flags & ENVELOPE.deduplication) !== 0 ? this.text() : null;
    message.furtherKeys = null;
    message.deaths = null;
    if ((flags & ENVELOPE.furtherKeys) !== 0) {
      message.furtherKeys = this.json() as readonly string[] | null;
    }
    if ((flags & ENVELOPE.deaths) !== 0) message.deaths = this.json() as readonly Death[] | null;
    this.dueMs = -1;
    this.delayedBy = '';
    if ((flags & ENVELOPE.delayed) !== 0) {
      this.dueMs = this.varint();
      this.delayedBy = this.text();
    }
    message.properties = buffer;
    message.propertiesStart = this.position;
    message.propertiesEnd = end;
    this.buffer = EMPTY;
    return this.position <= end;
  }

  private text(): string {
    const length = this.varint();
    const start = this.position;
    const end = Math.min(start + length, this.end);
    this.position = start + length;
    return length <= 0 ? '' : this.texts.read(this.buffer, start, end);
  }

  /** null when the text is not JSON. */
  private json(): unknown {
    const length = this.varint();
    const start = this.position;
    this.position += length;
    try {
      return JSON.parse(this.buffer.toString('utf8', start, this.position));
    } catch {
      return null;
    }
  }

  /** A value that is not negative. */
  private varint(): number {
    const { buffer } = this;
    let value = 0;
    let scale = 1;
    while (this.position < this.end) {
      const byte = buffer[this.position++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 128;
    }
    return value % 2 === 0 ? value / 2 : 0;
  }
}

function putBytes(out: Buffer, bytes: Buffer, length: number, position: number): number {
  return copyBytes(bytes, 0, length, out, writeVarint(out, length, position));
}

/** Copies [start, end) to position of out and returns the position behind. Short pieces cost less byte by byte. */
export function copyBytes(
  from: Buffer,
  start: number,
  end: number,
  out: Buffer,
  position: number,
): number {
  if (end - start > 64) {
    from.copy(out, position, start, end);
    return position + end - start;
  }
  let at = position;
  for (let i = start; i < end; i++) out[at++] = from[i]!;
  return at;
}
