import { Histogram } from '../../../telemetry/histogram.ts';
import type { HistogramMark } from '../../../telemetry/histogram.ts';

/** Quantiles tell of the last one to two windows; Kafka's decaying samples tell of about five minutes. */
const WINDOW_MS = 150_000;

/** How long requests of one API took, from their arrival to their response. */
export class ApiTimes {
  /** Microseconds. */
  readonly histogram = new Histogram();
  /** What was seen one to two windows ago, and less than a window ago; moved on by whoever asks. */
  private older: HistogramMark | null = null;
  private newer: HistogramMark | null = null;
  private newerAtMs = 0;

  /** Null when the API was not used lately. */
  recentMs(shares: readonly number[], nowMs: number): number[] | null {
    this.moveOn(nowMs);
    if (this.histogram.count === (this.older?.count ?? 0)) return null;
    return shares.map((share) => this.histogram.quantile(share, this.older) / 1000);
  }

  private moveOn(nowMs: number): void {
    if (nowMs - this.newerAtMs < WINDOW_MS) return;
    this.older = this.newer;
    this.newer = this.histogram.mark();
    this.newerAtMs = nowMs;
  }
}

/** Times of all requests, by API key. Recording allocates on the first request of an API only. */
export class RequestTimes {
  private readonly apis: (ApiTimes | undefined)[] = [];

  record(apiKey: number, tookMs: number): void {
    const times = (this.apis[apiKey] ??= new ApiTimes());
    times.histogram.record(tookMs * 1000);
  }

  of(apiKey: number): ApiTimes | null {
    return this.apis[apiKey] ?? null;
  }
}
