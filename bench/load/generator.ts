import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the generators print, as far as it is used here. */
export interface Sample {
  readonly pub_s: number;
  readonly del_s: number;
  readonly ack_s: number;
  readonly per_cpu_s: number;
  readonly srv_cpu: number;
  readonly gen_cpu: number;
  readonly p50_us: number;
  readonly p99_us: number;
  readonly rss_mb: number;
  readonly lost: number;
}

const TOOLS = join(tmpdir(), 'lyrebird-bench-tools');

/** Compiles these C files of this folder. */
export function buildTools(names: readonly string[]): void {
  mkdirSync(TOOLS, { recursive: true });
  for (const name of names) {
    const source = fileURLToPath(new URL(`${name}.c`, import.meta.url));
    const run = spawnSync('gcc', ['-O2', '-o', join(TOOLS, name), source], { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(`gcc failed: ${run.stderr}`);
  }
}

/** Runs a generator on core 1; null when it ended without a result. Its complaints go to standard error after label. */
export function generate(tool: string, args: readonly string[], label: string): Sample | null {
  const command = ['-c', '1', join(TOOLS, tool), ...args];
  const run = spawnSync('taskset', command, { encoding: 'utf8', timeout: 180_000 });
  if (run.stderr !== '') process.stderr.write(`  ${label}: ${run.stderr}`);
  const line = run.stdout.trim().split('\n').at(-1);
  return line?.startsWith('{') === true ? (JSON.parse(line) as Sample) : null;
}

/** How fast core 0 is now. */
export function calibrate(): unknown {
  const run = spawnSync('taskset', ['-c', '0', join(TOOLS, 'calib')], { encoding: 'utf8' });
  return run.stdout.startsWith('{') ? JSON.parse(run.stdout) : null;
}
