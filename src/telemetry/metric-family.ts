/** One sample of a family. suffix distinguishes the series of a histogram or summary (`_bucket`, `_sum`, `_count`). */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly suffix?: string;
}

/** Counters of one part of the broker, read at scrape time: Prometheus metric name -> help, type and samples. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly samples: readonly MetricSample[];
}

/** Anything that has metrics. Called once per scrape. */
export interface MetricSource {
  metrics(): Iterable<MetricFamily>;
}
