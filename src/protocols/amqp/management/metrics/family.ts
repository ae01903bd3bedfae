import type { MetricFamily, MetricSample } from '../../../../telemetry/metric-family.ts';

export type Labels = Readonly<Record<string, string>>;
type Type = 'counter' | 'gauge';

/** Names end with _total exactly when they count. */
export function family(name: string, help: string, samples: readonly MetricSample[]): MetricFamily {
  return { name, help, type: typeOf(name), samples };
}

export function single(
  name: string,
  help: string,
  value: number,
  labels: Labels = {},
): MetricFamily {
  return family(name, help, [{ labels, value }]);
}

function typeOf(name: string): Type {
  return name.endsWith('_total') ? 'counter' : 'gauge';
}

/** One number that objects of a kind have: told as a sum, or for each. */
export interface Column<T> {
  /** Behind the prefix: queue_messages_ready. */
  readonly name: string;
  readonly help: string;
  /** Where /metrics/detailed has it. */
  readonly group: string;
  readonly value: (object: T) => number;
  /** A sum of it means nothing. */
  readonly onlyEach?: true;
}

/** Sums of all objects. */
export function summed<T>(
  prefix: string,
  columns: readonly Column<T>[],
  objects: Iterable<T>,
): readonly MetricFamily[] {
  const added = columns.filter(({ onlyEach }) => onlyEach !== true);
  const sums = added.map(() => 0);
  for (const object of objects) {
    for (const [i, { value }] of added.entries()) sums[i] = (sums[i] ?? 0) + value(object);
  }
  return added.map(({ name, help }, i) => single(prefix + name, help, sums[i] ?? 0));
}

/** A sample for each object; labels are made once for each. */
export function* each<T>(
  prefix: string,
  columns: readonly Column<T>[],
  objects: readonly { readonly labels: Labels; readonly object: T }[],
): Iterable<MetricFamily> {
  for (const { name, help, value } of columns) {
    const samples = objects.map(({ labels, object }) => ({ labels, value: value(object) }));
    yield family(prefix + name, help, samples);
  }
}
