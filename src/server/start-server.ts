import { performance } from 'node:perf_hooks';
import { ADMIN_LIMITS } from '../admin/limits.ts';
import type { AdminPart, Command } from '../admin/ports.ts';
import { SystemClock, type Clock } from '../base/clock.ts';
import { LyrebirdError } from '../base/errors.ts';
import { SystemRandom } from '../base/random.ts';
import { CoreBroker } from '../core/core-broker.ts';
import { HttpServer } from '../net/http-server.ts';
import { Listener } from '../net/listener.ts';
import { listenerMetrics } from '../net/listener-metrics.ts';
import { Network } from '../net/network.ts';
import type { Frontend } from '../net/protocol.ts';
import { certificateExpiryMs, loadTlsMaterial, type TlsMaterial } from '../net/tls-material.ts';
import { MetricsRegistry } from '../telemetry/metrics-registry.ts';
import { ProcessMetrics } from '../telemetry/process-metrics.ts';
import { adminPorts } from './admin-ports.ts';
import { staysOpen, type AppParts } from './app-control.ts';
import { brokerMetrics } from './broker-metrics.ts';
import { createEngine } from './engine.ts';
import { checkExposure, isLoopback } from './exposure.ts';
import { planListeners, type PlannedListener } from './listener-plan.ts';
import type { ServerOptions } from './options.ts';
import { findPortOwner } from './port-owner.ts';
import { PROTOCOLS, type HttpPorts, type ProtocolEntry } from './protocols.ts';
import { Server, type OpenedListener, type ServerState } from './server.ts';
import { UndoStack } from './undo-stack.ts';
import { packageVersion } from './version.ts';

/**
 * Starts a broker: checks what was asked for, recovers storage, opens every listener. Resolves when clients can be
 * served. What a failed start had begun is undone before it rejects (LB1001 to LB1004, LB2001 to LB2003, LB4001,
 * LB4002).
 */
export async function startServer(options: ServerOptions, app: AppParts = NO_APP): Promise<Server> {
  const undo = new UndoStack();
  try {
    return await new Start(options, undo, app).run();
  } catch (error) {
    await undo.run((failure) =>
      options.logger.error('server.rollback-failed', 'undoing a failed start went wrong', {
        err: failure,
      }),
    );
    throw error;
  }
}

const NO_APP: AppParts = { control: null, doors: new Map() };

/** One start, step by step; each step leaves on the undo stack how to take it back. */
class Start {
  private readonly options: ServerOptions;
  private readonly undo: UndoStack;
  private readonly app: AppParts;
  private readonly clock: Clock = new SystemClock();
  private readonly network: Network;
  private readonly metrics: MetricsRegistry;
  private readonly processMetrics = new ProcessMetrics();
  private readonly state: ServerState;
  private readonly startedAtMs = Date.now();
  private readonly version = packageVersion();
  private readonly frontends = new Map<ProtocolEntry, Frontend>();
  private readonly adminParts = new Map<string, Promise<AdminPart>>();
  private readonly listeners: Listener[] = [];
  private readonly httpServers: HttpServer[] = [];
  private readonly opened: OpenedListener[] = [];

  constructor(options: ServerOptions, undo: UndoStack, app: AppParts) {
    this.options = options;
    this.app = app;
    this.undo = undo;
    this.network = new Network({ heldBytesMax: options.heldBytesMax });
    this.metrics = new MetricsRegistry(options.logger);
    this.state = { stage: 'starting', shutdownTimeoutMs: options.shutdownTimeoutMs };
  }

  async run(): Promise<Server> {
    const beganMs = performance.now();
    const { options, undo } = this;
    const planned = planListeners(options.listeners);
    checkExposure(planned, options.anonymous);
    const tls = await loadAllTls(planned);
    const broker = await this.openBroker();
    for (const protocol of PROTOCOLS) {
      const frontend = protocol.createFrontend(broker, options.protocols);
      this.frontends.set(protocol, frontend);
      undo.push(() => frontend.close());
    }
    for (const [index, plan] of planned.entries()) {
      await this.openListener(broker, plan, tls[index] ?? null);
    }
    this.tellFrontends();
    this.registerMetrics(broker);
    for (const listener of this.listeners) listener.serve();
    this.state.stage = 'ready';
    const startedMs = Math.round(performance.now() - beganMs);
    options.logger.info('server.ready', 'ready', { startedMs, version: this.version });
    return new Server({
      options,
      state: this.state,
      broker,
      metrics: this.metrics,
      processMetrics: this.processMetrics,
      frontends: [...this.frontends.values()],
      listeners: this.listeners,
      httpServers: this.httpServers,
      opened: this.opened,
      topicSettings: this.topicSettings(),
      startedMs,
    });
  }

