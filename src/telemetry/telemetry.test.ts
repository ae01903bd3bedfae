import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { EventLoopIdle } from './event-loop-idle.ts';
import { Histogram } from './histogram.ts';
import { silentLogger } from './logger.ts';
import type { MetricFamily } from './metric-family.ts';
import { MetricsRegistry } from './metrics-registry.ts';
import { createLogger } from './pino-logger.ts';
import { prettyLine } from './pretty-line.ts';
import { ProcessMetrics } from './process-metrics.ts';
import { renderPrometheus } from './prometheus-text.ts';
import { RepeatLimiter } from './repeat-limiter.ts';

const family = (name: string, values: number[]): MetricFamily => ({
  name,
  help: 'h',
  type: 'gauge',
  samples: values.map((value, i) => ({ labels: { i: String(i) }, value })),
});

describe('renderPrometheus', () => {
  it('escapes help and labels, and writes special numbers', () => {
    const text = renderPrometheus([
      {
        name: 'x_total',
        help: 'line\nand \\',
        type: 'counter',
        samples: [
          { labels: { topic: 'a"b\\c\n' }, value: 1.5 },
          { labels: {}, value: Infinity },
        ],
      },
    ]);
    assert.equal(
      text,
      '# HELP x_total line\\nand \\\\\n# TYPE x_total counter\nx_total{topic="a\\"b\\\\c\\n"} 1.5\nx_total +Inf\n',
    );
  });
});

describe('MetricsRegistry', () => {
  it('merges families, survives a failing source and bounds the series', () => {
    const registry = new MetricsRegistry(silentLogger, 3);
    registry.add({ metrics: () => [family('b', [1]), family('a', [1])] });
    registry.add({
      metrics: () => {
        throw new Error('broken');
      },
    });
    registry.add({ metrics: () => [family('b', [2, 3])] });
    const families = registry.collect();
    assert.deepEqual(
      families
        .filter((f) => !f.name.startsWith('lyrebird_'))
        .map((f) => [f.name, f.samples.length]),
      [
        ['a', 1],
        ['b', 2],
      ],
    );
    const text = registry.scrape();
    assert.match(text, /lyrebird_metrics_series_dropped_total 2/);
    assert.match(text, /lyrebird_metrics_failures_total 2/);
  });
});

describe('Histogram', () => {
  it('tells quantiles to within a sixteenth', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(50_000_000), { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const histogram = new Histogram();
          for (const value of values) histogram.record(value);
          const sorted = [...values].sort((a, b) => a - b);
          const exact = sorted[Math.max(1, Math.ceil(share * values.length)) - 1]!;
          const told = histogram.quantile(share);
          assert.ok(told >= exact && told <= exact * (1 + 1 / 16) + 1, `${told} for ${exact}`);
        },
      ),
    );
  });

  it('counts up to bounds and renders Prometheus buckets', () => {
    const histogram = new Histogram();
    for (const value of [1, 3, 900, 5_000_000, 2 ** 40]) histogram.record(value);
    const samples = histogram.samples({ api: 'Fetch' }, { bounds: [1023, 2 ** 23 - 1], scale: 1 });
    assert.deepEqual(
      samples.map((s) => [s.suffix, s.labels.le, s.value]),
      [
        ['_bucket', '1023', 3],
        ['_bucket', '8388607', 4],
        ['_bucket', '+Inf', 5],
        ['_sum', undefined, 904 + 5_000_000 + 2 ** 40],
        ['_count', undefined, 5],
      ],
    );
    histogram.reset();
    assert.equal(histogram.quantile(0.5), 0);
  });
});

describe('ProcessMetrics', () => {
  it('tells memory, CPU and the event loop', () => {
    const metrics = new ProcessMetrics();
    metrics.start();
    const names = [...metrics.metrics()].map((f) => f.name);
    metrics.close();
    for (const name of [
      'process_resident_memory_bytes',
      'process_cpu_seconds_total',
      'process_start_time_seconds',
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_gc_seconds_total',
    ]) {
      assert.ok(names.includes(name), name);
    }
  });
});

describe('createLogger', () => {
  it('writes JSON lines with event, level, fields and errors, also of children', () => {
    const lines: string[] = [];
    const logger = createLogger({
      level: 'info',
      format: 'json',
      write: (line) => void lines.push(line),
    });
    logger.debug('x.hidden', 'no');
    const child = logger.child({ part: 'net' });
    child.warn('x.seen', 'yes', { count: 2, err: new Error('why') });
    const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.equal(lines.length, 1);
    assert.equal(line.level, 'warn');
    assert.equal(line.event, 'x.seen');
    assert.equal(line.part, 'net');
    assert.equal(line.count, 2);
    assert.equal((line.err as { message: string }).message, 'why');
    logger.setLevel('error');
    child.warn('x.seen', 'no more');
    assert.equal(lines.length, 1);
  });

  it('leaves out repeats and says how many', () => {
    let nowMs = 0;
    const limiter = new RepeatLimiter(() => nowMs);
    const passed = Array.from({ length: 25 }, () => limiter.admit('e')).filter((n) => n >= 0);
    assert.equal(passed.length, 10);
    nowMs = 10_000;
    assert.equal(limiter.admit('e'), 15);
    assert.equal(limiter.admit('other'), 0);
  });

  it('has a readable form', () => {
    const json = JSON.stringify({
      level: 'warn',
      time: '2026-01-01T00:00:00.005Z',
      event: 'a.b',
      msg: 'careful',
      path: 'a b',
      count: 1,
    });
    assert.match(
      prettyLine(json, { color: false }),
      /^\d\d:\d\d:\d\d\.005 WARN  careful \(a\.b\) path="a b" count=1\n$/,
    );
    assert.equal(prettyLine('not json', { color: false }), 'not json');
  });
});

describe('Histogram since a mark', () => {
  it('tells quantiles of what came afterwards', () => {
    const histogram = new Histogram();
    for (let i = 0; i < 1000; i++) histogram.record(5000);
    const mark = histogram.mark();
    assert.equal(histogram.quantile(0.5, mark), 0);
    for (let i = 0; i < 10; i++) histogram.record(10);
    assert.equal(histogram.quantile(0.99, mark), 10);
    assert.ok(histogram.quantile(0.5) >= 4096);
  });
});

describe('EventLoopIdle', () => {
  it('is a share', () => {
    const idle = new EventLoopIdle();
    for (let i = 0; i < 3; i++) {
      const share = idle.share();
      assert.ok(share >= 0 && share <= 1);
    }
  });
});
