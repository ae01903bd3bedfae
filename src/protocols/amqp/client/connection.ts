import type { Socket } from 'node:net';
import { LyrebirdError } from '../../../base/errors.ts';
import { connectionLost, dial, notAnswered, type DialTls } from '../../../net/dial.ts';
import { ArgumentReader } from '../codec/argument-reader.ts';
import { AmqpCodecError, unexpectedFrame } from '../codec/codec-error.ts';
import { FRAME } from '../codec/frame.ts';
import { FrameScanner, SCAN_FAILED } from '../codec/frame-scanner.ts';
import {
  CONNECTION_BLOCKED,
  CONNECTION_CLOSE,
  CONNECTION_UNBLOCKED,
  readConnectionBlocked,
  readConnectionClose,
  writeConnectionClose,
  writeConnectionCloseOk,
} from '../codec/generated/connection.ts';
import { METHODS } from '../codec/generated/methods.ts';
import { REPLY_CODE } from '../codec/generated/reply-codes.ts';
import { NO_ARGUMENTS } from '../codec/method-codec.ts';
import { Output, type Sink } from '../codec/output.ts';
import { OutputPool } from '../codec/output-pool.ts';
import { AmqpChannel } from './channel.ts';
import { refused } from './client-error.ts';
import { negotiate, type Credentials, type Tuning } from './handshake.ts';
import { ReceiveBuffer } from './receive-buffer.ts';

export interface ConnectionSettings {
  readonly clientId: string;
  readonly tls: DialTls | null;
  /** For connecting, and for the answer to a method. */
  readonly timeoutMs: number;
  readonly virtualHost: string;
  readonly credentials: Credentials;
}

const CHUNK_BYTES = 64 * 1024;
const CHECK_INTERVAL_MS = 500;
/** Bytes that the kernel has not taken above which publishers are asked to wait. */
const OUTPUT_BYTES_MAX = 1024 * 1024;
const CLOSE_TIMEOUT_MS = 2000;

/** One connection to one broker. */
export class AmqpConnection {
  readonly address: string;
  readonly output: Output;
  readonly timeoutMs: number;
  /** The broker takes nothing from publishers for now; null or why. */
  blockedReason: string | null = null;
  /** Called when blockedReason changed or there is room again. */
  onFlow: () => void = () => {};
  private readonly socket: Socket;
  private readonly scanner: FrameScanner;
  private readonly received = new ReceiveBuffer();
  private readonly reader = new ArgumentReader(Buffer.alloc(0));
  /** Channel 0, for the methods of the connection itself. */
  private readonly control: AmqpChannel;
  private readonly channels = new Map<number, AmqpChannel>();
  private readonly timer: NodeJS.Timeout;
  private tuning: Tuning = { channelMax: 0, frameMax: CHUNK_BYTES, heartbeatSeconds: 0 };
  private nextChannel = 1;
  private willFlush = false;
  private reading = true;
  private lastReceivedMs: number;
  private lastSentMs: number;
  private closedBy: Error | null = null;

  static async open(
    address: { readonly host: string; readonly port: number },
    settings: ConnectionSettings,
  ): Promise<AmqpConnection> {
    const { host, port } = address;
    const socket = await dial(host, port, settings);
    const connection = new AmqpConnection(socket, `${host}:${port}`, settings);
    try {
      await connection.start(settings);
    } catch (error) {
      connection.fail(error as Error);
      throw error;
    }
    return connection;
  }

  private constructor(socket: Socket, address: string, settings: ConnectionSettings) {
    this.socket = socket;
    this.address = address;
    this.timeoutMs = settings.timeoutMs;
    this.lastReceivedMs = this.lastSentMs = performance.now();
    const sink: Sink = {
      writeShared: (buffer, start, end, lease) => {
        lease?.retain();
        socket.write(buffer.subarray(start, end), () => lease?.release());
      },
    };
    this.output = new Output(new OutputPool({ chunkBytes: CHUNK_BYTES, unusedMax: 32 }), sink);
    this.scanner = new FrameScanner(CHUNK_BYTES);
    this.control = new AmqpChannel(0, this);
    this.control.subject = `the connection to ${address}`;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
    socket.on('drain', () => this.onFlow());
    socket.on('error', (error) => this.fail(connectionLost(address, error)));
    socket.on('close', () => this.fail(connectionLost(address)));
    this.timer = setInterval(() => this.check(), CHECK_INTERVAL_MS);
    this.timer.unref();
  }

  get closed(): boolean {
    return this.closedBy !== null;
  }

  /** False while publishing would only fill memory. */
  get hasRoom(): boolean {
    return (
      this.blockedReason === null &&
      this.socket.writableLength + this.output.pending < OUTPUT_BYTES_MAX
    );
  }

  async openChannel(): Promise<AmqpChannel> {
    if (this.closedBy !== null) throw this.closedBy;
    const number = this.nextChannel++;
    if (number > this.tuning.channelMax) {
      const text = `no more than ${this.tuning.channelMax} channels`;
      throw refused(`channel ${number}`, REPLY_CODE.NOT_ALLOWED, text);
    }
    const channel = new AmqpChannel(number, this);
    this.channels.set(number, channel);
    const { ChannelOpen, ChannelOpenOk } = METHODS;
    await channel.call(ChannelOpen, NO_ARGUMENTS, ChannelOpenOk, 'channel.open');
    return channel;
  }

  /** false: nothing more is read until true, so that a broker that need not wait for acks does. */
  setReading(reading: boolean): void {
    this.reading = reading;
    if (reading) this.socket.resume();
    else this.socket.pause();
    this.lastReceivedMs = performance.now();
  }

  scheduleFlush(): void {
    if (this.willFlush) return;
    this.willFlush = true;
    // After the promises of this turn: what they send goes out in the same write.
    setImmediate(this.flush);
  }

