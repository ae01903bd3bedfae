import { LyrebirdError } from '../../base/errors.ts';
import { CallbackTimeout } from '../../base/timer-wheel.ts';
import type { CloseReason, Connection, ConnectionHandler } from '../../net/types.ts';
import { ANONYMOUS, type Principal } from '../../security/principal.ts';
import { ConnectionAccess } from './access.ts';
import type { AmqpChannel } from './channel.ts';
import { AmqpCodecError } from './codec/codec-error.ts';
import { EMPTY_TABLE, type FieldTable } from './codec/field-table.ts';
import { FrameScanner, SCAN_FAILED, SCAN_INCOMPLETE } from './codec/frame-scanner.ts';
import { writeBasicCancel } from './codec/generated/basic.ts';
import { writeChannelClose } from './codec/generated/channel.ts';
import {
  writeConnectionBlocked,
  writeConnectionClose,
  writeConnectionUnblocked,
} from './codec/generated/connection.ts';
import { methodById } from './codec/generated/methods.ts';
import { REPLY_CODE, type ReplyCode } from './codec/generated/reply-codes.ts';
import { Output } from './codec/output.ts';
import { AmqpError, internalError } from './errors.ts';
import { FrameDispatch } from './frame-dispatch.ts';
import type { AmqpFrontend } from './frontend.ts';
import { Handshake, INITIAL_FRAME_BYTES_MAX } from './handshake.ts';
import { HeartbeatMonitor } from './heartbeat.ts';
import type { AmqpServices } from './services.ts';

/** What a client said it understands. */
export interface ClientCapabilities {
  readonly consumerCancelNotify: boolean;
  readonly connectionBlocked: boolean;
  readonly authenticationFailureClose: boolean;
}

/**
 * One AMQP client.
 *
 *   handshake -> running -> closing (the broker has said connection.close) -> closed
 */
export class AmqpConnection implements ConnectionHandler {
  readonly services: AmqpServices;
  readonly connection: Connection;
  readonly channels = new Map<number, AmqpChannel>();
  readonly scanner: FrameScanner;
  phase: 'handshake' | 'running' | 'closing' | 'closed' = 'handshake';
  principal: Principal = ANONYMOUS;
  user = '';
  mechanism = '';
  vhost = '/';
  namespace = 'default';
  channelMax = 0;
  heartbeatSeconds = 0;
  clientProperties: FieldTable = EMPTY_TABLE;
  capabilities: ClientCapabilities = {
    consumerCancelNotify: false,
    connectionBlocked: false,
    authenticationFailureClose: false,
  };
  access: ConnectionAccess;
  /** The method that is being worked on, for errors. */
  currentMethod = 0;
  /** Wall clock of this turn. */
  nowMs = 0;
  /** It has published: only then is it held back when publishers are. */
  publishing = false;
  private readonly frontend: AmqpFrontend;
  private readonly output: Output;
  readonly handshake: Handshake;
  private readonly dispatch: FrameDispatch;
  private readonly heartbeat: HeartbeatMonitor;
  private readonly closeTimeout: CallbackTimeout;
  /** connection.open was answered. */
  wasOpen = false;
  /** Consumers that ended in this turn and are told so behind what was said in it. */
  private readonly cancelled: { channel: AmqpChannel; consumerTag: string }[] = [];
  private wanted = 0;
  private heldBytes = 0;
  private blocked = false;
  private draining = false;

  constructor(frontend: AmqpFrontend, connection: Connection) {
    this.frontend = frontend;
    this.services = frontend.services;
    this.connection = connection;
    const { config, broker, outputPool } = this.services;
    this.scanner = new FrameScanner(INITIAL_FRAME_BYTES_MAX);
    this.output = new Output(outputPool, connection);
    this.access = new ConnectionAccess(this);
    this.handshake = new Handshake(this);
    this.dispatch = new FrameDispatch(this);
    this.heartbeat = new HeartbeatMonitor(broker.timers, this);
    this.closeTimeout = new CallbackTimeout(() => this.connection.destroy());
    broker.timers.start(this.closeTimeout, config.handshakeTimeoutMs);
  }

