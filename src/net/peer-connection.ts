import type { Clock, Timer } from '../base/clock.ts';
import { RingBuffer } from '../base/ring-buffer.ts';
import type { Lease } from '../storage/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { FlushScheduler, Flushable } from './flush-scheduler.ts';
import { InputFeed, type FeedOwner, type InputMemory } from './input-feed.ts';
import type { ConnectionLimits } from './limits.ts';
import type { ListenerStats } from './net-stats.ts';
import { OutputQueue, type OutputBatch } from './output-queue.ts';
import type { CloseReason, Connection, ConnectionHandler } from './types.ts';
import type { Wire, WireInfo, WireListener } from './wire.ts';

const PAUSE_BITS = { output: 1, 'in-flight': 2, storage: 4, quota: 8 } as const;
const CONGESTED_BIT = 16;

export type PauseReason = keyof typeof PAUSE_BITS;

export interface ConnectionParts {
  readonly id: number;
  readonly listener: string;
  readonly info: WireInfo;
  readonly limits: ConnectionLimits;
  readonly memory: InputMemory;
  readonly scheduler: FlushScheduler;
  readonly stats: ListenerStats;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onClosed: (connection: PeerConnection) => void;
}

/**
 * One peer: joins a wire with a handler, and keeps both within limits. open -> closing (nothing more is presented,
 * output is still sent) -> closed.
 */
export class PeerConnection implements Connection, WireListener, FeedOwner, Flushable {
  readonly id: number;
  readonly listener: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly tls: WireInfo['tls'];
  readonly openedAtMs: number;
  readonly heldBytesMax: number;
  bytesIn = 0;
  bytesOut = 0;
  outputPending = 0;
  congested = false;

  private readonly parts: ConnectionParts;
  private readonly queue: OutputQueue;
  private readonly inFlight = new RingBuffer<OutputBatch>(4);
  private readonly sent: () => void;
  private wire: Wire | null = null;
  private handler: ConnectionHandler | null = null;
  private feed: InputFeed | null = null;
  private phase: 'open' | 'closing' | 'closed' = 'open';
  private pauseBits = 0;
  private dirty = false;
  private resumed = false;
  private ended = false;
  private draining = false;
  private closeReason: CloseReason | null = null;
  private closeTimer: Timer | null = null;
  private activeBytes = 0;
  private activeAtMs: number;

  constructor(parts: ConnectionParts) {
    this.parts = parts;
    this.id = parts.id;
    this.listener = parts.listener;
    this.remoteAddress = parts.info.remoteAddress;
    this.remotePort = parts.info.remotePort;
    this.localAddress = parts.info.localAddress;
    this.localPort = parts.info.localPort;
    this.tls = parts.info.tls;
    this.openedAtMs = parts.clock.wallMs();
    this.activeAtMs = parts.clock.monotonicMs();
    this.heldBytesMax = parts.limits.heldBytesMax;
    this.queue = new OutputQueue(parts.memory.pool);
    this.sent = () => this.onSent();
  }

  /** Begins to serve. The wire may have been reading before, but must not have reported anything yet. */
  start(wire: Wire, accept: (connection: Connection) => ConnectionHandler): void {
    this.wire = wire;
    try {
      this.handler = accept(this);
      this.feed = new InputFeed(this, this.handler, this.parts.memory);
      if (this.phase !== 'open') this.feed.stop();
    } catch (error) {
      this.fail(error);
    }
    if (this.pauseBits !== 0) wire.stopReading();
    if (this.phase === 'closed') wire.destroy();
  }

  get inputStopped(): boolean {
    return this.pauseBits !== 0 || this.phase !== 'open';
  }

  write(buffer: Buffer, start: number, end: number): void {
    if (this.phase !== 'open') return;
    this.queue.add(buffer, start, end);
    this.onQueued(end - start);
  }

