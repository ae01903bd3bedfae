import type { MetricSample } from './metric-family.ts';

/** Sub-buckets per power of two: values are told to within 1/16. */
const SUB_BITS = 4;
const SUB_COUNT = 1 << SUB_BITS;
const OCTAVES = 32;
const BUCKETS = SUB_COUNT * (OCTAVES + 1);

/** What a histogram had seen at some time, to tell what it has seen since. */
export interface HistogramMark {
  readonly count: number;
  readonly buckets: Float64Array;
}

/**
 * A histogram of non-negative values, such as latencies in microseconds, with buckets that grow with the value
 * (log-linear): 16 per power of two, in one typed array. Recording is a few instructions and allocates nothing.
 * Values from 2^36 on count as the largest.
 */
export class Histogram {
  count = 0;
  sum = 0;
  max = 0;
  private readonly buckets = new Float64Array(BUCKETS);

  record(value: number): void {
    const whole = value <= 0 ? 0 : Math.floor(value);
    this.count++;
    this.sum += value;
    if (value > this.max) this.max = value;
    const index = bucketIndex(whole);
    this.buckets[index] = this.buckets[index]! + 1;
  }

  mark(): HistogramMark {
    return { count: this.count, buckets: this.buckets.slice() };
  }

  /** The smallest bucket bound that at least this share (0..1) of the values (since a mark) is at or below; 0 when empty. */
  quantile(share: number, since: HistogramMark | null = null): number {
    const count = this.count - (since?.count ?? 0);
    if (count <= 0) return 0;
    const rank = Math.max(1, Math.ceil(share * count));
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.buckets[i]! - (since?.buckets[i] ?? 0);
      if (seen >= rank) return Math.min(bucketLimit(i), this.max);
    }
    return this.max;
  }

  /** How many values are at or below the bound, exact where the bound is a power of two. */
  countUpTo(bound: number): number {
    let seen = 0;
    for (let i = 0; i < BUCKETS && bucketLimit(i) <= bound; i++) seen += this.buckets[i]!;
    return seen;
  }

  reset(): void {
    this.count = 0;
    this.sum = 0;
    this.max = 0;
    this.buckets.fill(0);
  }

  /** Prometheus series of this histogram; bounds and values are multiplied by scale (1e-6: microseconds to seconds). */
  samples(
    labels: Readonly<Record<string, string>>,
    options: { readonly bounds: readonly number[]; readonly scale: number },
  ): MetricSample[] {
    const out: MetricSample[] = options.bounds.map((bound) => ({
      labels: { ...labels, le: String(bound * options.scale) },
      suffix: '_bucket',
      value: this.countUpTo(bound),
    }));
    out.push({ labels: { ...labels, le: '+Inf' }, suffix: '_bucket', value: this.count });
    out.push({ labels, suffix: '_sum', value: this.sum * options.scale });
    out.push({ labels, suffix: '_count', value: this.count });
    return out;
  }
}

/** Below 16 each value has its bucket; above, the highest bit chooses the octave and the next four the bucket. */
function bucketIndex(value: number): number {
  if (value < SUB_COUNT) return value;
  const exponent = value < 2 ** 32 ? 31 - Math.clz32(value) : Math.floor(Math.log2(value));
  const octave = exponent - SUB_BITS;
  if (octave >= OCTAVES) return BUCKETS - 1;
  const sub = Math.floor(value / 2 ** octave) - SUB_COUNT;
  return SUB_COUNT * (octave + 1) + Math.min(Math.max(sub, 0), SUB_COUNT - 1);
}

/** The largest whole value of a bucket. */
function bucketLimit(index: number): number {
  if (index < SUB_COUNT) return index;
  const octave = Math.floor(index / SUB_COUNT) - 1;
  return (SUB_COUNT + (index % SUB_COUNT) + 1) * 2 ** octave - 1;
}
