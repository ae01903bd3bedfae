import type { MetricFamily, MetricSample } from '../../../telemetry/metric-family.ts';

/** A gauge with the one value, or several series. */
export function gauge(
  name: string,
  help: string,
  value: number | readonly MetricSample[],
): MetricFamily {
  return { name, help, type: 'gauge', samples: samplesOf(value) };
}

export function counter(
  name: string,
  help: string,
  value: number | readonly MetricSample[],
): MetricFamily {
  return { name, help, type: 'counter', samples: samplesOf(value) };
}

function samplesOf(value: number | readonly MetricSample[]): readonly MetricSample[] {
  return typeof value === 'number' ? [{ labels: {}, value }] : value;
}