  forget(channel: AmqpChannel): void {
    this.channels.delete(channel.number);
  }

  /** Says goodbye and waits for the answer, though not for long. */
  async close(): Promise<void> {
    if (this.closedBy !== null) return;
    this.onFlow = () => {};
    for (const channel of this.channels.values()) channel.silence();
    const goodbye = { replyCode: REPLY_CODE.REPLY_SUCCESS, replyText: '', classId: 0, methodId: 0 };
    const { ConnectionClose, ConnectionCloseOk } = METHODS;
    const answered = this.control.call(
      ConnectionClose,
      goodbye,
      ConnectionCloseOk,
      'connection.close',
    );
    const timer = setTimeout(
      () => this.fail(connectionLost(this.address)),
      Math.min(CLOSE_TIMEOUT_MS, this.timeoutMs),
    );
    await answered.catch(() => {}); // it is gone either way
    clearTimeout(timer);
    this.fail(connectionLost(this.address));
  }

  private async start(settings: ConnectionSettings): Promise<void> {
    this.tuning = await negotiate(
      this.control,
      (header) => {
        this.socket.write(header);
      },
      settings,
    );
    this.scanner.frameBytesMax = this.tuning.frameMax;
    this.output.frameBytesMax = this.tuning.frameMax;
  }

  private readonly flush = (): void => {
    this.willFlush = false;
    if (this.closedBy !== null) return this.output.discard();
    this.lastSentMs = performance.now();
    this.socket.cork();
    this.output.flush();
    this.socket.uncork();
  };

  private onData(chunk: Buffer): void {
    if (this.closedBy !== null) return;
    this.lastReceivedMs = performance.now();
    const buffer = this.received.push(chunk);
    if (buffer === null) return;
    try {
      this.readFrames(buffer);
    } catch (error) {
      this.reject(error as Error);
    }
  }

  private readFrames(buffer: Buffer): void {
    const { scanner } = this;
    let at = 0;
    while (at < buffer.length) {
      const next = scanner.scan(buffer, at, buffer.length);
      if (next === SCAN_FAILED) throw scanner.error ?? new Error('not a frame');
      if (next < 0) break;
      this.onFrame(buffer);
      if (this.closedBy !== null) return;
      at = next;
    }
    this.received.keep(buffer.subarray(at), scanner.bytesWanted);
  }

  private onFrame(buffer: Buffer): void {
    const { scanner } = this;
    const { type, start, end } = scanner;
    if (type === FRAME.heartbeat) return;
    const channel = scanner.channel === 0 ? this.control : this.channels.get(scanner.channel);
    if (channel === undefined) return; // closed here, and the broker did not know yet
    if (type === FRAME.body) return channel.onBody(buffer, start, end);
    if (type === FRAME.header) return channel.onHeader(buffer, start, end);
    if (type !== FRAME.method) throw unexpectedFrame({ type, buffer, start, end });
    const id = scanner.methodId(buffer);
    if (channel === this.control) this.onControl(id, buffer, start + 4, end);
    else channel.onMethod(id, buffer, start + 4, end);
  }

  private onControl(id: number, buffer: Buffer, start: number, end: number): void {
    this.reader.reset(buffer, start, end);
    switch (id) {
      case CONNECTION_CLOSE: {
        const { replyCode, replyText } = readConnectionClose(this.reader);
        writeConnectionCloseOk(this.output, 0);
        this.flush();
        this.fail(refused(this.control.subject, replyCode, replyText), { answered: true });
        return;
      }
      case CONNECTION_BLOCKED:
        this.blockedReason = readConnectionBlocked(this.reader).reason;
        this.onFlow();
        return;
      case CONNECTION_UNBLOCKED:
        this.blockedReason = null;
        this.onFlow();
        return;
      default:
        this.control.onMethod(id, buffer, start, end);
    }
  }

  /** Heartbeats, and answers that do not come. */
  private check(): void {
    const nowMs = performance.now();
    const intervalMs = this.tuning.heartbeatSeconds * 1000;
    if (intervalMs > 0) {
      if (this.reading && nowMs - this.lastReceivedMs > 2 * intervalMs) {
        return this.fail(notAnswered('heartbeats', this.address));
      }
      if (nowMs - this.lastSentMs > intervalMs / 2) {
        this.output.heartbeat();
        this.scheduleFlush();
      }
    }
    for (const channel of [this.control, ...this.channels.values()]) {
      if (nowMs > channel.deadlineMs) {
        return this.fail(notAnswered(channel.waitsFor, this.address));
      }
    }
  }

  /** The broker sent what is no AMQP: tells it and goes. */
  private reject(error: Error): void {
    if (this.closedBy !== null) return;
    const isCodec = error instanceof AmqpCodecError;
    const replyCode = isCodec ? error.replyCode : REPLY_CODE.INTERNAL_ERROR;
    const replyText = isCodec ? error.replyText : 'INTERNAL_ERROR';
    this.output.dropFrame();
    writeConnectionClose(this.output, 0, { replyCode, replyText, classId: 0, methodId: 0 });
    this.flush();
    const reason = error instanceof LyrebirdError ? error : connectionLost(this.address, error);
    this.fail(reason, { answered: true });
  }

  /** answered: something was written that the broker should still get. */
  private fail(error: Error, options: { readonly answered: boolean } = { answered: false }): void {
    if (this.closedBy !== null) return;
    this.closedBy = error;
    clearInterval(this.timer);
    this.output.discard();
    if (options.answered) this.socket.destroySoon();
    else this.socket.destroy();
    this.control.fail(error);
    for (const channel of this.channels.values()) channel.fail(error);
    this.channels.clear();
    this.onFlow();
  }
}
