import type { TopicSettings } from '../admin/ports.ts';
import type { CoreBroker } from '../core/core-broker.ts';
import type { HttpServer } from '../net/http-server.ts';
import type { Listener } from '../net/listener.ts';
import type { Frontend } from '../net/protocol.ts';
import { loadTlsMaterial, type TlsMaterial } from '../net/tls-material.ts';
import type { MetricsRegistry } from '../telemetry/metrics-registry.ts';
import type { ProcessMetrics } from '../telemetry/process-metrics.ts';
import type { PlannedListener } from './listener-plan.ts';
import type { ListenerSpec, ServerOptions } from './options.ts';

/** How long the HTTP interfaces may finish their requests at the very end. */
const HTTP_CLOSE_MS = 500;

const NO_SERVERS: ReadonlyMap<string, HttpServer> = new Map();

export type Stage = 'starting' | 'ready' | 'stopping';

/** A bound address. */
export interface BoundListener {
  readonly name: string;
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** An interface over HTTP, and not for messages. */
  readonly isHttp: boolean;
}

export interface ServerState {
  stage: Stage;
  shutdownTimeoutMs: number;
}

/** A planned listener that is bound, with how to give it other certificates. */
export interface OpenedListener {
  readonly plan: PlannedListener;
  readonly bound: BoundListener;
  /** End of its certificate, ms since the Unix epoch; null without TLS. */
  certificateExpiresMs: number | null;
  reloadTls(material: TlsMaterial): void;
}

export interface ServerComponents {
  readonly options: ServerOptions;
  readonly state: ServerState;
  readonly broker: CoreBroker;
  readonly topicSettings: TopicSettings;
  readonly metrics: MetricsRegistry;
  readonly processMetrics: ProcessMetrics;
  readonly frontends: readonly Frontend[];
  readonly listeners: readonly Listener[];
  /** The admin interface, and interfaces of protocols. */
  readonly httpServers: readonly HttpServer[];
  /** All of them, in the order they were asked for. */
  readonly opened: readonly OpenedListener[];
  readonly startedMs: number;
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
    this.listeners = parts.opened.map(({ bound }) => bound);
  }

  /** Takes effect at the next close. */
  setShutdownTimeout(timeoutMs: number): void {
    this.parts.state.shutdownTimeoutMs = timeoutMs;
  }

  /** Where it listens now, as options for another start. */
  listenerSpecs(): readonly ListenerSpec[] {
    return this.parts.opened.map(({ plan, bound }) => {
      const { name, scheme, host, tls } = plan;
      return { name, scheme, host, port: bound.port, tls };
    });
  }

  /** Reads all certificate files again. Rejects with LB4001; every listener keeps what it had then. */
  async reloadCertificates(): Promise<void> {
    const loaded: (() => void)[] = [];
    for (const opened of this.parts.opened) {
      if (opened.plan.tls === null) continue;
      const material = await loadTlsMaterial(opened.plan.tls);
      loaded.push(() => opened.reloadTls(material));
    }
    for (const apply of loaded) apply();
  }

  /**
   * drain: no new connections, what is under way finishes (until the shutdown timeout), everything accepted becomes
   * durable. abort: at once, as a crash would, but memory and sockets are released. Idempotent; abort hastens a drain.
   * except: HTTP servers that stay open.
   */
  close(
    mode: 'drain' | 'abort' = 'drain',
    { except = NO_SERVERS }: { readonly except?: ReadonlyMap<string, HttpServer> } = {},
  ): Promise<void> {
    if (mode === 'abort') {
      for (const listener of this.parts.listeners) listener.cutConnections();
    }
    this.closing ??= this.closeNow(mode, except);
    return this.closing;
  }

  private async closeNow(
    mode: 'drain' | 'abort',
    except: ReadonlyMap<string, HttpServer>,
  ): Promise<void> {
    const { state, listeners, httpServers, frontends, broker, options } = this.parts;
    state.stage = 'stopping';
    options.logger.info('server.stopping', 'stopping', { mode });
    const timeoutMs = mode === 'drain' ? state.shutdownTimeoutMs : 0;
    await Promise.all(listeners.map((listener) => listener.drain(timeoutMs)));
    for (const frontend of frontends) await frontend.close();
    // These go last, so that probes see "stopping" and not a closed port.
    const closeMs = mode === 'drain' ? HTTP_CLOSE_MS : 0;
    const kept = new Set(except.values());
    await Promise.all(
      httpServers.filter((server) => !kept.has(server)).map((server) => server.close(closeMs)),
    );
    await broker.close(mode);
    this.parts.processMetrics.close();
    options.logger.info('server.stopped', 'stopped');
  }
}
