import { LyrebirdError } from '../../../base/errors.ts';

/*
 * Every request and response travels in a frame:
 *
 *   size    int32   bytes that follow
 *   header          see headers.ts
 *   body            a message of the API and version that the header names
 */

/** Bytes of the size field, which does not count itself. */
export const FRAME_SIZE_BYTES = 4;

/** Default for the largest frame accepted, as in Kafka (socket.request.max.bytes). */
export const FRAME_BYTES_MAX = 100 * 1024 * 1024;

/** The smallest request: api key, api version and correlation id. */
const FRAME_BYTES_MIN = 8;

/**
 * The size of the request frame that begins at start, without the size field; -1 while fewer than four bytes are
 * there. Throws LB5002 for a size that no request can have or that is above maxBytes.
 */
export function readFrameSize(
  buffer: Buffer,
  start: number,
  end: number,
  maxBytes: number,
): number {
  if (end - start < FRAME_SIZE_BYTES) return -1;
  const size = buffer.readInt32BE(start);
  if (size < FRAME_BYTES_MIN || size > maxBytes) {
    throw new LyrebirdError(
      'LB5002',
      `frame of ${size} bytes; ${FRAME_BYTES_MIN} to ${maxBytes} are accepted`,
      {
        details: { size, maxBytes },
      },
    );
  }
  return size;
}
