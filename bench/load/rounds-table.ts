import type { Sample } from './generator.ts';

/** One row in one round, on both brokers. */
export interface Pair {
  readonly lyrebird: Sample;
  readonly peer: Sample | null;
}

/** Deliveries per CPU-second of the broker; where nothing is delivered, acknowledgements. */
export const figure = (sample: Sample): number => sample.per_cpu_s;

export const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;

export function human(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  return value >= 1e3 ? `${(value / 1e3).toFixed(1)}k` : String(Math.round(value));
}

/** A line per row: medians over the rounds, least and most in brackets. */
export function roundsTable(peer: string, results: ReadonlyMap<string, readonly Pair[]>): string {
  const lines = [
    `| workload | ${peer} msg/s | ${peer} per CPU-s (min..max) | Lyrebird msg/s | Lyrebird per CPU-s (min..max) | ratio (min..max) | p99 µs ${peer} / Lyrebird |`,
    '|---|---|---|---|---|---|---|',
  ];
  for (const [name, pairs] of results) {
    const ours = pairs.map((pair) => pair.lyrebird);
    const theirs = pairs.flatMap((pair) => (pair.peer === null ? [] : [pair.peer]));
    const ratios = pairs.flatMap((pair) =>
      pair.peer === null ? [] : [figure(pair.lyrebird) / figure(pair.peer)],
    );
    const cells = [
      name,
      rate(theirs),
      range(theirs),
      rate(ours),
      range(ours),
      ratios.length === 0 ? '-' : `**${median(ratios).toFixed(2)}x** (${spread(ratios, 2)})`,
      `${p99(theirs)} / ${p99(ours)}`,
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

const spread = (numbers: readonly number[], digits: number): string =>
  `${Math.min(...numbers).toFixed(digits)}..${Math.max(...numbers).toFixed(digits)}`;

function range(samples: readonly Sample[]): string {
  if (samples.length === 0) return '-';
  const figures = samples.map(figure);
  const ends = `${human(Math.min(...figures))}..${human(Math.max(...figures))}`;
  return `${human(median(figures))} (${ends})`;
}

const rate = (samples: readonly Sample[]): string =>
  samples.length === 0 ? '-' : human(median(samples.map((s) => s.del_s || s.ack_s)));

const p99 = (samples: readonly Sample[]): string =>
  samples.length === 0 ? '-' : String(Math.round(median(samples.map((s) => s.p99_us))));
