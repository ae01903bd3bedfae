import assert from 'node:assert/strict';
import { copyBytes } from './copy-bytes.ts';
import {
  BASIC_CLASS,
  CONTENT_PREFIX_BYTES,
  FRAME,
  FRAME_END,
  FRAME_HEADER_BYTES,
  FRAME_OVERHEAD_BYTES,
} from './frame.ts';
import {
  BASIC_ACK,
  BASIC_DELIVER,
  BASIC_GET_OK,
  BASIC_NACK,
  BASIC_RETURN,
} from './generated/basic.ts';
import { putLong, putLonglong, type Output } from './output.ts';
import type { Lease } from './output-pool.ts';

/** Bodies from this size on are passed by reference when a lease protects them. */
const SHARE_BYTES_MIN = 8 * 1024;
const NO_BUFFER = Buffer.alloc(0);

/**
 * A message as it goes out: ranges of bytes that are copied as they are. One object serves any number of messages,
 * and one message any number of consumers.
 */
export class OutgoingContent {
  /** Exchange and routing key as two short strings: see PublishArguments. */
  routing: Buffer = NO_BUFFER;
  routingStart = 0;
  routingEnd = 0;
  /** The property section: see ContentHeader. */
  section: Buffer = NO_BUFFER;
  sectionStart = 0;
  sectionEnd = 0;
  body: Buffer = NO_BUFFER;
  bodyStart = 0;
  bodyEnd = 0;
  /** Protects the body; null: it is copied. */
  lease: Lease | null = null;
}

/** The beginning of each basic.deliver of one consumer, up to the delivery tag. */
export class DeliverPrefix {
  readonly channel: number;
  readonly bytes: Buffer;
  /** The bytes again, and zeros up to a multiple of four: copied by words, which beats a call for so few. */
  readonly view: DataView;

  constructor(channel: number, consumerTag: string) {
    this.channel = channel;
    const tag = Buffer.from(consumerTag);
    const size = FRAME_HEADER_BYTES + 5 + tag.length;
    this.view = new DataView(new ArrayBuffer((size + 3) & ~3));
    this.bytes = Buffer.from(this.view.buffer, 0, size);
    putFrameHeader(this.bytes, 0, FRAME.method, channel);
    putLong(this.bytes, FRAME_HEADER_BYTES, BASIC_DELIVER);
    this.bytes[FRAME_HEADER_BYTES + 4] = tag.length;
    tag.copy(this.bytes, FRAME_HEADER_BYTES + 5);
  }
}

/** basic.deliver with its content. */
export function writeDelivery(
  output: Output,
  prefix: DeliverPrefix,
  deliveryTag: number,
  redelivered: boolean,
  content: OutgoingContent,
): void {
  const { bytes } = prefix;
  const { routing, routingStart, routingEnd } = content;
  const prefixBytes = bytes.length;
  const frameBytes = prefixBytes + 9 + (routingEnd - routingStart) + 1;
  const at = output.reserve(frameBytes);
  const { memory, view } = output;
  // Up to three bytes too many, where the delivery tag comes next.
  for (let i = 0; i < prefixBytes; i += 4) view.setInt32(at + i, prefix.view.getInt32(i));
  putLong(memory, at + 3, frameBytes - FRAME_OVERHEAD_BYTES);
  putLonglong(memory, at + prefixBytes, deliveryTag);
  memory[at + prefixBytes + 8] = redelivered ? 1 : 0;
  copyBytes(memory, at + prefixBytes + 9, routing, routingStart, routingEnd);
  memory[at + frameBytes - 1] = FRAME_END;
  writeContent(output, prefix.channel, content);
}

/** basic.get-ok with its content. */
export function writeGetOk(
  output: Output,
  channel: number,
  delivery: {
    readonly deliveryTag: number;
    readonly redelivered: boolean;
    readonly messageCount: number;
  },
  content: OutgoingContent,
): void {
  output.beginMethod(channel, BASIC_GET_OK);
  output.longlong(delivery.deliveryTag);
  output.octet(delivery.redelivered ? 1 : 0);
  output.bytes(content.routing, content.routingStart, content.routingEnd);
  output.long(delivery.messageCount);
  output.endFrame();
  writeContent(output, channel, content);
}

