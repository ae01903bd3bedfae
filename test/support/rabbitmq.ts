import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './broker-process.ts';

/** Where Debian's package puts the scripts of the server. */
const BIN = '/usr/lib/rabbitmq/bin';
const EPMD = 'epmd';
const READY_WITHIN_MS = 90_000;

export interface RabbitMqOptions {
  /** Scratch folder of this broker: data, logs, cookie. */
  readonly folder: string;
  /** Port of AMQP; default: a free one. */
  readonly port?: number;
  readonly plugins?: readonly string[];
  /** Lines added to rabbitmq.conf. */
  readonly configuration?: readonly string[];
  /** Program and arguments put before the broker's own, such as ['taskset', '-c', '0']. */
  readonly prefix?: readonly string[];
}

/** Debian's RabbitMQ as the peer: one node on loopback, in a scratch folder. */
export interface RabbitMq {
  /** The Erlang machine itself. */
  readonly pid: number;
  readonly port: number;
  /** amqp://guest:guest@127.0.0.1:port */
  readonly url: string;
  /** http://127.0.0.1:port of the management plugin. */
  readonly management: string;
  readonly node: string;
  /** A program that stands for rabbitmqctl, already pointed at this node's cookie and port mapper. */
  readonly ctl: string;
  readonly version: string;
  stop(): Promise<void>;
}

/** Whether Debian's package is there. */
export function hasRabbitMq(): boolean {
  return existsSync(join(BIN, 'rabbitmq-server'));
}

/** Resolves when the node answers rabbitmqctl. */
export async function startRabbitMq(options: RabbitMqOptions): Promise<RabbitMq> {
  const { folder } = options;
  mkdirSync(folder, { recursive: true });
  const port = options.port ?? (await freePort());
  const managementPort = await freePort();
  const epmdPort = await freePort();
  const distributionPort = await freePort();
  const node = `lyrebird-peer-${port}@localhost`;
  writeConfiguration(options, port, managementPort);
  const environment: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    HOME: folder,
    LANG: 'C.UTF-8',
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: node,
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
  };
  const ctl = ctlProgram(folder, environment);
  const output = openSync(join(folder, 'out.log'), 'w');
  const start = (program: string, args: readonly string[]): ChildProcess =>
    spawn(program, [...args], { env: environment, cwd: folder, stdio: ['ignore', output, output] });
  const epmd = start(EPMD, ['-address', '127.0.0.1', '-port', String(epmdPort)]);
  const [program, ...before] = [...(options.prefix ?? []), join(BIN, 'rabbitmq-server')];
  const server = start(program ?? '', before);
  const stop = async (): Promise<void> => {
    await ended(server);
    await ended(epmd);
  };
  try {
    await untilReady(server, ctl, folder);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid: Number(readFileSync(join(folder, 'pid'), 'utf8')),
    port,
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    management: `http://127.0.0.1:${managementPort}`,
    node,
    ctl,
    version: spawnSync(ctl, ['version'], { encoding: 'utf8' }).stdout.trim(),
    stop,
  };
}

function writeConfiguration(options: RabbitMqOptions, port: number, managementPort: number): void {
  const { folder } = options;
  const lines = [
    `listeners.tcp.local = 127.0.0.1:${port}`,
    'management.tcp.ip = 127.0.0.1',
    `management.tcp.port = ${managementPort}`,
    ...(options.configuration ?? []),
  ];
  writeFileSync(join(folder, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
  const plugins = ['rabbitmq_management', ...(options.plugins ?? [])];
  writeFileSync(join(folder, 'enabled_plugins'), `[${plugins.join(',')}].\n`);
}

function ctlProgram(folder: string, environment: NodeJS.ProcessEnv): string {
  const path = join(folder, 'rabbitmqctl');
  const exports = Object.entries(environment).map(([name, value]) => `export ${name}='${value}'`);
  writeFileSync(path, `#!/bin/sh\n${exports.join('\n')}\nexec ${BIN}/rabbitmqctl "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

async function untilReady(server: ChildProcess, ctl: string, folder: string): Promise<void> {
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  const fail = (what: string): Error =>
    new Error(`RabbitMQ ${what}: ${readFileSync(join(folder, 'out.log'), 'utf8').slice(-2000)}`);
  for (;;) {
    if (server.exitCode !== null || server.signalCode !== null) throw fail('ended');
    if (performance.now() > deadlineMs) throw fail('was not ready in time');
    if (existsSync(join(folder, 'pid'))) {
      const wait = spawnSync(ctl, ['await_startup', '--timeout', '60'], { encoding: 'utf8' });
      if (wait.status === 0) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await end;
}
