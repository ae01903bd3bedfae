import { RingBuffer } from '../../../base/ring-buffer.ts';
import { ArgumentReader } from '../codec/argument-reader.ts';
import { AmqpCodecError, unexpectedFrame } from '../codec/codec-error.ts';
import { writeAck, writeContent, type OutgoingContent } from '../codec/content-writer.ts';
import { CONTENT_PREFIX_BYTES, FRAME } from '../codec/frame.ts';
import {
  BASIC_ACK,
  BASIC_CANCEL,
  BASIC_DELIVER,
  BASIC_NACK,
  BASIC_RETURN,
  readBasicCancel,
  readBasicReturn,
  writeBasicCancelOk,
  writeBasicNack,
  type BasicReturn,
} from '../codec/generated/basic.ts';
import {
  CHANNEL_CLOSE,
  CHANNEL_FLOW,
  readChannelClose,
  readChannelFlow,
  writeChannelCloseOk,
  writeChannelFlowOk,
} from '../codec/generated/channel.ts';
import { METHODS } from '../codec/generated/methods.ts';
import { REPLY_CODE } from '../codec/generated/reply-codes.ts';
import type { MethodCodec } from '../codec/method-codec.ts';
import type { Output } from '../codec/output.ts';
import { SettleArguments } from '../codec/publish-arguments.ts';
import { refused } from './client-error.ts';
import { Delivery } from './delivery.ts';

/** What happens on a channel beside answers. Called while bytes are being read: it must not throw. */
export interface ChannelListener {
  /** The delivery is valid during the call only. */
  onDelivery(delivery: Delivery): void;
  onReturn(returned: BasicReturn): void;
  /** taken false: the broker did not take the messages. */
  onConfirm(deliveryTag: number, multiple: boolean, taken: boolean): void;
  /** The broker ended a consumer: its queue is gone. */
  onCancel(consumerTag: string): void;
  /** More may be published now, or not. */
  onFlow(): void;
  /** The channel is no more. */
  onFailure(error: Error): void;
}

const NO_LISTENER: ChannelListener = {
  onDelivery: () => {},
  onReturn: () => {},
  onConfirm: () => {},
  onCancel: () => {},
  onFlow: () => {},
  onFailure: () => {},
};

/** Where a channel writes; the connection. */
export interface ChannelHost {
  readonly output: Output;
  readonly timeoutMs: number;
  /** What was written goes out at the end of the turn. */
  scheduleFlush(): void;
  /** The channel is closed on both sides. */
  forget(channel: AmqpChannel): void;
}

interface Pending {
  readonly replyId: number;
  /** What was asked, for the messages of errors. */
  readonly what: string;
  readonly deadlineMs: number;
  readonly resolve: (reader: ArgumentReader) => void;
  readonly reject: (error: Error) => void;
}

type Arriving = 'nothing' | 'delivery' | 'return';

const TWO_32 = 0x1_0000_0000;

/** One channel of a connection. Methods that are answered may follow each other without waiting. */
export class AmqpChannel {
  readonly number: number;
  /** What an error that nobody asked for is said to be about. */
  subject = 'the channel';
  listener: ChannelListener = NO_LISTENER;
  /** channel.flow: false while the broker wants nothing published. */
  flowing = true;
  private readonly host: ChannelHost;
  private readonly pending = new RingBuffer<Pending>(4);
  private readonly reader = new ArgumentReader(Buffer.alloc(0));
  private readonly settled = new SettleArguments();
  private readonly delivery = new Delivery();
  private returned: BasicReturn | null = null;
  private arriving: Arriving = 'nothing';
  /** The header frame of what arrives has come. */
  private hasHeader = false;
  private bodyBytesLeft = 0;
  private readonly bodyParts: Buffer[] = [];
  private closedBy: Error | null = null;

  constructor(number: number, host: ChannelHost) {
    this.number = number;
    this.host = host;
  }

  get closed(): boolean {
    return this.closedBy !== null;
  }

  /** When the oldest unanswered method should have been answered; Infinity when all are. */
  get deadlineMs(): number {
    return this.pending.peek()?.deadlineMs ?? Infinity;
  }

  get waitsFor(): string {
    return this.pending.peek()?.what ?? '';
  }

