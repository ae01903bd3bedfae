import type { Reader } from './codec/reader.ts';

/** API key, version and correlation id: no request is shorter. */
export const FRAME_HEADER_BYTES_MIN = 8;

/** Longest client id that is remembered; longer ones are decoded every time. */
const REMEMBERED_BYTES_MAX = 256;

/** Reads client ids without making a string per request: a client sends the same one every time. */
export class ClientIdCache {
  private readonly bytes = Buffer.alloc(REMEMBERED_BYTES_MAX);
  private length = -1;
  private text = '';

  /** Reads the header's client id (a string with a 2-byte length in every version); '' for null. */
  read(reader: Reader): string {
    const start = reader.position;
    if (reader.remaining < 2) return reader.nullableString(false, 'clientId') ?? '';
    const length = reader.buffer.readInt16BE(start);
    if (length >= 0 && length === this.length && reader.remaining >= 2 + length) {
      const from = start + 2;
      if (reader.buffer.compare(this.bytes, 0, length, from, from + length) === 0) {
        reader.position = from + length;
        return this.text;
      }
    }
    const text = reader.nullableString(false, 'clientId') ?? '';
    if (length >= 0 && length <= REMEMBERED_BYTES_MAX) {
      reader.buffer.copy(this.bytes, 0, start + 2, start + 2 + length);
      this.length = length;
      this.text = text;
    }
    return text;
  }
}

/** What the first bytes of other protocols look like when read as a size. */
const STRANGERS: readonly { readonly prefix: Buffer; readonly what: string }[] = [
  { prefix: Buffer.from('GET '), what: 'an HTTP request' },
  { prefix: Buffer.from('POST'), what: 'an HTTP request' },
  { prefix: Buffer.from('PUT '), what: 'an HTTP request' },
  { prefix: Buffer.from('HEAD'), what: 'an HTTP request' },
  { prefix: Buffer.from('AMQP'), what: 'an AMQP client' },
  { prefix: Buffer.from('CONN'), what: 'a STOMP or NATS client' },
  { prefix: Buffer.from([0x16, 0x03]), what: 'a TLS handshake on a listener without TLS' },
];

/** Words for a frame size that cannot be. */
export function describeBadSize(buffer: Buffer, at: number, end: number, max: number): string {
  for (const { prefix, what } of STRANGERS) {
    const until = at + prefix.length;
    if (until <= end && buffer.compare(prefix, 0, prefix.length, at, until) === 0) {
      return `the bytes look like ${what}`;
    }
  }
  const size = buffer.readInt32BE(at);
  return size < FRAME_HEADER_BYTES_MIN
    ? `a request of ${size} bytes is too short`
    : `a request of ${size} bytes is larger than ${max} (kafka.request_bytes_max)`;
}
