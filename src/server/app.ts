import assert from 'node:assert/strict';
import type { Command } from '../admin/ports.ts';
import type { HttpServer } from '../net/http-server.ts';
import type { AppControl } from './app-control.ts';
import { isLoopback } from './exposure.ts';
import type { ServerOptions } from './options.ts';
import { PROTOCOLS } from './protocols.ts';
import type { BoundListener, Server } from './server.ts';
import { startServer } from './start-server.ts';

/**
 * A server that can be stopped and started again, as RabbitMQ's stop_app and start_app do: storage is closed and
 * recovered, clients are gone, addresses stay the same. The admin interface stays open meanwhile.
 */
export class App implements AppControl {
  private options: ServerOptions;
  private readonly doors = new Map<string, HttpServer>();
  private current: Server | null = null;
  private last: Server | null = null;
  private change: Promise<void> = Promise.resolve();
  private closing: Promise<void> | null = null;

  private constructor(options: ServerOptions) {
    this.options = options;
  }

  /** Rejects as startServer does. */
  static async start(options: ServerOptions): Promise<App> {
    const app = new App(options);
    await app.start();
    return app;
  }

  get listeners(): readonly BoundListener[] {
    return this.server.listeners;
  }

  private get server(): Server {
    assert(this.last !== null, 'it was started');
    return this.last;
  }

  get running(): boolean {
    return this.current !== null;
  }

  /** What is accepted becomes durable; then everything but the admin interface is closed. */
  stop(): Promise<void> {
    return this.inTurn(async () => {
      const server = this.current;
      if (server === null) return;
      this.current = null;
      await this.shutDoors();
      await server.close('drain', { except: this.doors });
    });
  }

  start(): Promise<void> {
    return this.inTurn(async () => {
      if (this.current !== null || this.closing !== null) return;
      try {
        this.current = await startServer(this.options, { control: this, doors: this.doors });
      } catch (error) {
        // What got half-way may have answered requests.
        await this.shutDoors();
        throw error;
      }
      this.last = this.current;
      // Free ports that were taken once are asked for by number.
      this.options = { ...this.options, listeners: this.current.listenerSpecs() };
    });
  }

  setShutdownTimeout(timeoutMs: number): void {
    this.server.setShutdownTimeout(timeoutMs);
  }

  reloadCertificates(): Promise<void> {
    return this.server.reloadCertificates();
  }

  close(mode: 'drain' | 'abort' = 'drain'): Promise<void> {
    this.closing ??= this.inTurn(async () => {
      await this.current?.close(mode);
      this.current = null;
      for (const door of this.doors.values()) await door.close(0);
    });
    return this.closing;
  }

  /** One change after the other; one that fails does not keep the next from being tried. */
  private inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.change.then(work);
    this.change = done.catch(() => {});
    return done;
  }

  private async shutDoors(): Promise<void> {
    const { stoppedHandler } = await import('../admin/stopped-handler.ts');
    for (const door of this.doors.values()) {
      const allowedHosts = isLoopback(door.host) ? this.options.adminHosts : ['*'];
      door.setHandler(stoppedHandler({ allowedHosts, command: (name) => this.commandOf(name) }));
    }
  }

  /** While the broker is stopped only these know what to do. */
  private commandOf(name: string): Command | null {
    for (const { commands } of PROTOCOLS) {
      const command = commands.find((one) => one.name === name);
      if (command !== undefined) return (args) => command.whileStopped(this, args);
    }
    return null;
  }
}
