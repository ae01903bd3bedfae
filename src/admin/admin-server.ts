import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { getRequestListener } from '@hono/node-server';
import { LyrebirdError } from '../base/errors.ts';
import { contextOptions, type TlsMaterial } from '../net/tls-material.ts';
import { createAdminApp, type AdminAppOptions } from './app.ts';
import { ADMIN_LIMITS } from './limits.ts';

export interface AdminServerOptions extends AdminAppOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMaterial | null;
}

/** The HTTP(S) server of the admin interface. */
export class AdminServer {
  readonly name: string;
  readonly secure: boolean;
  host = '';
  port = 0;
  private readonly options: AdminServerOptions;
  private readonly server: Server;

  constructor(options: AdminServerOptions) {
    this.options = options;
    this.name = options.name;
    this.secure = options.tls !== null;
    const app = createAdminApp(options);
    // The adapter's own Request and Response stay its own: an embedding process has the built-in ones.
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    const handle = (...request: Parameters<typeof listener>): void => void listener(...request);
    this.server =
      options.tls === null
        ? createServer(handle)
        : createTlsServer(contextOptions(options.tls), handle);
    this.server.maxConnections = ADMIN_LIMITS.connectionsMax;
    this.server.headersTimeout = ADMIN_LIMITS.headersTimeoutMs;
    this.server.requestTimeout = ADMIN_LIMITS.requestTimeoutMs;
    this.server.keepAliveTimeout = ADMIN_LIMITS.keepAliveTimeoutMs;
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
      logger.error('admin.error', 'the admin server failed', { err: error }),
    );
    const bound = this.server.address();
    if (bound !== null && typeof bound === 'object') {
      this.host = bound.address;
      this.port = bound.port;
    }
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
