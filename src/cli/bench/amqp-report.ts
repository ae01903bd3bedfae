import { closeSync, openSync, writeSync } from 'node:fs';
import { CommandError, EXIT } from '../exit-codes.ts';
import { renderFacts } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { LatencyRecorder, type LatencySummary } from './latency.ts';

export interface AmqpResult {
  readonly kind: 'amqp';
  readonly id: string;
  readonly seconds: number;
  readonly sent: number;
  readonly confirmed: number;
  readonly nacked: number;
  readonly returned: number;
  readonly received: number;
  readonly receivedBytes: number;
  readonly sentPerSecond: number;
  readonly receivedPerSecond: number;
  /** From sending to the arrival here. */
  readonly latencyMs: LatencySummary | null;
  /** From sending to the confirm. */
  readonly confirmLatencyMs: LatencySummary | null;
}

const COUNTS = ['sent', 'returned', 'confirmed', 'nacked', 'received'] as const;
const CSV_COLUMNS =
  'id,time_s,published,returned,confirmed,nacked,received,' +
  'latency_p50_ms,latency_p75_ms,latency_p95_ms,latency_p99_ms,' +
  'confirm_p50_ms,confirm_p75_ms,confirm_p95_ms,confirm_p99_ms';

/** Counts of one run, with a line per interval. */
export class AmqpReport {
  sent = 0;
  returned = 0;
  confirmed = 0;
  nacked = 0;
  received = 0;
  receivedBytes = 0;
  /** When the last message arrived, by performance.now(). */
  lastReceivedMs = 0;
  lastSentMs = 0;
  readonly id: string;
  private readonly latency = new LatencyRecorder();
  private readonly confirmLatency = new LatencyRecorder();
  private readonly intervalLatency = new LatencyRecorder();
  private readonly intervalConfirm = new LatencyRecorder();
  private readonly terminal: Terminal;
  private readonly quiet: boolean;
  private readonly csv: number | null;
  private readonly intervalMs: number;
  private timer: NodeJS.Timeout | null = null;
  private startMs = 0;
  private lastTickMs = 0;
  private readonly before = { sent: 0, returned: 0, confirmed: 0, nacked: 0, received: 0 };

  constructor(
    terminal: Terminal,
    options: {
      readonly id: string;
      readonly csv: string | null;
      readonly quiet: boolean;
      readonly intervalMs: number;
    },
  ) {
    this.terminal = terminal;
    this.id = options.id;
    this.quiet = options.quiet;
    this.intervalMs = options.intervalMs;
    this.csv = options.csv === null ? null : openCsv(options.csv);
  }

  start(): void {
    this.startMs = this.lastTickMs = this.lastReceivedMs = this.lastSentMs = performance.now();
    this.timer = setInterval(() => this.tick(), this.intervalMs);
    this.timer.unref();
  }

  recordLatency(ms: number): void {
    this.latency.record(ms);
    this.intervalLatency.record(ms);
  }

  recordConfirm(ms: number): void {
    this.confirmLatency.record(ms);
    this.intervalConfirm.record(ms);
  }

  /** The last line; what comes later does not count. */
  stop(): void {
    if (this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
    this.tick();
  }

  finish(): AmqpResult {
    this.stop();
    if (this.csv !== null) closeSync(this.csv);
    const sendSeconds = Math.max(this.lastSentMs - this.startMs, 1) / 1000;
    const receiveSeconds = Math.max(this.lastReceivedMs - this.startMs, 1) / 1000;
    const { id, sent, confirmed, nacked, returned, received, receivedBytes } = this;
    return {
      kind: 'amqp',
      id,
      seconds: rounded(Math.max(sendSeconds, receiveSeconds)),
      sent,
      confirmed,
      nacked,
      returned,
      received,
      receivedBytes,
      sentPerSecond: rounded(sent / sendSeconds),
      receivedPerSecond: rounded(received / receiveSeconds),
      latencyMs: this.latency.summary(),
      confirmLatencyMs: this.confirmLatency.summary(),
    };
  }

  private tick(): void {
    const nowMs = performance.now();
    const seconds = (nowMs - this.lastTickMs) / 1000;
    this.lastTickMs = nowMs;
    const rates = COUNTS.map((name) => {
      const rate = (this[name] - this.before[name]) / Math.max(seconds, 0.001);
      this.before[name] = this[name];
      return rate;
    });
    const latency = this.intervalLatency.summary();
    const confirm = this.intervalConfirm.summary();
    this.intervalLatency.reset();
    this.intervalConfirm.reset();
    if (seconds < 0.1 && this.sent + this.received > 0) return;
    const elapsed = ((nowMs - this.startMs) / 1000).toFixed(3);
    if (this.csv !== null) {
      const counts = rates.map((rate) => rate.toFixed(1)).join(',');
      const percentiles = [...percentilesOf(latency), ...percentilesOf(confirm)].join(',');
      writeSync(this.csv, `${this.id},${elapsed},${counts},${percentiles}\n`);
    }
    if (this.quiet) return;
    const parts = COUNTS.map((name, index) => `${name} ${(rates[index] ?? 0).toFixed(0)} msg/s`);
    const shown = parts.filter((_, index) => this[COUNTS[index] ?? 'sent'] > 0);
    const line = [`${this.id}, ${elapsed} s`, ...shown, told('latency', latency)];
    this.terminal.err(
      `${[...line, told('confirm', confirm)].filter((text) => text !== '').join(', ')}\n`,
    );
  }
}

/** The result for people. */
export function renderAmqpResult(result: AmqpResult): string {
  const { sent, confirmed, nacked, returned, received } = result;
  const facts: [string, string][] = [];
  if (sent > 0) facts.push(['Sent', `${sent}, ${result.sentPerSecond} msg/s`]);
  if (confirmed + nacked > 0) facts.push(['Confirmed', `${confirmed}, ${nacked} refused`]);
  if (returned > 0) facts.push(['Returned', `${returned}: no queue took them`]);
  if (received > 0) facts.push(['Received', `${received}, ${result.receivedPerSecond} msg/s`]);
  if (facts.length === 0) facts.push(['Sent', '0']);
  for (const [title, summary] of [
    ['Latency', result.latencyMs],
    ['Confirm', result.confirmLatencyMs],
  ] as const) {
    if (summary === null) continue;
    for (const name of ['min', 'mean', 'p50', 'p95', 'p99', 'p999', 'max'] as const) {
      facts.push([`${title} ${name}`, `${summary[name].toFixed(3)} ms`]);
    }
  }
  return renderFacts(facts);
}

function percentilesOf(summary: LatencySummary | null): (number | string)[] {
  if (summary === null) return ['', '', '', ''];
  return [summary.p50, summary.p75, summary.p95, summary.p99];
}

function told(what: string, summary: LatencySummary | null): string {
  if (summary === null) return '';
  const { p50, p95, p99 } = summary;
  return `${what} p50/p95/p99 ${p50.toFixed(2)}/${p95.toFixed(2)}/${p99.toFixed(2)} ms`;
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

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
