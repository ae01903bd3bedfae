import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../', import.meta.url);
const BIN = fileURLToPath(new URL('bin/lyrebird', ROOT));
const SOURCE = fileURLToPath(new URL('src/cli/main.ts', ROOT));
const DEADLINE_MS = 60_000;

export interface CommandOptions {
  readonly input?: string;
  /** Added to the environment, from which every LYREBIRD_ variable is taken away first. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. Everything it waits for has a deadline, and fails with what was printed so far. */
export class RunningCommand {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  private readonly exited: Promise<number | NodeJS.Signals>;
  private watchers: (() => void)[] = [];

  constructor(args: readonly string[], options: CommandOptions = {}) {
    // `npm test` has just built: the executable itself. Else the sources, so that no stale build is tested.
    const program = process.env['TEST_BUILT'] === '1' ? [BIN] : ['--import', 'tsx', SOURCE];
    const environment = Object.entries(process.env).filter(
      ([name]) => !name.startsWith('LYREBIRD_'),
    );
    this.child = spawn(process.execPath, [...program, ...args], {
      env: {
        ...Object.fromEntries(environment),
        NO_COLOR: '1',
        XDG_CONFIG_HOME: '/nonexistent',
        ...options.environment,
      },
      cwd: options.folder ?? fileURLToPath(ROOT),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.notify();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.notify();
    });
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        resolve(code ?? signal ?? 'SIGKILL');
        this.notify();
      });
    });
    this.child.stdin?.on('error', () => {}); // it may end before it read everything
    this.child.stdin?.end(options.input ?? '');
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The first match in what was printed so far or will be. */
  async match(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    const find = (): RegExpExecArray | null => pattern.exec(this[stream]);
    return this.within(`${pattern} on ${stream}`, async () => {
      for (;;) {
        const found = find();
        if (found !== null) return found;
        if (this.child.exitCode !== null || this.child.signalCode !== null) {
          await this.exited; // the rest of the output
          const last = find();
          if (last !== null) return last;
          throw new Error(`the command ended without ${pattern}\n${this.stdout}${this.stderr}`);
        }
        await new Promise<void>((resolve) => this.watchers.push(resolve));
      }
    });
  }

  /** The exit code, or the signal that ended it. */
  exit(): Promise<number | NodeJS.Signals> {
    return this.within('the end', () => this.exited);
  }

  /** Ends it if it still runs; for cleaning up. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.exited;
  }

  private notify(): void {
    const watchers = this.watchers;
    this.watchers = [];
    for (const resolve of watchers) resolve();
  }

  private async within<T>(what: string, work: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.child.kill('SIGKILL');
        reject(new Error(`waited too long for ${what}\n${this.stdout}${this.stderr}`));
      }, DEADLINE_MS);
    });
    try {
      return await Promise.race([work(), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Runs a command to its end. */
export async function runCommand(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const command = new RunningCommand(args, options);
  const code = await command.exit();
  return {
    code: typeof code === 'number' ? code : null,
    stdout: command.stdout,
    stderr: command.stderr,
  };
}

/** A broker on free ports; resolves when it is ready. */
export async function startBroker(
  args: readonly string[] = ['--memory'],
  options: CommandOptions = {},
): Promise<{ broker: RunningCommand; kafka: string; admin: string }> {
  const listeners = ['--listen', 'kafka://127.0.0.1:0', '--listen', 'admin://127.0.0.1:0'];
  const broker = new RunningCommand(['start', ...listeners, ...args], options);
  await broker.match(/^ready in \d+ ms$/m);
  const kafka = (await broker.match(/^listening kafka:\/\/(\S+)$/m))[1] ?? '';
  const admin = (await broker.match(/^listening admin:\/\/(\S+)$/m))[1] ?? '';
  return { broker, kafka, admin: `http://${admin}` };
}
