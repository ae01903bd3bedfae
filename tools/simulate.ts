/**
 * Runs the deterministic simulator of the storage engine (test/simulation) over many seeds.
 *
 *   npm run simulate -- [--seeds N] [--seed FIRST] [--workers N] [--canary] [--trace]
 *
 * Progress goes to stderr, a summary to stdout. A failed seed is run again with a trace, whose end is printed;
 * `--seed S --seeds 1 --trace` prints all of it. --canary makes the engine acknowledge before fsync and succeeds
 * when that is found.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { canaryEngine, localEngine } from '../test/simulation/factories.ts';
import { simulate } from '../test/simulation/simulation.ts';
import type { SimulationResult } from '../test/simulation/simulation.ts';

const TRACE_LINES = 60;

interface Totals {
  seeds: number;
  steps: number;
  virtualMs: number;
  readonly counters: Record<string, number>;
  readonly failures: SimulationResult[];
}

const { values: flags } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    canary: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
  },
});
const firstSeed = Number(flags.seed);
const seedCount = Number(flags.seeds);
const factory = flags.canary ? canaryEngine : localEngine;

function newTotals(): Totals {
  return { seeds: 0, steps: 0, virtualMs: 0, counters: {}, failures: [] };
}

function add(totals: Totals, result: SimulationResult): void {
  totals.seeds++;
  totals.steps += result.steps;
  totals.virtualMs += result.virtualMs;
  for (const [name, count] of Object.entries(result.counters)) {
    totals.counters[name] = (totals.counters[name] ?? 0) + count;
  }
  if (result.violation !== null) totals.failures.push(result);
}

/** Runs every stride-th seed here, telling about each; a canary that was found needs no more. */
async function runSeeds(
  first: number,
  stride: number,
  tell: (result: SimulationResult) => void,
): Promise<void> {
  for (let seed = first; seed < firstSeed + seedCount; seed += stride) {
    const result = await simulate(seed, factory);
    tell(result);
    if (flags.canary && result.violation !== null) return;
  }
}

function runWorkers(workers: number, tell: (result: SimulationResult) => void): Promise<unknown> {
  const script = fileURLToPath(import.meta.url);
  return Promise.all(
    Array.from({ length: workers }, (_, index) => {
      const child = fork(script, [...process.argv.slice(2), '--workers', '1'], {
        env: { ...process.env, LYREBIRD_SIMULATE_WORKER: `${index}/${workers}` },
      });
      child.on('message', (result) => tell(result as SimulationResult)); // sent by the branch below
      return new Promise((resolve, reject) => {
        child.on('error', reject);
        child.on('exit', resolve);
      });
    }),
  );
}

function showProgress(totals: Totals, startMs: number): void {
  const seconds = (performance.now() - startMs) / 1000;
  const rate = Math.round(totals.seeds / seconds);
  process.stderr.write(
    `\r${totals.seeds} of ${seedCount} seeds, ${rate}/s, ${totals.failures.length} failed `,
  );
}

async function explain(failure: SimulationResult): Promise<void> {
  const again = await simulate(failure.seed, factory, { trace: true });
  console.log(`\nseed ${failure.seed}: ${failure.violation}`);
  if (again.violation !== failure.violation) {
    console.log(`  (run again, it gave: ${again.violation})`);
  }
  const lines = flags.trace ? again.trace : again.trace.slice(-TRACE_LINES);
  for (const line of lines) console.log(`  ${line}`);
}

function summarize(totals: Totals, startMs: number): void {
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const counted = Object.entries(totals.counters)
    .sort()
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
  const hours = (totals.virtualMs / 3_600_000).toFixed(1);
  console.log(`${totals.seeds} seeds, ${totals.steps} steps, ${hours} h simulated in ${seconds} s`);
  console.log(counted);
}

async function main(): Promise<number> {
  const startMs = performance.now();
  const totals = newTotals();
  const workers = Math.min(Number(flags.workers), Math.ceil(seedCount / 50));
  const tell = (result: SimulationResult): void => {
    add(totals, result);
    if (totals.seeds % 20 === 0) showProgress(totals, startMs);
  };
  if (workers > 1) await runWorkers(workers, tell);
  else await runSeeds(firstSeed, 1, tell);
  showProgress(totals, startMs);
  process.stderr.write('\n');
  totals.failures.sort((a, b) => a.seed - b.seed);
  for (const failure of totals.failures.slice(0, 3)) await explain(failure);
  if (totals.failures.length > 3) {
    const more = totals.failures.slice(3, 40).map(({ seed, violation }) => `${seed}: ${violation}`);
    console.log(`\nalso failed:\n  ${more.join('\n  ')}`);
  } else if (flags.trace && totals.failures.length === 0 && seedCount === 1) {
    const { trace } = await simulate(firstSeed, factory, { trace: true });
    for (const line of trace) console.log(line);
  }
  summarize(totals, startMs);
  if (flags.canary) {
    console.log(totals.failures.length > 0 ? 'the canary was found' : 'THE CANARY WAS NOT FOUND');
    return totals.failures.length > 0 ? 0 : 1;
  }
  const failed = totals.failures.length;
  console.log(failed === 0 ? 'no violation' : `${failed} seeds failed`);
  return failed === 0 && totals.seeds === seedCount ? 0 : 1;
}

const worker = process.env['LYREBIRD_SIMULATE_WORKER'];
if (worker === undefined) {
  process.exitCode = await main();
} else {
  const [index = 0, workers = 1] = worker.split('/').map(Number);
  await runSeeds(firstSeed + index, workers, (result) => void process.send?.(result));
  process.disconnect();
}
