import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { LyrebirdError } from '../base/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { contextOptions, type TlsMaterial } from './tls-material.ts';

export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface HttpLimits {
  /** Connections beyond are closed at once. */
  readonly connectionsMax: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
}

export interface HttpServerOptions {
  readonly name: string;
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMaterial | null;
  readonly limits: HttpLimits;
  readonly handler: HttpHandler;
  readonly logger: Logger;
}

/** An HTTP(S) server at one address: for interfaces of the broker itself, not for messages. */
export class HttpServer {
  readonly name: string;
  readonly scheme: string;
  readonly secure: boolean;
  host = '';
  port = 0;
  private readonly options: HttpServerOptions;
  private handler: HttpHandler;
  private readonly server: Server;

  constructor(options: HttpServerOptions) {
    const { name, scheme, tls, limits } = options;
    this.options = options;
    this.handler = options.handler;
    this.name = name;
    this.scheme = scheme;
    this.secure = tls !== null;
    const handle: HttpHandler = (request, response) => this.handler(request, response);
    this.server =
      tls === null ? createServer(handle) : createTlsServer(contextOptions(tls), handle);
    this.server.maxConnections = limits.connectionsMax;
    this.server.headersTimeout = limits.headersTimeoutMs;
    this.server.requestTimeout = limits.requestTimeoutMs;
    this.server.keepAliveTimeout = limits.keepAliveTimeoutMs;
  }

  /** Rejects with LB1002 when the address is taken, LB4002 when it cannot be bound for another reason. */
  async listen(): Promise<void> {
    const { host, port, name, logger } = this.options;
    this.server.listen({ host, port });
    try {
      await once(this.server, 'listening');
    } catch (cause) {
      const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
      const why = cause instanceof Error ? cause.message : String(cause);
      const where = `${host}:${port} (listener ${name})`;
      const details = { listener: name, host, port };
      throw taken
        ? new LyrebirdError('LB1002', `${where} is taken`, { cause, details })
        : new LyrebirdError('LB4002', `${where} cannot be bound: ${why}`, { cause, details });
    }
    this.server.on('error', (error) =>
      logger.error('http.error', 'an HTTP server failed', { listener: name, err: error }),
    );
    const bound = this.server.address();
    if (bound !== null && typeof bound === 'object') {
      this.host = bound.address;
      this.port = bound.port;
    }
  }

  /** Later requests go there. */
  setHandler(handler: HttpHandler): void {
    this.handler = handler;
  }

  reloadTls(material: TlsMaterial): void {
    if ('setSecureContext' in this.server) {
      (this.server as ReturnType<typeof createTlsServer>).setSecureContext(
        contextOptions(material),
      );
    }
  }

  /** Stops accepting; requests under way finish within timeoutMs, then they are cut. */
  async close(timeoutMs: number): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeIdleConnections();
    const cut = setTimeout(() => this.server.closeAllConnections(), timeoutMs);
    await closed;
    clearTimeout(cut);
  }
}
