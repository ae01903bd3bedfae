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
  const labelTexts = new LabelTexts();
  for (const { name, help, type, samples } of families) {
    lines.push(`# HELP ${name} ${escapeHelp(help)}`);
    lines.push(`# TYPE ${name} ${type}`);
    for (const { labels, value, suffix = '' } of samples) {
      lines.push(`${name}${suffix}${labelTexts.of(labels)} ${renderNumber(value)}`);
    }
  }
  lines.push('');
  return lines.join('\n');
}

/** Families about the same things share their labels, so each object is rendered once. */
class LabelTexts {
  private readonly texts = new Map<MetricSample['labels'], string>();

  of(labels: MetricSample['labels']): string {
    let text = this.texts.get(labels);
    if (text === undefined) {
      text = renderLabels(labels);
      this.texts.set(labels, text);
    }
    return text;
  }
}

function renderLabels(labels: MetricSample['labels']): string {
  const pairs = Object.keys(labels).map(
    (label) => `${label}="${escapeLabel(labels[label] ?? '')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function renderNumber(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return Number.isNaN(value) ? 'NaN' : String(value);
}

function escapeHelp(text: string): string {
  if (!text.includes('\\') && !text.includes('\n')) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabel(text: string): string {
  const escaped = escapeHelp(text);
  return escaped.includes('"') ? escaped.replaceAll('"', '\\"') : escaped;
}
