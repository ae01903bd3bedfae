import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/lyrebird', import.meta.url));
const READY_WITHIN_MS = 60_000;

export interface BrokerProcessOptions {
  /** Keep nothing; or else `data`. */
  readonly memory?: boolean;
  /** Data folder. */
  readonly data?: string;
  /** Port of the Kafka listener; default: a free one below the ephemeral range, so that a restart gets it again. */
  readonly port?: number;
  /** Listeners beside Kafka's and the admin's, such as `amqp://127.0.0.1:0`. */
  readonly listen?: readonly string[];
  /** `key=value` of the configuration. */
  readonly settings?: readonly string[];
  /** Program and arguments put before the broker's own, such as ['taskset', '-c', '0']. */
  readonly prefix?: readonly string[];
  readonly nodeArguments?: readonly string[];
  /** The program itself; default: the one that was built here. */
  readonly binary?: string;
}

/** A broker in a process of its own, started the way docs/reference/cli.md says. */
export interface BrokerProcess {
  readonly pid: number;
  /** host:port of the Kafka listener. */
  readonly kafka: string;
  /** http://host:port of the admin listener. */
  readonly admin: string;
  /** host:port of the first listener of that scheme, or null. */
  address(scheme: string): string | null;
  /** ms from spawn to ready, seen from outside. */
  readonly startedMs: number;
  /** Everything it printed so far, both streams. */
  output(): string;
  /** Sends the signal and waits for the end; resolves with exit code or signal name. */
  end(signal: NodeJS.Signals): Promise<number | string>;
  /** SIGTERM, and the scratch files are removed. */
  stop(): Promise<void>;
}

interface ReadyFile {
  readonly pid: number;
  readonly listeners: readonly { scheme: string; host: string; port: number }[];
}

/** Resolves when the broker is ready; rejects with what it printed when it ends before. */
export async function startBrokerProcess(options: BrokerProcessOptions): Promise<BrokerProcess> {
  const scratch = mkdtempSync(join(tmpdir(), 'lyrebird-process-'));
  const readyFile = join(scratch, 'ready.json');
  const port = options.port ?? (await freePort());
  const args = [
    ...(options.nodeArguments ?? []),
    options.binary ?? BIN,
    'start',
    ...(options.data === undefined ? ['--memory'] : ['--data', options.data]),
    '--listen',
    `kafka://127.0.0.1:${port}`,
    '--listen',
    'admin://127.0.0.1:0',
    ...(options.listen ?? []).flatMap((url) => ['--listen', url]),
    '--ready-file',
    readyFile,
    ...(options.settings ?? []).flatMap((setting) => ['--set', setting]),
  ];
  const [program, ...before] = [...(options.prefix ?? []), process.execPath];
  const startedAtMs = performance.now();
  const child = spawn(program ?? process.execPath, [...before, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  const ready = await waitUntilReady(child, readyFile, chunks);
  return new RunningProcess(child, ready, performance.now() - startedAtMs, chunks, scratch);
}

async function waitUntilReady(
  child: ChildProcess,
  readyFile: string,
  chunks: readonly string[],
): Promise<ReadyFile> {
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  let failure: string | null = null;
  child.once('error', (error) => (failure = error.message));
  while (!existsSync(readyFile)) {
    if (child.exitCode !== null || child.signalCode !== null || failure !== null) {
      throw new Error(`the broker ended before it was ready: ${failure ?? ''}${chunks.join('')}`);
    }
    if (performance.now() > deadlineMs) {
      child.kill('SIGKILL');
      throw new Error(`the broker was not ready in time: ${chunks.join('')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return JSON.parse(readFileSync(readyFile, 'utf8')) as ReadyFile;
}

class RunningProcess implements BrokerProcess {
  readonly pid: number;
  readonly kafka: string;
  readonly admin: string;
  readonly startedMs: number;
  private readonly listeners: ReadyFile['listeners'];
  private readonly child: ChildProcess;
  private readonly chunks: readonly string[];
  private readonly scratch: string;

  constructor(
    child: ChildProcess,
    ready: ReadyFile,
    startedMs: number,
    chunks: readonly string[],
    scratch: string,
  ) {
    this.listeners = ready.listeners;
    this.pid = ready.pid;
    this.kafka = this.address('kafka') ?? '';
    this.admin = `http://${this.address('admin')}`;
    this.startedMs = startedMs;
    this.child = child;
    this.chunks = chunks;
    this.scratch = scratch;
  }

  address(scheme: string): string | null {
    const listener = this.listeners.find((candidate) => candidate.scheme === scheme);
    return listener === undefined ? null : `${listener.host}:${listener.port}`;
  }

  output(): string {
    return this.chunks.join('');
  }

  async end(signal: NodeJS.Signals): Promise<number | string> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill(signal);
      await ended;
    }
    return this.child.exitCode ?? this.child.signalCode ?? -1;
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

/**
 * A free loopback port below the ephemeral range: while a broker is down, a client that redials an ephemeral
 * port can connect to itself and take the port away.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
