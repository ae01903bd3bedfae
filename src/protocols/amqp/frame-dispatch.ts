import type { Place } from '../../core/namespace/usage.ts';
import { AmqpChannel } from './channel.ts';
import { frameError, unexpectedFrame } from './codec/codec-error.ts';
import { FRAME } from './codec/frame.ts';
import { BASIC_ACK, BASIC_NACK, BASIC_PUBLISH, BASIC_REJECT } from './codec/generated/basic.ts';
import {
  CHANNEL_CLOSE,
  CHANNEL_CLOSE_OK,
  CHANNEL_OPEN,
  writeChannelCloseOk,
  writeChannelOpenOk,
} from './codec/generated/channel.ts';
import { REPLY_CODE } from './codec/generated/reply-codes.ts';
import type { AmqpConnection } from './connection.ts';
import { contentBody, contentHeader, publishMethod } from './content-frames.ts';
import { AmqpError, channelError, notAllowed } from './errors.ts';
import { METHOD_HANDLERS } from './handlers/registry.ts';
import { settleMethod } from './handlers/settle.ts';

/** Payload bytes of a method frame before its arguments. */
const METHOD_ID_BYTES = 4;

/** Finds out what a frame is for: a channel, the connection, or nobody. */
export class FrameDispatch {
  private readonly owner: AmqpConnection;

  constructor(owner: AmqpConnection) {
    this.owner = owner;
  }

  /** Works on the frame that the scanner found. Returns where the next one begins: after the content of a publish. */
  onFrame(channel: AmqpChannel | null, buffer: Buffer, next: number, end: number): number {
    const { scanner } = this.owner;
    if (this.owner.phase !== 'running' && this.owner.phase !== 'handshake') {
      this.onFrameWhileClosing(buffer);
      return next;
    }
    switch (scanner.type) {
      case FRAME.method:
        return this.onMethodFrame(channel, buffer, next, end);
      case FRAME.heartbeat:
        if (scanner.channel !== 0) this.owner.fail(unexpectedFrame(this.frame(buffer)), 0, 0);
        return next;
      case FRAME.header:
      case FRAME.body:
        this.onContentFrame(channel, buffer);
        return next;
      default:
        this.owner.fail(frameError(this.frame(buffer), 'unknown_frame'), 0, 0);
        return next;
    }
  }

  private onMethodFrame(
    channel: AmqpChannel | null,
    buffer: Buffer,
    next: number,
    end: number,
  ): number {
    const { scanner } = this.owner;
    if (scanner.end - scanner.start < METHOD_ID_BYTES) {
      this.owner.fail(unexpectedFrame(this.frame(buffer)), 0, 0);
      return next;
    }
    const id = buffer.readUInt32BE(scanner.start);
    const from = scanner.start + METHOD_ID_BYTES;
    const to = scanner.end;
    this.owner.currentMethod = id;
    if (channel !== null && channel.phase === 'open') {
      if (channel.content !== null) {
        this.failContent(channel);
        return next;
      }
      if (id === BASIC_PUBLISH) return this.onPublish(channel, buffer, from, to, next, end);
      if (id === BASIC_ACK || id === BASIC_NACK || id === BASIC_REJECT) {
        this.onSettlement(channel, id, buffer, from, to);
        return next;
      }
      this.owner.guard(channel, id, () => this.onChannelMethod(channel, id, buffer, from, to));
      return next;
    }
    this.owner.guard(null, id, () => this.onOtherMethod(channel, id, buffer, from, to));
    return next;
  }

  private onPublish(
    channel: AmqpChannel,
    buffer: Buffer,
    from: number,
    to: number,
    next: number,
    end: number,
  ): number {
    try {
      if (!this.owner.publishing) this.owner.startPublishing();
      return publishMethod(channel, buffer, { from, to, next, end });
    } catch (error) {
      this.owner.failed(channel, BASIC_PUBLISH, error);
      return next;
    }
  }

  private onSettlement(
    channel: AmqpChannel,
    id: number,
    buffer: Buffer,
    from: number,
    to: number,
  ): void {
    try {
      settleMethod(channel, id, buffer, from, to);
    } catch (error) {
      this.owner.failed(channel, id, error);
    }
  }