  writeShared(buffer: Buffer, start: number, end: number, lease: Lease | null): void {
    if (this.phase !== 'open') return;
    this.queue.addShared(buffer, start, end, lease);
    this.onQueued(end - start);
  }

  pause(reason: PauseReason): void {
    this.setPause(PAUSE_BITS[reason]);
  }

  resume(reason: PauseReason): void {
    this.clearPause(PAUSE_BITS[reason]);
  }

  requestFlush(): void {
    if (this.phase === 'open') this.touch();
  }

  close(reason: CloseReason = 'handler'): void {
    if (this.phase !== 'open') return;
    this.phase = 'closing';
    this.closeReason ??= reason;
    this.feed?.stop();
    this.closeTimer = this.parts.clock.setTimer(this.parts.limits.closeTimeoutMs, () =>
      this.destroy(),
    );
    // Reading goes on, into nowhere: closing with unread input would make the kernel reset the connection, and
    // the peer might lose the last answer.
    this.wire?.startReading();
    this.touch();
  }

  destroy(reason: CloseReason = 'handler'): void {
    if (this.phase === 'closed') return;
    this.phase = 'closed';
    this.closeReason ??= reason;
    this.feed?.stop();
    this.dropQueued();
    this.wire?.destroy();
  }

  /** The broker stops: lets the handler finish, see closeWhenDone. */
  shutdown(): void {
    if (this.phase !== 'open' || this.draining) return;
    this.draining = true;
    this.guard((handler) => handler.onShutdown());
  }

  /** After shutdown(): closes as soon as nothing is under way. */
  closeWhenDone(): void {
    if (this.phase !== 'open' || this.outputPending > 0) return;
    if (this.handler?.busy?.() !== true) this.close('shutdown');
  }

  /** Closes when nothing came or went for the idle timeout; called now and then. */
  checkIdle(nowMs: number): void {
    const bytes = this.bytesIn + this.bytesOut;
    if (bytes !== this.activeBytes) {
      this.activeBytes = bytes;
      this.activeAtMs = nowMs;
    } else if (nowMs - this.activeAtMs >= this.parts.limits.idleTimeoutMs) {
      if (this.outputPending > 0) this.destroy('idle');
      else this.close('idle');
    }
  }

  flush(): void {
    if (this.resumed) {
      this.resumed = false;
      this.takeUpReading();
    }
    if (this.phase === 'open') this.guard((handler) => handler.onFlush?.());
    this.dirty = false;
    if (this.resumed) this.touch();
    if (this.phase === 'closed') return;
    const batch = this.queue.take();
    if (batch !== null) {
      this.inFlight.push(batch);
      this.parts.stats.writes++;
      this.wire?.send(batch.pieces, this.sent);
    }
    if (this.phase === 'closing' && !this.ended) {
      this.ended = true;
      this.wire?.end();
    }
  }

  nextTarget(): Buffer {
    return this.feed === null ? this.parts.memory.area.target : this.feed.nextTarget();
  }

  onRead(target: Buffer, size: number): void {
    this.countInput(size);
    if (this.phase !== 'open' || this.feed === null) return;
    try {
      this.feed.onRead(target, size);
    } catch (error) {
      this.fail(error);
    }
  }

  onChunk(chunk: Buffer): void {
    this.countInput(chunk.length);
    if (this.phase !== 'open' || this.feed === null) return;
    try {
      this.feed.onChunk(chunk, 0, chunk.length);
    } catch (error) {
      this.fail(error);
    }
  }

  onPeerEnd(): void {
    this.close('peer');
  }

  onWireError(error: Error): void {
    this.closeReason ??= 'peer';
    this.parts.logger.debug('connection.broken', 'connection broke', {
      listener: this.listener,
      remote: this.remoteAddress,
      err: error,
    });
  }

