import type { MetricFamily, MetricSample } from './metric-family.ts';

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * The text exposition format of Prometheus, version 0.0.4:
 *
 *   # HELP name text
 *   # TYPE name counter|gauge|histogram|summary
 *   name{label="value",...} number
 */
export function renderPrometheus(families: Iterable<MetricFamily>): string {
  const lines: string[] = [];
  for (const family of families) {
    lines.push(`# HELP ${family.name} ${escapeHelp(family.help)}`);
    lines.push(`# TYPE ${family.name} ${family.type}`);
    for (const sample of family.samples) lines.push(renderSample(family.name, sample));
  }
  lines.push('');
  return lines.join('\n');
}

function renderSample(name: string, { labels, value, suffix = '' }: MetricSample): string {
  let pairs = '';
  for (const label of Object.keys(labels)) {
    if (pairs !== '') pairs += ',';
    pairs += `${label}="${escapeLabel(labels[label] ?? '')}"`;
  }
  const series = pairs === '' ? `${name}${suffix}` : `${name}${suffix}{${pairs}}`;
  return `${series} ${renderNumber(value)}`;
}

function renderNumber(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return Number.isNaN(value) ? 'NaN' : String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
