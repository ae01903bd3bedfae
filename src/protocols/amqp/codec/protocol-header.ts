/*
 * What a client sends first: `AMQP`, then four octets.
 *
 *   0 0 9 1     AMQP 0-9-1
 *   1 1 0 9     AMQP 0-9, which is served as 0-9-1
 *   1 1 9 1     0-9-1 as old clients of 0-8 say it
 *   0 1 0 0     AMQP 1.0          2 1 0 0   AMQP 1.0 with TLS          3 1 0 0   AMQP 1.0 with SASL
 */

export const PROTOCOL_HEADER_BYTES = 8;
/** Sent as it is by a client; sent back by a server that does not speak what the client asked for. */
export const PROTOCOL_HEADER = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1]);

export type DetectedProtocol =
  /** More bytes are needed. */
  | 'incomplete'
  | 'amqp-0-9-1'
  | 'amqp-0-9'
  | 'amqp-1-0'
  | 'amqp-1-0-tls'
  | 'amqp-1-0-sasl'
  /** Some other version of AMQP. */
  | 'amqp-other'
  /** A TLS client hello: the client takes this for a TLS port. */
  | 'tls'
  | 'http'
  | 'unknown';

const VERSIONS: readonly (readonly [number, DetectedProtocol])[] = [
  [0x0000_0901, 'amqp-0-9-1'],
  [0x0101_0009, 'amqp-0-9'],
  [0x0101_0901, 'amqp-0-9'],
  [0x0001_0000, 'amqp-1-0'],
  [0x0201_0000, 'amqp-1-0-tls'],
  [0x0301_0000, 'amqp-1-0-sasl'],
];
const HTTP_BEGINNINGS = ['GET ', 'HEAD', 'POST', 'PUT ', 'DELE', 'OPTI', 'PATC', 'CONN', 'PRI '];
const AMQP = 'AMQP';

/** Tells from the first bytes of a connection, [start, end), what the client speaks. */
export function detectProtocol(buffer: Buffer, start: number, end: number): DetectedProtocol {
  const size = end - start;
  if (size === 0) return 'incomplete';
  const beginning = buffer.toString('latin1', start, Math.min(end, start + 4));
  if (beginning === AMQP) {
    if (size < PROTOCOL_HEADER_BYTES) return 'incomplete';
    const version = buffer.readUInt32BE(start + 4);
    return VERSIONS.find(([number]) => number === version)?.[1] ?? 'amqp-other';
  }
  if (buffer[start] === 0x16) return detectTls(buffer, start, size);
  if (size < 4) {
    const possible = [AMQP, ...HTTP_BEGINNINGS].some((word) => word.startsWith(beginning));
    return possible ? 'incomplete' : 'unknown';
  }
  return HTTP_BEGINNINGS.includes(beginning) ? 'http' : 'unknown';
}

/** A handshake record (22) of TLS (major version 3) whose message is a client hello (1). */
function detectTls(buffer: Buffer, start: number, size: number): DetectedProtocol {
  if (size > 1 && buffer[start + 1] !== 3) return 'unknown';
  if (size < 6) return 'incomplete';
  return buffer[start + 5] === 1 ? 'tls' : 'unknown';
}