  get id(): number {
    return this.connection.id;
  }

  /** As RabbitMQ names connections. */
  get name(): string {
    const { remoteAddress, remotePort, localAddress, localPort } = this.connection;
    return `${remoteAddress}:${remotePort} -> ${localAddress}:${localPort}`;
  }

  get delivering(): boolean {
    return this.phase === 'running' && !this.connection.congested;
  }

  // ---- input

  onData(buffer: Buffer, start: number, end: number): number {
    this.wanted = 0;
    this.nowMs = this.services.broker.clock.wallMs();
    this.heartbeat.heard();
    if (this.publishing) this.frontend.checkPressure();
    let at = start;
    if (this.handshake.waitsForHeader) {
      const used = this.handshake.onHeader(buffer, start, end);
      if (used <= 0) return used < 0 ? end - start : 0;
      at += used;
    }
    while (at < end) {
      if (this.phase === 'closed') return end - start;
      const next = this.scanner.scan(buffer, at, end);
      if (next === SCAN_INCOMPLETE) {
        this.wanted = this.scanner.bytesWanted;
        break;
      }
      if (next === SCAN_FAILED) {
        if (this.phase === 'closing') return end - start;
        this.fail(this.scanner.error ?? internalError('frame'), 0, 0);
        return end - start;
      }
      const channel = this.channels.get(this.scanner.channel);
      if (channel?.busy === true) {
        this.connection.pause('in-flight');
        break;
      }
      at = this.dispatch.onFrame(channel ?? null, buffer, next, end);
    }
    return at - start;
  }

  bytesWanted(): number {
    return this.wanted;
  }

  onDrain(): void {
    for (const channel of this.channels.values()) channel.resumeAll();
  }

  onFlush(): void {
    for (const { channel, consumerTag } of this.cancelled.splice(0)) {
      if (channel.phase !== 'open') continue;
      writeBasicCancel(this.output, channel.number, { consumerTag, noWait: true });
    }
    this.output.flush();
  }

  onClose(reason: CloseReason): void {
    this.release();
    this.output.discard();
    this.frontend.forget(this, reason);
  }

  onShutdown(): void {
    this.draining = true;
    if (this.phase === 'running') {
      this.close(
        REPLY_CODE.CONNECTION_FORCED,
        'CONNECTION_FORCED - broker forced connection closure',
      );
    } else {
      this.connection.close('shutdown');
    }
  }

  busy(): boolean {
    return this.phase === 'closing' && this.draining;
  }

  // ---- output

  /** The output, which will be flushed at the end of the turn. */
  startOutput(): Output {
    if (this.output.pending === 0) this.connection.requestFlush();
    this.heartbeat.said();
    return this.output;
  }

  /** Tells the client that a consumer has ended without its doing. */
  tellCancelled(channel: AmqpChannel, consumerTag: string): void {
    if (!this.capabilities.consumerCancelNotify) return;
    this.cancelled.push({ channel, consumerTag });
    this.connection.requestFlush();
  }

  /** Memory of unfinished publishes and transactions changed. */
  held(bytes: number): void {
    this.heldBytes += bytes;
    if (this.heldBytes <= this.services.config.heldBytesMax) return;
    throw new AmqpError(
      REPLY_CODE.RESOURCE_ERROR,
      'unfinished publishes and transactions of this connection take too much memory',
    );
  }

  // ---- life

  /** The handshake is over. */
  opened(): void {
    this.phase = 'running';
    this.wasOpen = true;
    this.services.broker.timers.cancel(this.closeTimeout);
    this.output.frameBytesMax = this.scanner.frameBytesMax;
    this.heartbeat.start(this.heartbeatSeconds);
    this.frontend.opened(this);
  }

  /** Asks the client to close, for a reason of the broker's. */
  close(replyCode: ReplyCode, replyText: string): void {
    if (this.phase === 'closing' || this.phase === 'closed') return;
    this.sendClose(replyCode, replyText, this.currentMethod);
  }