  private onContentFrame(channel: AmqpChannel | null, buffer: Buffer): void {
    const { scanner } = this.owner;
    if (channel?.phase === 'closing') return;
    if (channel === null || channel.content === null) {
      const error = new AmqpError(
        REPLY_CODE.UNEXPECTED_FRAME,
        'expected method frame, got non method frame instead',
      );
      this.owner.fail(error, 0, 0);
      return;
    }
    this.owner.currentMethod = BASIC_PUBLISH;
    try {
      if (scanner.type === FRAME.header) contentHeader(channel, buffer, scanner.start, scanner.end);
      else contentBody(channel, buffer, scanner.start, scanner.end);
    } catch (error) {
      this.owner.failed(channel, BASIC_PUBLISH, error);
    }
  }

  private onChannelMethod(
    channel: AmqpChannel,
    id: number,
    buffer: Buffer,
    from: number,
    to: number,
  ): void {
    const { reader } = this.owner.services.scratch;
    reader.reset(buffer, from, to);
    if (id === CHANNEL_OPEN) throw channelError("second 'channel.open' seen");
    if (id === CHANNEL_CLOSE) {
      channel.release('closed');
      this.owner.channels.delete(channel.number);
      writeChannelCloseOk(this.owner.startOutput(), channel.number);
      return;
    }
    const handler = METHOD_HANDLERS.get(id);
    if (handler === undefined)
      throw new AmqpError(REPLY_CODE.COMMAND_INVALID, 'unimplemented method');
    handler(channel, reader);
  }

  /** Methods of the connection itself, of channels that are not open, and of those that the broker has closed. */
  private onOtherMethod(
    channel: AmqpChannel | null,
    id: number,
    buffer: Buffer,
    from: number,
    to: number,
  ): void {
    const { reader } = this.owner.services.scratch;
    reader.reset(buffer, from, to);
    const { owner } = this;
    const { channel: number } = owner.scanner;
    if (number === 0) {
      this.owner.handshake.onMethod(id, reader);
      return;
    }
    if (channel !== null) {
      this.onMethodOfClosingChannel(channel, id);
      return;
    }
    if (this.owner.phase !== 'running') throw channelError('unexpected method in connection state');
    if (id !== CHANNEL_OPEN) {
      if (id === CHANNEL_CLOSE_OK) return;
      throw channelError("expected 'channel.open'");
    }
    if (this.owner.channelMax > 0 && this.owner.channels.size >= this.owner.channelMax) {
      throw notAllowed(
        `number of channels opened (${this.owner.channels.size}) has reached the negotiated channel_max (${this.owner.channelMax})`,
      );
    }
    reader.skipShortstr();
    reader.finish();
    this.owner.channels.set(number, new AmqpChannel(this.owner, number, this.placeForChannel()));
    this.owner.services.counters.channelsOpened++;
    writeChannelOpenOk(this.owner.startOutput(), number);
  }

  /** A place among the user's channels. */
  private placeForChannel(): Place {
    const { user, services } = this.owner;
    const place = services.broker.usage.openChannel(user);
    if (place.status === 'ok') return place;
    throw notAllowed(
      `number of channels opened for user '${user}' has reached the maximum allowed user limit of (${place.limit})`,
    );
  }

  private onMethodOfClosingChannel(channel: AmqpChannel, id: number): void {
    if (id !== CHANNEL_CLOSE && id !== CHANNEL_CLOSE_OK) return;
    this.owner.channels.delete(channel.number);
    if (id === CHANNEL_CLOSE) writeChannelCloseOk(this.owner.startOutput(), channel.number);
  }

  /** Whatever the client says now, only its agreement counts. */
  private onFrameWhileClosing(buffer: Buffer): void {
    const { scanner } = this.owner;
    if (scanner.type !== FRAME.method || scanner.channel !== 0) return;
    if (scanner.end - scanner.start < METHOD_ID_BYTES) return;
    this.owner.handshake.onMethodWhileClosing(buffer.readUInt32BE(scanner.start));
  }

  private failContent(channel: AmqpChannel): void {
    const expected = channel.content?.header === null ? 'header for class 60' : 'body';
    const error = new AmqpError(
      REPLY_CODE.UNEXPECTED_FRAME,
      `expected content ${expected}, got non content header frame instead`,
    );
    this.owner.fail(error, BASIC_PUBLISH, channel.number);
  }

  private frame(buffer: Buffer): { type: number; buffer: Buffer; start: number; end: number } {
    const { type, start, end } = this.owner.scanner;
    return { type, buffer, start, end };
  }
}
