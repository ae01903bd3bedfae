import type { MetricSample } from '../../telemetry/metric-family.ts';

/** RabbitMQ's buckets of body sizes, in bytes. */
const BOUNDS = [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 50_000_000, 100_000_000];

/** How large messages are: a few comparisons for each. */
export class MessageSizes {
  /** Messages up to each bound and above the one before; the last for larger ones. */
  private readonly counts = new Float64Array(BOUNDS.length + 1);
  private sum = 0;

  record(bytes: number): void {
    let bucket = 0;
    while (bucket < BOUNDS.length && bytes > BOUNDS[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sum += bytes;
  }

  /** As Prometheus reads a histogram. */
  samples(labels: Readonly<Record<string, string>>): MetricSample[] {
    let count = 0;
    const samples: MetricSample[] = [...BOUNDS, Infinity].map((bound, i) => {
      count += this.counts[i]!;
      const le = bound === Infinity ? '+Inf' : String(bound);
      return { labels: { ...labels, le }, suffix: '_bucket', value: count };
    });
    samples.push({ labels, suffix: '_sum', value: this.sum });
    samples.push({ labels, suffix: '_count', value: count });
    return samples;
  }
}