  onWireClosed(): void {
    this.phase = 'closed';
    this.closeTimer?.cancel();
    this.feed?.release();
    this.dropQueued();
    for (let batch = this.inFlight.shift(); batch !== undefined; batch = this.inFlight.shift()) {
      this.letGo(batch);
    }
    if (this.congested) this.parts.stats.congested--;
    this.congested = false;
    const reason = this.closeReason ?? 'peer';
    this.parts.stats.closed[reason]++;
    this.parts.onClosed(this);
    this.guard((handler) => handler.onClose(reason));
  }

  inputRefused(): void {
    this.parts.logger.warn('connection.input-limit', 'peer sent more than may be held for it', {
      listener: this.listener,
      remote: this.remoteAddress,
      heldBytes: this.feed?.heldBytes ?? 0,
      heldBytesTotal: this.parts.memory.heldBytes,
    });
    this.destroy('input-limit');
  }

  private onQueued(size: number): void {
    const { limits, stats } = this.parts;
    this.outputPending += size;
    stats.outputPending += size;
    if (this.outputPending > limits.outputHighBytes && !this.congested) {
      this.congested = true;
      stats.congested++;
      this.setPause(CONGESTED_BIT);
    }
    if (this.outputPending > limits.outputBytesMax) {
      this.parts.logger.warn('connection.output-limit', 'peer does not read what it asked for', {
        listener: this.listener,
        remote: this.remoteAddress,
        outputPending: this.outputPending,
      });
      this.destroy('output-limit');
      return;
    }
    this.touch();
  }

  private onSent(): void {
    const batch = this.inFlight.shift();
    if (batch === undefined) return; // the wire closed before, and everything was let go then
    this.bytesOut += batch.bytes;
    this.parts.stats.bytesOut += batch.bytes;
    this.letGo(batch);
    if (this.congested && this.outputPending <= this.parts.limits.outputLowBytes) {
      this.congested = false;
      this.parts.stats.congested--;
      this.clearPause(CONGESTED_BIT);
      if (this.phase === 'open') this.guard((handler) => handler.onDrain());
    }
    if (this.draining) this.closeWhenDone();
  }

  private letGo(batch: OutputBatch): void {
    this.outputPending -= batch.bytes;
    this.parts.stats.outputPending -= batch.bytes;
    this.queue.recycle(batch);
  }

  private dropQueued(): void {
    this.outputPending -= this.queue.bytes;
    this.parts.stats.outputPending -= this.queue.bytes;
    this.queue.release();
  }

  private setPause(bit: number): void {
    const before = this.pauseBits;
    this.pauseBits |= bit;
    if (before === 0 && this.phase === 'open') this.wire?.stopReading();
  }

  /** The handler is never called from within its own call of resume: reading goes on at the end of the turn. */
  private clearPause(bit: number): void {
    if ((this.pauseBits & bit) === 0) return;
    this.pauseBits &= ~bit;
    if (this.pauseBits !== 0 || this.phase !== 'open') return;
    this.resumed = true;
    this.touch();
  }

  private takeUpReading(): void {
    if (this.inputStopped) return;
    try {
      this.feed?.again();
    } catch (error) {
      this.fail(error);
    }
    if (!this.inputStopped) this.wire?.startReading();
  }

  private touch(): void {
    if (this.dirty) return;
    this.dirty = true;
    this.parts.scheduler.add(this);
  }

  private countInput(size: number): void {
    this.bytesIn += size;
    this.parts.stats.bytesIn += size;
  }

  private guard(call: (handler: ConnectionHandler) => void): void {
    if (this.handler === null) return;
    try {
      call(this.handler);
    } catch (error) {
      this.fail(error);
    }
  }

  /** A handler threw: a bug there must not take other connections down. */
  private fail(error: unknown): void {
    this.parts.stats.handlerErrors++;
    this.parts.logger.error('connection.failed', 'a connection was closed by an internal error', {
      listener: this.listener,
      remote: this.remoteAddress,
      err: error,
    });
    this.destroy('error');
  }
}
