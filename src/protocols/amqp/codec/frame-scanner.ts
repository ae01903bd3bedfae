import { frameError, type AmqpCodecError } from './codec-error.ts';
import { FRAME_END, FRAME_HEADER_BYTES, FRAME_OVERHEAD_BYTES } from './frame.ts';

/** scan found no whole frame: present what is left again with more behind it. */
export const SCAN_INCOMPLETE = -1;
/** scan found bytes that are no frame: see `error`. */
export const SCAN_FAILED = -2;

/**
 * Finds frames in what a connection has received. Works on the caller's buffer and allocates nothing:
 *
 *   for (let at = start; ; at = next) {
 *     const next = scanner.scan(buffer, at, end);
 *     if (next < 0) ...
 *     scanner.type, .channel, and the payload in [scanner.start, scanner.end)
 *   }
 */
export class FrameScanner {
  type = 0;
  channel = 0;
  /** The payload. */
  start = 0;
  end = 0;
  /** After SCAN_INCOMPLETE: bytes, from the position on, with which another scan makes sense. */
  bytesWanted = 0;
  /** After SCAN_FAILED. */
  error: AmqpCodecError | null = null;
  /**
   * Largest frame to accept, header and end octet included; where 0 was agreed, a limit of one's own. As RabbitMQ does, a frame may exceed it by its own
   * overhead: several clients count wrongly.
   */
  frameBytesMax: number;

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax;
  }

  /** Looks at what begins at `at`. Returns where the next frame begins, or one of the constants above. */
  scan(buffer: Buffer, at: number, end: number): number {
    if (end - at < FRAME_HEADER_BYTES) {
      this.bytesWanted = FRAME_OVERHEAD_BYTES;
      return SCAN_INCOMPLETE;
    }
    // The bytes are there: checked right above.
    this.type = buffer[at] as number;
    this.channel = ((buffer[at + 1] as number) << 8) | (buffer[at + 2] as number);
    const payloadBytes =
      (((buffer[at + 3] as number) << 24) |
        ((buffer[at + 4] as number) << 16) |
        ((buffer[at + 5] as number) << 8) |
        (buffer[at + 6] as number)) >>>
      0;
    if (payloadBytes > this.frameBytesMax) return this.failTooLarge(buffer, at, payloadBytes);
    const payloadStart = at + FRAME_HEADER_BYTES;
    const payloadEnd = payloadStart + payloadBytes;
    if (payloadEnd >= end) {
      this.bytesWanted = payloadBytes + FRAME_OVERHEAD_BYTES;
      return SCAN_INCOMPLETE;
    }
    this.start = payloadStart;
    this.end = payloadEnd;
    if (buffer[payloadEnd] !== FRAME_END) return this.failEnd(buffer);
    return payloadEnd + 1;
  }

  /** classId << 16 | methodId of the method frame that was found; 0, which is none, when its payload is too short. */
  methodId(buffer: Buffer): number {
    return this.end - this.start < 4 ? 0 : buffer.readUInt32BE(this.start);
  }

  private failTooLarge(buffer: Buffer, at: number, payloadBytes: number): number {
    const allowed = this.frameBytesMax - FRAME_OVERHEAD_BYTES;
    this.start = this.end = at;
    this.error = frameError(
      { type: this.type, buffer, start: at, end: at },
      `{frame_too_large,${payloadBytes},${allowed}}`,
    );
    return SCAN_FAILED;
  }

  private failEnd(buffer: Buffer): number {
    const { type, start, end } = this;
    this.error = frameError(
      { type, buffer, start, end },
      `{invalid_frame_end_marker,${buffer[end] ?? 0}}`,
    );
    return SCAN_FAILED;
  }
}
