import { spawn } from 'node:child_process';
import { openSync, closeSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Target, TargetOptions } from '../target.ts';

export type Outcome = 'PASS' | 'FAIL' | 'SKIP';

export interface TestResult {
  readonly name: string;
  readonly outcome: Outcome;
  readonly detail: string;
}

export interface RunOptions {
  readonly target: Target;
  /** The suite's scratch folder, where install() put it; logs go there. */
  readonly folder: string;
  /** Runs what the pattern matches, in the suite's own manner; null: everything. */
  readonly only: RegExp | null;
}

/** Tests that others wrote, or that use what others wrote. */
export interface Suite {
  readonly name: string;
  /** What it is, for the page. */
  readonly title: string;
  /** What passes on Debian's RabbitMQ 3.10.8. */
  readonly onRabbitMq: string;
  /** What its broker has to be started with, beside the defaults. */
  readonly broker?: TargetOptions;
  /** Puts everything into the folder, once; a string says why this machine cannot. */
  install(folder: string): Promise<string | null>;
  run(options: RunOptions): Promise<readonly TestResult[]>;
}

export interface ProgramOptions {
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly secondsMax: number;
  /** File that gets both streams. */
  readonly log: string;
}

export interface ProgramOutcome {
  readonly status: number | null;
  readonly output: string;
}

/** Runs a program to its end, or to the time limit. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramOutcome> {
  const log = openSync(options.log, 'w');
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      const child = spawn(program, [...args], {
        cwd: options.cwd,
        env: { ...process.env, ...options.environment },
        stdio: ['ignore', log, log],
      });
      const timer = setTimeout(() => child.kill('SIGKILL'), options.secondsMax * 1000);
      child.once('error', reject);
      child.once('close', (code) => {
        clearTimeout(timer);
        resolve(code);
      });
    });
    return { status, output: readFileSync(options.log, 'utf8') };
  } finally {
    closeSync(log);
  }
}

/** Runs a step of an installation; throws with the end of its log. */
export async function mustRun(
  program: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<string> {
  const { status, output } = await runProgram(program, args, options);
  if (status === 0) return output;
  throw new Error(`${program} ${args.join(' ')}: ${output.slice(-2000)}`);
}

export function writeResults(folder: string, results: readonly TestResult[]): void {
  const lines = results.map(({ outcome, name, detail }) => `${outcome} ${name} ${detail}`.trim());
  writeFileSync(join(folder, 'results.txt'), `${lines.join('\n')}\n`);
}
