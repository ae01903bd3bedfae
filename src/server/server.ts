import type { AdminServer } from '../admin/admin-server.ts';
import type { TopicSettings } from '../admin/ports.ts';
import type { CoreBroker } from '../core/core-broker.ts';
import type { Listener } from '../net/listener.ts';
import type { Frontend } from '../net/protocol.ts';
import { loadTlsMaterial } from '../net/tls-material.ts';
import type { MetricsRegistry } from '../telemetry/metrics-registry.ts';
import type { ProcessMetrics } from '../telemetry/process-metrics.ts';
import type { PlannedListener } from './listener-plan.ts';
import type { ServerOptions } from './options.ts';

/** How long the admin interface may finish its requests at the very end. */
const ADMIN_CLOSE_MS = 500;

export type Stage = 'starting' | 'ready' | 'stopping';

/** A bound address. */
export interface BoundListener {
  readonly name: string;
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

export interface ServerState {
  stage: Stage;
  shutdownTimeoutMs: number;
}

export interface ServerComponents {
  readonly options: ServerOptions;
  readonly state: ServerState;
  readonly broker: CoreBroker;
  readonly metrics: MetricsRegistry;
  readonly processMetrics: ProcessMetrics;
  readonly frontends: readonly Frontend[];
  readonly opened: readonly OpenedListener[];
  readonly topicSettings: TopicSettings;
  readonly startedMs: number;
}

/** A planned listener with the socket that serves it. */
export interface OpenedListener {
  readonly plan: PlannedListener;
  readonly server: Listener | AdminServer;
}

/** A running broker with everything around it. */
export class Server {
  readonly broker: CoreBroker;
  readonly metrics: MetricsRegistry;
  readonly listeners: readonly BoundListener[];
  readonly topicSettings: TopicSettings;
  /** How long the start took. */
  readonly startedMs: number;
  private readonly parts: ServerComponents;
  private closing: Promise<void> | null = null;

  constructor(parts: ServerComponents) {
    this.parts = parts;
    this.broker = parts.broker;
    this.metrics = parts.metrics;
    this.topicSettings = parts.topicSettings;
    this.startedMs = parts.startedMs;
    this.listeners = parts.opened.map(({ plan, server }) => ({
      name: plan.name,
      scheme: plan.scheme,
      host: server.host,
      port: server.port,
      tls: server.secure,
    }));
  }

  /** Takes effect at the next close. */
  setShutdownTimeout(timeoutMs: number): void {
    this.parts.state.shutdownTimeoutMs = timeoutMs;
  }

  /** Reads all certificate files again. Rejects with LB4001; every listener keeps what it had then. */
  async reloadCertificates(): Promise<void> {
    const loaded = [];
    for (const { plan, server } of this.parts.opened) {
      if (plan.tls !== null) loaded.push({ server, material: await loadTlsMaterial(plan.tls) });
    }
    for (const { server, material } of loaded) server.reloadTls(material);
  }

  /**
   * drain: no new connections, what is under way finishes (until the shutdown timeout), everything accepted becomes
   * durable. abort: at once, as a crash would, but memory and sockets are released. Idempotent; abort hastens a drain.
   */
  close(mode: 'drain' | 'abort' = 'drain'): Promise<void> {
    if (mode === 'abort') this.cutConnections();
    this.closing ??= this.closeNow(mode);
    return this.closing;
  }

  private cutConnections(): void {
    for (const { server } of this.parts.opened) {
      if ('destroy' in server) void server.destroy();
    }
  }

  private async closeNow(mode: 'drain' | 'abort'): Promise<void> {
    const { state, opened, frontends, broker, options } = this.parts;
    state.stage = 'stopping';
    options.logger.info('server.stopping', 'stopping', { mode });
    const timeoutMs = mode === 'drain' ? state.shutdownTimeoutMs : 0;
    await Promise.all(opened.map(({ server }) => 'drain' in server && server.drain(timeoutMs)));
    for (const frontend of frontends) await frontend.close();
    // The admin interface goes last, so that probes see "stopping" and not a closed port.
    for (const { server } of opened) {
      if ('openConnections' in server) await server.close(mode === 'drain' ? ADMIN_CLOSE_MS : 0);
    }
    await broker.close(mode);
    this.parts.processMetrics.close();
    options.logger.info('server.stopped', 'stopped');
  }
}
