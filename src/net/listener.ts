import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type Server as TlsServer,
  type TLSSocket,
} from 'node:tls';
import type { Clock, Timer } from '../base/clock.ts';
import { LyrebirdError } from '../base/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Admission } from './admission.ts';
import type { ListenerLimits } from './limits.ts';
import { ListenerStats } from './net-stats.ts';
import type { Network } from './network.ts';
import { PeerConnection } from './peer-connection.ts';
import { SocketWire, socketInfo, tlsInfo } from './socket-wire.ts';
import { contextOptions, type TlsMaterial } from './tls-material.ts';
import type { Connection, ConnectionHandler } from './types.ts';
import type { Wire, WireInfo } from './wire.ts';

/** While draining: how often connections are asked whether they are done. */
const DRAIN_POLL_MS = 10;
/** Refusals are logged once per this time, with their number. */
const REFUSAL_LOG_MS = 5000;

/** Where to listen: a TCP address, or a unix domain socket. */
export type ListenAddress =
  { readonly host: string; readonly port: number } | { readonly path: string };

export interface ListenerOptions {
  readonly name: string;
  readonly scheme: string;
  readonly address: ListenAddress;
  readonly tls: TlsMaterial | null;
  readonly limits: ListenerLimits;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly accept: (connection: Connection) => ConnectionHandler;
}

/** One bound address with its connections. */
export class Listener {
  readonly name: string;
  readonly scheme: string;
  readonly secure: boolean;
  readonly limits: ListenerLimits;
  readonly stats = new ListenerStats();
  readonly connections = new Set<PeerConnection>();
  /** The address bound; the port is the real one when 0 was asked for. */
  host = '';
  port = 0;

  private readonly options: ListenerOptions;
  private readonly admission: Admission;
  private readonly server: Server;
  /** Shakes hands on sockets that the server accepted; it does not listen itself. */
  private readonly handshakes: TlsServer | null;
  /** Sockets under TLS, whose handshake may not be over. */
  private readonly rawSockets = new Set<Socket>();
  private idleTimer: Timer | null = null;
  private serving = false;
  private stopping = false;
  /** Accepted before serve(). */
  private early: Socket[] = [];
  private refusedSinceLog = 0;
  private refusalLogAtMs = -Infinity;
  private emptied: (() => void) | null = null;

  constructor(options: ListenerOptions) {
    this.name = options.name;
    this.scheme = options.scheme;
    this.secure = options.tls !== null;
    this.limits = options.limits;
    this.options = options;
    this.admission = new Admission(options.limits, options.clock);
    this.handshakes = options.tls === null ? null : this.tlsServer(options.tls);
    this.server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
    this.server.on('connection', (socket) => this.onAccepted(socket));
  }

  /** Binds; connections wait until serve(). Rejects with LB1002 when the address is taken, LB4002 when it cannot be bound for another reason. */
  async listen(): Promise<void> {
    const { address, limits } = this.options;
    this.server.listen({ ...address, backlog: limits.backlog });
    try {
      await once(this.server, 'listening');
    } catch (error) {
      throw bindError(this.name, address, error);
    }
    this.server.on('error', (error) =>
      this.options.logger.error('listener.error', 'accepting connections failed', {
        listener: this.name,
        err: error,
      }),
    );
    const bound = this.server.address();
    if (bound !== null && typeof bound === 'object') {
      this.host = bound.address;
      this.port = bound.port;
    } else {
      this.host = bound ?? '';
    }
    this.scheduleIdleCheck();
  }

  /** Begins to serve connections. */
  serve(): void {
    this.serving = true;
    for (const socket of this.early.splice(0)) this.onAccepted(socket);
  }

  /** New connections use this certificate from now on. Throws when it cannot be used; the old one stays then. */
  reloadTls(material: TlsMaterial): void {
    this.handshakes?.setSecureContext(contextOptions(material));
  }

  /** Closes the listening socket; open connections go on. */
  stopAccepting(): void {
    if (this.stopping) return;
    this.stopping = true;
    this.server.close();
    for (const socket of this.early.splice(0)) socket.destroy();
  }

  /**
   * Lets every connection finish what is under way, and closes it. After timeoutMs what is left is destroyed.
   * Resolves when no connection is left.
   */
  async drain(timeoutMs: number): Promise<void> {
    this.stopAccepting();
    const { clock } = this.options;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    for (const connection of this.connections) connection.shutdown();
    const allClosed = this.whenEmpty();
    const poll = (): void => {
      if (this.connections.size === 0) return;
      if (clock.monotonicMs() >= deadlineMs) {
        this.cutConnections();
        return;
      }
      for (const connection of this.connections) connection.closeWhenDone();
      clock.setTimer(DRAIN_POLL_MS, poll);
    };
    // Not at once: what a handler finishes synchronously is flushed at the end of this turn.
    clock.defer(poll);
    await allClosed;
    this.afterClose();
  }

