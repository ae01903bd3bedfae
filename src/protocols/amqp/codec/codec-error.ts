import { LyrebirdError } from '../../../base/errors.ts';
import { REPLY_CODE, REPLY_CODE_NAMES, type ReplyCode } from './generated/reply-codes.ts';

/** A reply text is a short string. */
const REPLY_TEXT_BYTES_MAX = 255;
/** Bytes of a fault that can show in a reply text; more would be cut off anyway. */
const SHOWN_BYTES_MAX = 128;
const SNIPPET_BYTES = 16;

/**
 * The only error that reading throws: the bytes are not what AMQP says. Fatal for the connection, because
 * nothing after the fault can be trusted. replyCode and replyText go into connection.close as they are.
 */
export class AmqpCodecError extends LyrebirdError {
  override readonly name = 'AmqpCodecError';
  readonly replyCode: ReplyCode;
  readonly replyText: string;

  constructor(replyCode: ReplyCode, explanation: string) {
    const text = replyText(replyCode, explanation);
    super('LB5002', text, { details: { replyCode } });
    this.replyCode = replyCode;
    this.replyText = text;
  }
}

/** `NOT_FOUND - no queue 'q' in vhost '/'`, no longer than a short string can be. */
export function replyText(replyCode: ReplyCode, explanation: string): string {
  const text = `${REPLY_CODE_NAMES[replyCode]} - ${explanation}`;
  if (Buffer.byteLength(text) <= REPLY_TEXT_BYTES_MAX) return text;
  let kept = text.slice(0, REPLY_TEXT_BYTES_MAX - 3);
  while (Buffer.byteLength(kept) > REPLY_TEXT_BYTES_MAX - 3) kept = kept.slice(0, -1);
  return `${kept}...`;
}

/** The arguments of a method, or the properties of a content header, are malformed. */
export function cannotDecode(buffer: Buffer, start: number, end: number): AmqpCodecError {
  return new AmqpCodecError(
    REPLY_CODE.FRAME_ERROR,
    `cannot decode ${numericBinary(buffer, start, end)}`,
  );
}

/** `type 1, first 16 octets = <<0,10,...>>: {frame_too_large,200000,131064}`, RabbitMQ's words for a bad frame. */
export function frameError(
  frame: {
    readonly type: number;
    readonly buffer: Buffer;
    readonly start: number;
    readonly end: number;
  },
  fault: string,
): AmqpCodecError {
  return new AmqpCodecError(REPLY_CODE.FRAME_ERROR, `${describeFrame(frame)}: ${fault}`);
}

/** A frame that is well formed and out of place. */
export function unexpectedFrame(frame: {
  readonly type: number;
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}): AmqpCodecError {
  return new AmqpCodecError(REPLY_CODE.UNEXPECTED_FRAME, describeFrame(frame));
}

function describeFrame(frame: {
  readonly type: number;
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}): string {
  const { type, buffer, start, end } = frame;
  const all = end - start <= SNIPPET_BYTES;
  const snippet = printedBinary(buffer, start, all ? end : start + SNIPPET_BYTES);
  return `type ${type}, ${all ? 'all' : 'first 16'} octets = ${snippet}`;
}

/** As Erlang writes a binary: text where all of it is printable, else numbers. */
function printedBinary(buffer: Buffer, start: number, end: number): string {
  for (let i = start; i < end; i++) {
    const byte = buffer[i] as number; // inside the frame
    if (byte < 0x20 || byte > 0x7e) return numericBinary(buffer, start, end);
  }
  return start === end ? '<<>>' : `<<${JSON.stringify(buffer.toString('latin1', start, end))}>>`;
}

function numericBinary(buffer: Buffer, start: number, end: number): string {
  return `<<${buffer.subarray(start, Math.min(end, start + SHOWN_BYTES_MAX)).join(',')}>>`;
}
