import type { Command } from 'commander';
import type { App } from '../../server/app.ts';
import { withExamples } from '../options.ts';
import { listenToSignals } from '../broker-signals.ts';
import { EXIT } from '../exit-codes.ts';
import { ReadyFile } from '../ready-file.ts';
import { configSources, withConfigSources, type SourceOptions } from '../sources.ts';
import type { Terminal } from '../terminal.ts';
import { packageVersion } from '../../server/version.ts';

interface StartOptions extends SourceOptions {
  readonly readyFile?: string;
}

/** The part of the shutdown timeout that connections get; the rest is for the last write to disk. */
const DRAIN_SHARE = 0.8;

export function startCommand(program: Command, terminal: Terminal): void {
  const command = withConfigSources(program.command('start'))
    .description('start a broker; it runs until SIGINT or SIGTERM')
    .option('--ready-file <file>', 'written when clients can be served, removed at a clean stop');
  withExamples(
    command,
    'lyrebird start',
    'lyrebird start --memory --listen kafka://127.0.0.1:0',
    'lyrebird start --config /etc/lyrebird.toml --data /var/lib/lyrebird',
    'lyrebird start --set storage.durability=os --set kafka.auto_create_partitions=3',
  );
  command.action(async (options: StartOptions) => {
    await start(terminal, options);
  });
}

async function start(terminal: Terminal, options: StartOptions): Promise<void> {
  // Before anything slow: a broker that is told to stop while it recovers stops when it has.
  const signals = listenToSignals({ underNpm: 'npm_lifecycle_event' in terminal.environment });
  const readyFile = options.readyFile === undefined ? null : new ReadyFile(options.readyFile);
  const [{ loadConfig }, { App }, { createLogger }, { serverOptions }, { LiveConfig }] =
    await Promise.all([
      import('../../config/index.ts'),
      import('../../server/app.ts'),
      import('../../telemetry/pino-logger.ts'),
      import('../../server/from-config.ts'),
      import('../live-config.ts'),
    ]);
  const loaded = loadConfig(configSources(terminal.environment, options));
  const { level, format } = loaded.config.log;
  const logger = createLogger({ level, format });
  const server = await App.start(serverOptions(loaded, logger));
  const startedMs = Math.round(performance.now() - beganMs());
  const live = new LiveConfig(loaded, server, logger);
  signals.onHangup(() => live.reload());
  announce(terminal, server, startedMs, readyFile);
  const signal = await signals.first;
  logger.info('server.signal', `${signal} received`, { signal });
  const outcome = await stop(server, live.shutdownTimeoutMs);
  readyFile?.remove();
  signals.finish();
  if (outcome === 'stopped') return;
  logger.warn('server.stop-late', 'not stopped in time: ending as a crash would; nothing is lost');
  process.exit(EXIT.ok);
}

/** When the process began, which is what who waits for the broker waits from; or when npm start was done building. */
function beganMs(): number {
  return performance.getEntriesByName('lyrebird-start')[0]?.startTime ?? 0;
}

/** The lines and the file that docs/reference/cli.md promises. */
function announce(
  terminal: Terminal,
  server: App,
  startedMs: number,
  readyFile: ReadyFile | null,
): void {
  const listeners = server.listeners.map(({ scheme, host, port, tls }) => ({
    scheme: tls ? `${scheme}+tls` : scheme,
    host,
    port,
  }));
  for (const { scheme, host, port } of listeners) {
    const shownHost = host.includes(':') ? `[${host}]` : host;
    terminal.out(`listening ${scheme}://${shownHost}:${port}\n`);
  }
  // The file first: whoever waited for the last line finds it.
  readyFile?.write({ pid: process.pid, version: packageVersion(), startedMs, listeners });
  terminal.out(`ready in ${startedMs} ms\n`);
}

/** Drains within the shutdown timeout. What was acknowledged is safe either way. */
async function stop(server: App, timeoutMs: number): Promise<'stopped' | 'late'> {
  server.setShutdownTimeout(timeoutMs * DRAIN_SHARE);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), timeoutMs);
  });
  const closed = server.close('drain').then(() => 'stopped' as const);
  const outcome = await Promise.race([closed, late]);
  clearTimeout(timer);
  return outcome;
}