  /** The client missed its heartbeats. */
  silent(): void {
    this.services.broker.logger.warn('amqp.heartbeat-missed', 'a client is silent', {
      connection: this.name,
      intervalSeconds: this.heartbeatSeconds,
    });
    this.connection.destroy('idle');
  }

  /** Ends the connection without a word. */
  drop(): void {
    this.phase = 'closed';
    this.release();
    this.output.flush();
    this.connection.close('handler');
  }

  /** Publishers are held back, or not any more. */
  setBlocked(reason: string | null): void {
    if (this.phase !== 'running') return;
    if (reason !== null && !this.blocked) {
      this.blocked = true;
      if (this.capabilities.connectionBlocked) {
        writeConnectionBlocked(this.startOutput(), 0, { reason });
      }
      if (this.publishing) this.connection.pause('storage');
    } else if (reason === null && this.blocked) {
      this.blocked = false;
      if (this.capabilities.connectionBlocked) writeConnectionUnblocked(this.startOutput(), 0);
      this.connection.resume('storage');
    }
  }

  /** A connection is held back from its first publish on. */
  startPublishing(): void {
    this.publishing = true;
    this.frontend.checkPressure();
    if (this.blocked) this.connection.pause('storage');
  }

  /** A method that waited goes on. */
  finish(channel: AmqpChannel, method: number, work: () => void): void {
    channel.busy = false;
    if (this.phase !== 'closed' && channel.phase === 'open') {
      this.guard(channel, method, work);
    }
    this.connection.resume('in-flight');
  }

  // ---- errors

  /** Runs work; what it throws ends the channel or the connection. */
  guard(channel: AmqpChannel | null, method: number, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.failed(channel, method, error);
    }
  }

  failed(channel: AmqpChannel | null, method: number, error: unknown): void {
    const { logger } = this.services.broker;
    if (!(error instanceof AmqpError) && !(error instanceof AmqpCodecError)) {
      logger.error('amqp.internal-error', 'a method failed by an internal error', {
        connection: this.name,
        method: methodById(method)?.name ?? method,
        err: error,
      });
      const reason = error instanceof LyrebirdError ? error.message : 'internal error';
      this.fail(internalError(reason), method, channel?.number ?? 0);
      return;
    }
    if (channel === null || !(error instanceof AmqpError) || error.hard) {
      this.fail(error, method, channel?.number ?? 0);
      return;
    }
    logger.info('amqp.channel-closed', error.replyText, {
      connection: this.name,
      channel: channel.number,
    });
    writeChannelClose(this.startOutput(), channel.number, {
      replyCode: error.replyCode,
      replyText: error.replyText,
      classId: method >>> 16,
      methodId: method & 0xffff,
    });
    channel.release('closing');
  }

  /** Ends the connection because of what the client did. */
  fail(error: AmqpError | AmqpCodecError, method: number, channel: number): void {
    this.services.broker.logger.warn('amqp.connection-closed', error.replyText, {
      connection: this.name,
      channel,
      user: this.user,
    });
    if (this.phase === 'handshake' && !this.handshake.mayExplain(error.replyCode)) {
      this.drop();
      return;
    }
    this.sendClose(error.replyCode, error.replyText, method);
  }

  private sendClose(replyCode: ReplyCode, replyText: string, method: number): void {
    this.output.dropFrame();
    writeConnectionClose(this.startOutput(), 0, {
      replyCode,
      replyText,
      classId: method >>> 16,
      methodId: method & 0xffff,
    });
    this.phase = 'closing';
    this.release();
    const { timers } = this.services.broker;
    timers.cancel(this.closeTimeout);
    timers.start(this.closeTimeout, this.services.config.closeTimeoutMs);
  }

  /** Everything the client had is given back. */
  private release(): void {
    this.services.broker.timers.cancel(this.closeTimeout);
    this.handshake.release();
    this.heartbeat.stop();
    for (const channel of this.channels.values()) channel.release('closed');
    this.channels.clear();
    this.services.queues.connectionClosed(this.id);
  }
}
