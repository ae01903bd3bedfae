import { createHistogram } from 'node:perf_hooks';

export interface LatencySummary {
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly p9999: number;
  readonly max: number;
}

const MICROSECONDS = 1000;
/** An hour: longer ones are counted as an hour. */
const HIGHEST_US = 3_600_000_000;

/** Latencies in ms, kept as a histogram with three significant digits. */
export class LatencyRecorder {
  private readonly histogram = createHistogram({ lowest: 1, highest: HIGHEST_US, figures: 3 });
  private recorded = 0;

  get count(): number {
    return this.recorded;
  }

  record(ms: number): void {
    const microseconds = Math.round(ms * MICROSECONDS);
    this.histogram.record(Math.min(Math.max(microseconds, 1), HIGHEST_US));
    this.recorded++;
  }

  reset(): void {
    this.histogram.reset();
    this.recorded = 0;
  }

  /** In ms; null when nothing was recorded. */
  summary(): LatencySummary | null {
    if (this.recorded === 0) return null;
    const at = (percentile: number): number => this.histogram.percentile(percentile) / MICROSECONDS;
    return {
      min: this.histogram.min / MICROSECONDS,
      mean: Number((this.histogram.mean / MICROSECONDS).toFixed(3)),
      p50: at(50),
      p75: at(75),
      p90: at(90),
      p95: at(95),
      p99: at(99),
      p999: at(99.9),
      p9999: at(99.99),
      max: this.histogram.max / MICROSECONDS,
    };
  }
}
