import type { Logger } from './logger.ts';
import type { MetricFamily, MetricSample, MetricSource } from './metric-family.ts';
import { renderPrometheus } from './prometheus-text.ts';

/** Series of one scrape above it are left out, counted, and the scrape says so. */
const SERIES_MAX = 200_000;

/**
 * Asks every source when somebody scrapes. Families of the same name from several sources become one. A source
 * that fails costs its own families, not the scrape.
 */
export class MetricsRegistry {
  private readonly sources: MetricSource[] = [];
  private readonly logger: Logger;
  private readonly seriesMax: number;
  private scrapes = 0;
  private droppedTotal = 0;
  private failuresTotal = 0;

  constructor(logger: Logger, seriesMax = SERIES_MAX) {
    this.logger = logger;
    this.seriesMax = seriesMax;
  }

  add(source: MetricSource): void {
    this.sources.push(source);
  }

  /** Everything, as of now, by name. */
  collect(): MetricFamily[] {
    const merged = new Map<string, MetricFamily & { samples: MetricSample[] }>();
    let series = 0;
    for (const source of this.sources) {
      for (const family of this.familiesOf(source)) {
        const room = Math.max(0, this.seriesMax - series);
        const samples =
          family.samples.length > room ? family.samples.slice(0, room) : family.samples;
        this.droppedTotal += family.samples.length - samples.length;
        series += samples.length;
        const known = merged.get(family.name);
        if (known === undefined) merged.set(family.name, { ...family, samples: [...samples] });
        else for (const sample of samples) known.samples.push(sample);
      }
    }
    for (const family of this.ownFamilies()) merged.set(family.name, family);
    return [...merged.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Everything, as Prometheus reads it. */
  scrape(): string {
    this.scrapes++;
    return renderPrometheus(this.collect());
  }

  private familiesOf(source: MetricSource): MetricFamily[] {
    try {
      return [...source.metrics()];
    } catch (error) {
      this.failuresTotal++;
      this.logger.warn('metrics.source-failed', 'a part of the broker could not tell its metrics', {
        err: error,
      });
      return [];
    }
  }

  private ownFamilies(): (MetricFamily & { samples: MetricSample[] })[] {
    const own = (name: string, help: string, value: number) => ({
      name,
      help,
      type: 'counter' as const,
      samples: [{ labels: {}, value }],
    });
    return [
      own('lyrebird_metrics_scrapes_total', 'Scrapes answered.', this.scrapes),
      own(
        'lyrebird_metrics_series_dropped_total',
        'Series left out of scrapes because there were too many.',
        this.droppedTotal,
      ),
      own(
        'lyrebird_metrics_failures_total',
        'Parts of the broker that could not tell their metrics.',
        this.failuresTotal,
      ),
    ];
  }
}