  private async openBroker(): Promise<CoreBroker> {
    const { options, clock } = this;
    const { logger, nodeId, authorizer, security, groups, durability } = options;
    const random = new SystemRandom();
    const engine = createEngine(options.storage, { clock, random, logger, nodeId });
    const broker = new CoreBroker({
      engine,
      clock,
      random,
      logger,
      ...(authorizer === null ? {} : { authorizer }),
      options: { groups: { durability, ...groups }, queues: { durability }, security },
    });
    for (const { properties } of PROTOCOLS) {
      if (properties !== null) broker.messages.register(properties.origin, properties.reader);
    }
    // Before opening: an engine that fails half-way still holds its folder.
    this.undo.push(() => broker.close('abort'));
    await broker.open();
    return broker;
  }

  private async openListener(
    broker: CoreBroker,
    plan: PlannedListener,
    tls: TlsMaterial | null,
  ): Promise<void> {
    const { options, clock, network } = this;
    const { logger, limits } = options;
    if (plan.protocol === null || plan.http !== null) {
      await this.openHttpServer(broker, plan, tls);
      return;
    }
    const frontend = this.frontendOf(plan.protocol);
    const listener = new Listener({
      name: plan.name,
      scheme: plan.scheme,
      address: { host: plan.host, port: plan.port },
      tls,
      limits: plan.protocol.watchesIdle ? { ...limits, idleTimeoutMs: Infinity } : limits,
      network,
      clock,
      logger,
      accept: (connection) => frontend.accept(connection),
    });
    await listenOrName(listener, plan);
    this.undo.push(() => listener.destroy());
    this.listeners.push(listener);
    this.noteOpened(plan, listener, tls);
  }

  private async openHttpServer(
    broker: CoreBroker,
    plan: PlannedListener,
    tls: TlsMaterial | null,
  ): Promise<void> {
    const { name, scheme, host, port } = plan;
    const { logger } = this.options;
    const { doors } = this.app;
    const served = await this.httpInterface(broker, plan);
    let server = doors.get(name);
    if (server === undefined) {
      server = new HttpServer({ name, scheme, host, port, tls, logger, ...served });
      const opening = server;
      await listenOrName(opening, plan);
      this.undo.push(() => opening.close(0));
      if (this.app.control !== null && staysOpen(scheme)) doors.set(name, opening);
    } else {
      server.setHandler(served.handler);
    }
    this.httpServers.push(server);
    this.noteOpened(plan, server, tls);
  }

  private httpInterface(broker: CoreBroker, { protocol, http, host }: PlannedListener) {
    if (protocol === null || http === null) return this.adminInterface(broker, host);
    return http.load(this.frontendOf(protocol), this.httpPorts());
  }

  private httpPorts(): HttpPorts {
    return {
      version: this.version,
      startedAtMs: this.startedAtMs,
      dataFolder: dataFolder(this.options),
      listeners: () =>
        this.opened.map(({ bound, certificateExpiresMs }) => ({ ...bound, certificateExpiresMs })),
    };
  }

  private adminPart(name: string): Promise<AdminPart> | null {
    for (const [{ scheme, adminPart }, frontend] of this.frontends) {
      if (scheme !== name || adminPart === null) continue;
      let part = this.adminParts.get(name);
      if (part === undefined) {
        part = adminPart(frontend, this.httpPorts(), `/api/v1/parts/${name}`);
        this.adminParts.set(name, part);
      }
      return part;
    }
    return null;
  }

