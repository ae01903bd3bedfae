import { closeSync, openSync, writeSync } from 'node:fs';
import type { Terminal } from '../terminal.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { renderFacts } from '../output.ts';
import { LatencyRecorder, type LatencySummary } from './latency.ts';

export interface BenchResult {
  readonly kind: 'producer' | 'consumer' | 'e2e';
  readonly topic: string;
  readonly records: number;
  readonly bytes: number;
  readonly errors: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  readonly mebibytesPerSecond: number;
  readonly latencyMs: LatencySummary | null;
}

const MIB = 1024 * 1024;
const TTY_INTERVAL_MS = 1_000;
const LINE_INTERVAL_MS = 5_000;
const CSV_COLUMNS = 'elapsed_s,records,records_per_s,mib_per_s,p50_ms,p99_ms,p999_ms,max_ms';

/** Collects what a benchmark did, tells progress meanwhile, and makes the result. */
export class BenchReport {
  records = 0;
  bytes = 0;
  errors = 0;
  firstError: Error | null = null;
  readonly latency = new LatencyRecorder();
  private readonly kind: BenchResult['kind'];
  private readonly topic: string;
  private readonly terminal: Terminal;
  private readonly interval = new LatencyRecorder();
  private readonly csv: number | null;
  private readonly quiet: boolean;
  private timer: NodeJS.Timeout | null = null;
  private startMs = 0;
  private lastMs = 0;
  private lastRecords = 0;
  private lastBytes = 0;

  constructor(
    terminal: Terminal,
    options: {
      readonly kind: BenchResult['kind'];
      readonly topic: string;
      readonly csv: string | null;
      readonly quiet: boolean;
    },
  ) {
    this.terminal = terminal;
    this.kind = options.kind;
    this.topic = options.topic;
    this.quiet = options.quiet;
    this.csv = options.csv === null ? null : openCsv(options.csv);
  }

  start(): void {
    this.startMs = performance.now();
    this.lastMs = this.startMs;
    const everyMs =
      this.terminal.stderrIsTty || this.csv !== null ? TTY_INTERVAL_MS : LINE_INTERVAL_MS;
    this.timer = setInterval(() => this.tick(), everyMs);
    this.timer.unref();
  }

  recordLatency(ms: number): void {
    this.latency.record(ms);
    this.interval.record(ms);
  }

  addErrors(count: number, error: Error): void {
    this.errors += count;
    this.firstError ??= error;
  }

  /** endMs: when the last message was done, where waiting for the end took longer. */
  finish(endMs = performance.now()): BenchResult {
    if (this.timer !== null) clearInterval(this.timer);
    this.tick();
    if (this.terminal.stderrIsTty && !this.quiet) this.terminal.err('\n');
    if (this.csv !== null) closeSync(this.csv);
    const seconds = Math.max(endMs - this.startMs, 0.001) / 1000;
    return {
      kind: this.kind,
      topic: this.topic,
      records: this.records,
      bytes: this.bytes,
      errors: this.errors,
      seconds: round(seconds),
      recordsPerSecond: round(this.records / seconds),
      mebibytesPerSecond: round(this.bytes / MIB / seconds),
      latencyMs: this.latency.summary(),
    };
  }

  private tick(): void {
    const nowMs = performance.now();
    const seconds = (nowMs - this.lastMs) / 1000;
    const records = this.records - this.lastRecords;
    const rate = records / Math.max(seconds, 0.001);
    const mibs = (this.bytes - this.lastBytes) / MIB / Math.max(seconds, 0.001);
    const latency = this.interval.summary();
    this.lastMs = nowMs;
    this.lastRecords = this.records;
    this.lastBytes = this.bytes;
    this.interval.reset();
    if (records === 0 && this.records > 0 && seconds < 0.5) return;
    if (this.csv !== null) {
      const elapsed = ((nowMs - this.startMs) / 1000).toFixed(1);
      const tail =
        latency === null ? ',,,' : `${latency.p50},${latency.p99},${latency.p999},${latency.max}`;
      writeSync(this.csv, `${elapsed},${records},${rate.toFixed(1)},${mibs.toFixed(2)},${tail}\n`);
    }
    if (this.quiet) return;
    const line = `${this.records} records, ${rate.toFixed(0)} records/s, ${mibs.toFixed(2)} MiB/s${
      latency === null ? '' : `, p50 ${latency.p50.toFixed(2)} ms, p99 ${latency.p99.toFixed(2)} ms`
    }`;
    this.terminal.err(this.terminal.stderrIsTty ? `\r\u001b[2K${line}` : `${line}\n`);
  }
}

/** The result for people. */
export function renderResult(result: BenchResult): string {
  const facts: [string, string][] = [
    [
      'Records',
      `${result.records} in ${result.seconds} s${result.errors > 0 ? `, ${result.errors} failed` : ''}`,
    ],
    ['Rate', `${result.recordsPerSecond} records/s, ${result.mebibytesPerSecond} MiB/s`],
  ];
  const { latencyMs } = result;
  if (latencyMs !== null) {
    for (const name of ['mean', 'p50', 'p90', 'p95', 'p99', 'p999', 'p9999', 'max'] as const) {
      facts.push([
        name === 'mean' ? 'Latency mean' : `        ${name}`,
        `${latencyMs[name].toFixed(3)} ms`,
      ]);
    }
  }
  return renderFacts(facts);
}

function openCsv(path: string): number {
  try {
    const file = openSync(path, 'w');
    writeSync(file, `${CSV_COLUMNS}\n`);
    return file;
  } catch (cause) {
    throw new CommandError(EXIT.failure, `cannot write ${path}`, { cause });
  }
}

function round(value: number): number {
  return Number(value.toFixed(3));
}
