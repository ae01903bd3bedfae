import type { AmqpChannel } from './channel.ts';
import {
  CONTENT_PREFIX_BYTES,
  FRAME,
  FRAME_END,
  FRAME_HEADER_BYTES,
  FRAME_OVERHEAD_BYTES,
} from './codec/frame.ts';
import { BASIC_PUBLISH } from './codec/generated/basic.ts';
import { REPLY_CODE } from './codec/generated/reply-codes.ts';
import { AmqpError, notImplemented, preconditionFailed } from './errors.ts';
import { IncomingContent } from './incoming-content.ts';
import { publish } from './publish.ts';

/*
 * A publish is a method frame, a header frame and, unless the body is empty, body frames. Mostly they lie behind each
 * other in what was read, with one body frame: then nothing is copied. Else the parts are collected.
 *
 *   | method publish | header | body |
 *                    ^ next
 */

/** Bytes of the body in the payload of a header frame, from its start on. */
const BODY_BYTES_AT = 4;

/** Works on basic.publish, arguments [from, to). Returns where the frame behind all that it used begins. */
export function publishMethod(
  channel: AmqpChannel,
  buffer: Buffer,
  at: { readonly from: number; readonly to: number; readonly next: number; readonly end: number },
): number {
  const { names, scratch } = channel.services;
  const { publish: method, request } = scratch;
  method.parse(buffer, at.from, at.to);
  if (method.immediate) throw notImplemented('immediate=true');
  request.exchange = names.intern(buffer, method.exchangeStart, method.exchangeEnd);
  request.routingKey = names.intern(buffer, method.routingKeyStart, method.routingKeyEnd);
  request.mandatory = method.mandatory;
  const behind = wholeContent(channel, buffer, at.next, at.end);
  if (behind > 0) {
    // What fails now fails for this publish alone: its frames are used up either way.
    publishGuarded(channel);
    return behind;
  }
  const { exchange, routingKey, mandatory } = request;
  channel.content = new IncomingContent({ exchange, routingKey, mandatory });
  return at.next;
}

function publishGuarded(channel: AmqpChannel): void {
  try {
    publish(channel, channel.services.scratch.request);
  } catch (error) {
    channel.connection.failed(channel, BASIC_PUBLISH, error);
  }
}

/** Takes header and body when they follow in one piece: returns where the next frame begins, else 0. */
function wholeContent(channel: AmqpChannel, buffer: Buffer, next: number, end: number): number {
  const { header, request } = channel.services.scratch;
  const headerBytes = payloadBytes(channel, FRAME.header, buffer, next, end);
  if (headerBytes < CONTENT_PREFIX_BYTES) return 0;
  const headerStart = next + FRAME_HEADER_BYTES;
  const headerEnd = headerStart + headerBytes;
  const bodyFrame = headerEnd + 1;
  // A body of 4 GiB or more is for the other path to refuse.
  if (buffer.readUInt32BE(headerStart + BODY_BYTES_AT) !== 0) return 0;
  const bodyBytes = buffer.readUInt32BE(headerStart + BODY_BYTES_AT + 4);
  if (bodyBytes === 0) {
    header.parse(buffer, headerStart, headerEnd);
    request.body = buffer;
    request.bodyStart = request.bodyEnd = bodyFrame;
    return bodyFrame;
  }
  if (payloadBytes(channel, FRAME.body, buffer, bodyFrame, end) !== bodyBytes) return 0;
  header.parse(buffer, headerStart, headerEnd);
  request.body = buffer;
  request.bodyStart = bodyFrame + FRAME_HEADER_BYTES;
  request.bodyEnd = request.bodyStart + bodyBytes;
  return request.bodyEnd + 1;
}

/** Payload of a well-formed frame of that type on this channel that begins at `at`; -1 when none does. */
function payloadBytes(
  channel: AmqpChannel,
  type: number,
  buffer: Buffer,
  at: number,
  end: number,
): number {
  if (end - at < FRAME_OVERHEAD_BYTES) return -1;
  if (buffer[at] !== type) return -1;
  if (buffer.readUInt16BE(at + 1) !== channel.number) return -1;
  const bytes = buffer.readUInt32BE(at + 3);
  if (bytes > channel.connection.scanner.frameBytesMax) return -1;
  const last = at + FRAME_HEADER_BYTES + bytes;
  return last < end && buffer[last] === FRAME_END ? bytes : -1;
}

/** A header frame for a publish that came in parts. */
export function contentHeader(
  channel: AmqpChannel,
  buffer: Buffer,
  start: number,
  end: number,
): void {
  const { services, connection, content } = channel;
  if (content === null || content.header !== null) throw unexpected('body', 'non content body');
  const { header } = services.scratch;
  header.parse(buffer, start, end);
  const { messageBytesMax } = services.config;
  if (header.bodyBytes > messageBytesMax) {
    throw preconditionFailed(
      `message size ${header.bodyBytes} is larger than configured max size ${messageBytesMax}`,
    );
  }
  content.bodyBytes = header.bodyBytes;
  content.header = Buffer.from(buffer.subarray(start, end));
  connection.held(content.heldBytes);
  if (content.complete) publishCollected(channel, content);
}

export function contentBody(
  channel: AmqpChannel,
  buffer: Buffer,
  start: number,
  end: number,
): void {
  const { connection, content } = channel;
  if (content === null || content.header === null) {
    throw unexpected('header for class 60', 'non content header');
  }
  const heldBefore = content.heldBytes;
  if (!content.add(buffer, start, end)) throw unexpected('body', 'non content body');
  connection.held(content.heldBytes - heldBefore);
  if (content.complete) publishCollected(channel, content);
}

function publishCollected(channel: AmqpChannel, content: IncomingContent): void {
  const { request, header } = channel.services.scratch;
  channel.content = null;
  channel.connection.held(-content.heldBytes);
  const { header: payload } = content;
  if (payload === null) return;
  header.parse(payload, 0, payload.length);
  request.exchange = content.target.exchange;
  request.routingKey = content.target.routingKey;
  request.mandatory = content.target.mandatory;
  request.body = content.body;
  request.bodyStart = 0;
  request.bodyEnd = content.received;
  publish(channel, request);
}

const unexpected = (expected: string, got: string): AmqpError =>
  new AmqpError(
    REPLY_CODE.UNEXPECTED_FRAME,
    `expected content ${expected}, got ${got} frame instead`,
  );