  private command(name: string): Command | null {
    for (const [protocol, frontend] of this.frontends) {
      const found = protocol.commands.find((one) => one.name === name);
      if (found === undefined) continue;
      return async (args, input) => {
        const command = await found.load(frontend, this.httpPorts(), this.app.control);
        return command(args, input);
      };
    }
    return null;
  }

  private frontendOf(protocol: ProtocolEntry): Frontend {
    const frontend = this.frontends.get(protocol);
    if (frontend === undefined) throw new LyrebirdError('LB3001', 'the front-end is gone');
    return frontend;
  }

  private noteOpened(
    plan: PlannedListener,
    server: Listener | HttpServer,
    tls: TlsMaterial | null,
  ): void {
    const { host, port, secure } = server;
    const opened: OpenedListener = {
      plan,
      bound: {
        name: plan.name,
        scheme: plan.scheme,
        host,
        port,
        tls: secure,
        isHttp: server instanceof HttpServer,
      },
      certificateExpiresMs: tls === null ? null : certificateExpiryMs(tls),
      reloadTls(material) {
        server.reloadTls(material);
        opened.certificateExpiresMs = certificateExpiryMs(material);
      },
    };
    this.opened.push(opened);
  }

  /** Loaded only when asked for: an embedded broker without an admin port starts faster without HTTP. */
  private async adminInterface(broker: CoreBroker, host: string) {
    const { adminHandler } = await import('../admin/admin-handler.ts');
    const ports = adminPorts({
      options: this.options,
      broker,
      topicSettings: this.topicSettings(),
      network: this.network,
      metrics: this.metrics,
      listeners: this.listeners,
      httpServers: this.httpServers,
      version: this.version,
      startedAtMs: this.startedAtMs,
      command: (name) => this.command(name),
      part: (name) => this.adminPart(name),
      stage: () => this.state.stage,
    });
    // An interface that was opened to a network on purpose is known there by names we cannot guess.
    const allowedHosts = isLoopback(host) ? this.options.adminHosts : ['*'];
    const handler = adminHandler({ ports, allowedHosts, logger: this.options.logger });
    return { handler, limits: ADMIN_LIMITS };
  }

  private topicSettings() {
    for (const [protocol, frontend] of this.frontends) {
      const settings = protocol.topicSettings(frontend);
      if (settings !== null) return settings;
    }
    throw new LyrebirdError('LB1001', 'no protocol of this build has topic settings');
  }

  private tellFrontends(): void {
    for (const [protocol, frontend] of this.frontends) {
      const own = this.listeners.filter(({ scheme }) => scheme === protocol.scheme);
      frontend.onBound(own.map(({ name, host, port }) => ({ name, host, port })));
    }
  }

  private registerMetrics(broker: CoreBroker): void {
    const { metrics, listeners, network, version } = this;
    metrics.add(broker);
    metrics.add({ metrics: () => brokerMetrics(broker, version) });
    metrics.add({ metrics: () => listenerMetrics(listeners, network) });
    for (const frontend of this.frontends.values()) metrics.add(frontend);
    metrics.add(this.processMetrics);
    this.processMetrics.start();
  }
}

function dataFolder({ storage }: ServerOptions): string {
  return storage.kind === 'disk' ? storage.path : 'memory';
}

async function loadAllTls(planned: readonly PlannedListener[]): Promise<(TlsMaterial | null)[]> {
  const loaded: (TlsMaterial | null)[] = [];
  for (const { tls } of planned) loaded.push(tls === null ? null : await loadTlsMaterial(tls));
  return loaded;
}

/** Binds; when the port is taken, says by whom. */
async function listenOrName(
  server: { listen(): Promise<void> },
  plan: PlannedListener,
): Promise<void> {
  try {
    await server.listen();
  } catch (error) {
    if (!(error instanceof LyrebirdError) || error.code !== 'LB1002') throw error;
    const owner = await findPortOwner(plan.port);
    if (owner === null) throw error;
    throw new LyrebirdError(
      'LB1002',
      `${plan.host}:${plan.port} (listener ${plan.name}) is taken by ${owner.command} (pid ${owner.pid}); ` +
        'stop it, or choose another port',
      { cause: error, details: { ...error.details, ...owner } },
    );
  }
}