/** basic.return with its content. */
export function writeReturn(
  output: Output,
  channel: number,
  reason: { readonly replyCode: number; readonly replyText: string },
  content: OutgoingContent,
): void {
  output.beginMethod(channel, BASIC_RETURN);
  output.short(reason.replyCode);
  output.shortstr(reason.replyText);
  output.bytes(content.routing, content.routingStart, content.routingEnd);
  output.endFrame();
  writeContent(output, channel, content);
}

/** basic.ack: from a server, the confirm of one publish or of all up to it. */
export function writeAck(
  output: Output,
  channel: number,
  deliveryTag: number,
  multiple: boolean,
): void {
  writeSettlement(output, channel, BASIC_ACK, deliveryTag, multiple);
}

/** basic.nack without requeue: from a server, the word that a publish, or all up to it, were not taken. */
export function writeNack(
  output: Output,
  channel: number,
  deliveryTag: number,
  multiple: boolean,
): void {
  writeSettlement(output, channel, BASIC_NACK, deliveryTag, multiple);
}

const SETTLEMENT_BYTES = FRAME_OVERHEAD_BYTES + 13;

function writeSettlement(
  output: Output,
  channel: number,
  id: number,
  deliveryTag: number,
  multiple: boolean,
): void {
  const at = output.reserve(SETTLEMENT_BYTES);
  const { memory } = output;
  putFrameHeader(memory, at, FRAME.method, channel);
  putLong(memory, at + 3, SETTLEMENT_BYTES - FRAME_OVERHEAD_BYTES);
  putLong(memory, at + FRAME_HEADER_BYTES, id);
  putLonglong(memory, at + FRAME_HEADER_BYTES + 4, deliveryTag);
  memory[at + FRAME_HEADER_BYTES + 12] = multiple ? 1 : 0;
  memory[at + SETTLEMENT_BYTES - 1] = FRAME_END;
}

/** Header frame and body frames. */
export function writeContent(output: Output, channel: number, content: OutgoingContent): void {
  const { section, sectionStart, sectionEnd, body, bodyStart, bodyEnd } = content;
  const sectionBytes = sectionEnd - sectionStart;
  const bodyBytes = bodyEnd - bodyStart;
  const headerBytes = FRAME_OVERHEAD_BYTES + CONTENT_PREFIX_BYTES + sectionBytes;
  const at = output.reserve(headerBytes);
  const { memory } = output;
  putFrameHeader(memory, at, FRAME.header, channel);
  putLong(memory, at + 3, CONTENT_PREFIX_BYTES + sectionBytes);
  putLong(memory, at + FRAME_HEADER_BYTES, BASIC_CLASS << 16);
  putLonglong(memory, at + FRAME_HEADER_BYTES + 4, bodyBytes);
  copyBytes(memory, at + headerBytes - 1 - sectionBytes, section, sectionStart, sectionEnd);
  memory[at + headerBytes - 1] = FRAME_END;
  if (bodyBytes > 0) writeBody(output, channel, body, bodyStart, bodyEnd, content.lease);
}

/** Body frames, none of them larger than the peer takes. */
function writeBody(
  output: Output,
  channel: number,
  body: Buffer,
  start: number,
  end: number,
  lease: Lease | null,
): void {
  const payloadBytesMax = output.frameBytesMax - FRAME_OVERHEAD_BYTES;
  if (payloadBytesMax <= 0) assert.fail('frames have room for a payload');
  for (let from = start; from < end;) {
    const size = Math.min(end - from, payloadBytesMax);
    const shared = lease !== null && size >= SHARE_BYTES_MIN;
    const at = output.reserve(FRAME_HEADER_BYTES + (shared ? 0 : size + 1));
    putFrameHeader(output.memory, at, FRAME.body, channel);
    putLong(output.memory, at + 3, size);
    if (shared) {
      output.sharedBytes(body, from, from + size, lease);
      output.octet(FRAME_END);
    } else {
      copyBytes(output.memory, at + FRAME_HEADER_BYTES, body, from, from + size);
      output.memory[at + FRAME_HEADER_BYTES + size] = FRAME_END;
    }
    from += size;
  }
}

function putFrameHeader(memory: Buffer, at: number, type: number, channel: number): void {
  memory[at] = type;
  memory[at + 1] = channel >>> 8;
  memory[at + 2] = channel;
}