  /** Sends a method and resolves with its answer. what: for the message of an error. */
  call<Request, Reply>(
    method: MethodCodec<Request>,
    request: Request,
    reply: MethodCodec<Reply>,
    what: string,
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.closedBy !== null) return reject(this.closedBy);
      method.write(this.host.output, this.number, request);
      this.host.scheduleFlush();
      this.pending.push({
        replyId: reply.id,
        what,
        deadlineMs: performance.now() + this.host.timeoutMs,
        resolve: (reader) => resolve(reply.read(reader)),
        reject,
      });
    });
  }

  /** method: the frame that publishFrame made. Nothing is sent when the channel is closed. */
  publish(method: Buffer, content: OutgoingContent): void {
    if (this.closedBy !== null) return;
    const { output } = this.host;
    output.bytes(method, 0, method.length);
    writeContent(output, this.number, content);
    this.host.scheduleFlush();
  }

  ack(deliveryTag: number, multiple: boolean): void {
    if (this.closedBy !== null) return;
    writeAck(this.host.output, this.number, deliveryTag, multiple);
    this.host.scheduleFlush();
  }

  /** Gives a delivery, or all up to it, back to the queue. */
  requeue(deliveryTag: number, multiple: boolean): void {
    if (this.closedBy !== null) return;
    const nack = { deliveryTag, multiple, requeue: true };
    writeBasicNack(this.host.output, this.number, nack);
    this.host.scheduleFlush();
  }

  async close(): Promise<void> {
    if (this.closedBy !== null) return;
    const goodbye = { replyCode: REPLY_CODE.REPLY_SUCCESS, replyText: '', classId: 0, methodId: 0 };
    const { ChannelClose, ChannelCloseOk } = METHODS;
    const answered = this.call(ChannelClose, goodbye, ChannelCloseOk, 'channel.close');
    this.closedBy = refused(this.subject, REPLY_CODE.CHANNEL_ERROR, 'the channel is closed');
    await answered;
    this.host.forget(this);
  }

  /** The connection found a method; the arguments are [start, end). */
  onMethod(id: number, buffer: Buffer, start: number, end: number): void {
    switch (id) {
      case BASIC_DELIVER:
        this.delivery.parseMethod(buffer, start, end);
        this.expectContent('delivery');
        return;
      case BASIC_ACK:
        this.settled.parseAck(buffer, start, end);
        this.listener.onConfirm(this.settled.deliveryTag, this.settled.multiple, true);
        return;
      case BASIC_NACK:
        this.settled.parseNack(buffer, start, end);
        this.listener.onConfirm(this.settled.deliveryTag, this.settled.multiple, false);
        return;
      default:
        this.onRareMethod(id, buffer, start, end);
    }
  }

  onHeader(buffer: Buffer, start: number, end: number): void {
    if (this.arriving === 'nothing' || this.hasHeader || end - start < CONTENT_PREFIX_BYTES + 2) {
      throw unexpectedFrame({ type: FRAME.header, buffer, start, end });
    }
    this.hasHeader = true;
    this.bodyBytesLeft = buffer.readUInt32BE(start + 4) * TWO_32 + buffer.readUInt32BE(start + 8);
    const { delivery } = this;
    delivery.section = buffer;
    delivery.sectionStart = start + CONTENT_PREFIX_BYTES;
    delivery.sectionEnd = end;
    if (this.bodyBytesLeft > 0) return;
    delivery.setBody(buffer, end, end);
    this.finishContent();
  }

  onBody(buffer: Buffer, start: number, end: number): void {
    const size = end - start;
    if (!this.hasHeader || size > this.bodyBytesLeft) {
      throw unexpectedFrame({ type: FRAME.body, buffer, start, end });
    }
    this.bodyBytesLeft -= size;
    if (this.bodyBytesLeft === 0 && this.bodyParts.length === 0) {
      this.delivery.setBody(buffer, start, end);
      this.finishContent();
      return;
    }
    this.bodyParts.push(buffer.subarray(start, end));
    if (this.bodyBytesLeft > 0) return;
    const body = Buffer.concat(this.bodyParts);
    this.bodyParts.length = 0;
    this.delivery.setBody(body, 0, body.length);
    this.finishContent();
  }

  /** Nobody is told any more what happens: this side ends it. */
  silence(): void {
    this.listener = NO_LISTENER;
  }

  /** The connection is gone, or the broker closed the channel. */
  fail(error: Error): void {
    const wasClosed = this.closedBy !== null;
    this.closedBy ??= error;
    for (let next = this.pending.shift(); next !== undefined; next = this.pending.shift()) {
      next.reject(error);
    }
    if (!wasClosed) this.listener.onFailure(error);
  }

  private expectContent(what: Arriving): void {
    if (this.arriving !== 'nothing') {
      throw new AmqpCodecError(REPLY_CODE.UNEXPECTED_FRAME, 'a method inside of a message');
    }
    this.arriving = what;
    this.hasHeader = false;
  }

  private finishContent(): void {
    const { arriving, returned } = this;
    this.arriving = 'nothing';
    this.hasHeader = false;
    if (arriving === 'delivery') this.listener.onDelivery(this.delivery);
    else if (returned !== null) this.listener.onReturn(returned);
    this.returned = null;
  }

  private onRareMethod(id: number, buffer: Buffer, start: number, end: number): void {
    const { reader } = this;
    const { output } = this.host;
    reader.reset(buffer, start, end);
    switch (id) {
      case BASIC_RETURN:
        this.returned = readBasicReturn(reader);
        this.expectContent('return');
        return;
      case BASIC_CANCEL: {
        const { consumerTag, noWait } = readBasicCancel(reader);
        if (!noWait) writeBasicCancelOk(output, this.number, { consumerTag });
        this.host.scheduleFlush();
        this.listener.onCancel(consumerTag);
        return;
      }
      case CHANNEL_FLOW:
        this.flowing = readChannelFlow(reader).active;
        writeChannelFlowOk(output, this.number, { active: this.flowing });
        this.host.scheduleFlush();
        this.listener.onFlow();
        return;
      case CHANNEL_CLOSE: {
        const { replyCode, replyText } = readChannelClose(reader);
        writeChannelCloseOk(output, this.number);
        this.host.scheduleFlush();
        this.host.forget(this);
        this.fail(refused(this.pending.peek()?.what ?? this.subject, replyCode, replyText));
        return;
      }
      default:
        this.onReply(id);
    }
  }

  private onReply(id: number): void {
    const next = this.pending.shift();
    if (next?.replyId === id) return next.resolve(this.reader);
    const error = new AmqpCodecError(REPLY_CODE.COMMAND_INVALID, 'an answer to no question');
    next?.reject(error);
    throw error;
  }
}