  /** Ends all open connections at once. */
  cutConnections(): void {
    for (const connection of this.connections) connection.destroy('shutdown');
  }

  /** Closes everything now. */
  async destroy(): Promise<void> {
    this.stopAccepting();
    const allClosed = this.whenEmpty();
    this.cutConnections();
    await allClosed;
    this.afterClose();
  }

  private afterClose(): void {
    this.idleTimer?.cancel();
    for (const socket of this.rawSockets) socket.destroy();
  }

  private whenEmpty(): Promise<void> {
    if (this.connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const before = this.emptied;
      this.emptied = () => {
        before?.();
        resolve();
      };
    });
  }

  private onAccepted(socket: Socket): void {
    if (!this.serving && !this.stopping) {
      this.early.push(socket);
      return;
    }
    const info = this.admit(socket);
    if (info === null) return;
    if (this.handshakes === null) {
      this.connect(info, (connection) => SocketWire.plain(socket, connection));
      return;
    }
    this.rawSockets.add(socket);
    socket.once('close', () => {
      this.rawSockets.delete(socket);
      this.admission.release(info.remoteAddress);
    });
    this.handshakes.emit('connection', socket);
  }

  private tlsServer(material: TlsMaterial): TlsServer {
    const server = createTlsServer({
      ...contextOptions(material),
      allowHalfOpen: true,
      handshakeTimeout: this.options.limits.handshakeTimeoutMs,
      requestCert: material.ca !== undefined,
      rejectUnauthorized: material.ca !== undefined,
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      const info = tlsInfo(socket);
      if (info === null || this.stopping) socket.destroy();
      else this.connect(info, (connection) => SocketWire.byEvents(socket, connection));
    });
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.stats.tlsErrors++;
      this.options.logger.debug('listener.handshake-failed', 'TLS handshake failed', {
        listener: this.name,
        remote: socket.remoteAddress,
        err: error,
      });
    });
    return server;
  }

  /** Null: refused, and the socket is closed. */
  private admit(socket: Socket): WireInfo | null {
    const info = socketInfo(socket);
    if (info === null) {
      socket.destroy();
      return null;
    }
    const refused = this.stopping ? 'stopping' : this.admission.admit(info.remoteAddress);
    if (refused === null) return info;
    this.stats.refused[refused]++;
    this.logRefusal(refused, info.remoteAddress);
    socket.on('error', () => {}); // nothing more is expected of it
    socket.destroy();
    return null;
  }

  private logRefusal(reason: string, remote: string): void {
    this.refusedSinceLog++;
    const nowMs = this.options.clock.monotonicMs();
    if (nowMs - this.refusalLogAtMs < REFUSAL_LOG_MS) return;
    this.options.logger.warn('listener.refused', 'connection refused by a limit', {
      listener: this.name,
      reason,
      remote,
      count: this.refusedSinceLog,
    });
    this.refusalLogAtMs = nowMs;
    this.refusedSinceLog = 0;
  }

  private connect(info: WireInfo, wireOf: (connection: PeerConnection) => Wire): void {
    const { network, limits, clock, logger } = this.options;
    const connection = new PeerConnection({
      id: network.nextConnectionId(),
      listener: this.name,
      info,
      limits,
      memory: network.memory,
      scheduler: network.scheduler,
      stats: this.stats,
      clock,
      logger,
      onClosed: (closed) => this.onClosed(closed),
    });
    this.stats.accepted++;
    this.stats.open++;
    this.connections.add(connection);
    connection.start(wireOf(connection), this.options.accept);
  }

  private onClosed(connection: PeerConnection): void {
    this.stats.open--;
    this.connections.delete(connection);
    if (!this.secure) this.admission.release(connection.remoteAddress);
    if (this.connections.size > 0) return;
    const emptied = this.emptied;
    this.emptied = null;
    emptied?.();
  }

  private scheduleIdleCheck(): void {
    const { idleTimeoutMs } = this.limits;
    if (idleTimeoutMs === Infinity) return;
    this.idleTimer = this.options.clock.setTimer(Math.max(idleTimeoutMs / 4, 10), () => {
      const nowMs = this.options.clock.monotonicMs();
      for (const connection of this.connections) connection.checkIdle(nowMs);
      this.scheduleIdleCheck();
    });
  }
}

function bindError(name: string, address: ListenAddress, error: unknown): LyrebirdError {
  const code = (error as NodeJS.ErrnoException).code;
  const where = 'path' in address ? address.path : `${address.host}:${address.port}`;
  const details = { listener: name, ...address };
  if (code === 'EADDRINUSE') {
    return new LyrebirdError('LB1002', `${where} (listener ${name}) is taken`, {
      cause: error,
      details,
    });
  }
  const why = error instanceof Error ? error.message : String(error);
  return new LyrebirdError('LB4002', `${where} (listener ${name}) cannot be bound: ${why}`, {
    cause: error,
    details,
  });
}
