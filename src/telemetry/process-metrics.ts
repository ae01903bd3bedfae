import { readdirSync } from 'node:fs';
import {
  PerformanceObserver,
  monitorEventLoopDelay,
  performance,
  type IntervalHistogram,
} from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { MetricFamily, MetricSource } from './metric-family.ts';

const LOOP_RESOLUTION_MS = 20;

/**
 * What every Prometheus client library tells of a process (`process_*`, `nodejs_*`), read from the runtime.
 * Watching the event loop and the collector begins with start() and ends with close().
 */
export class ProcessMetrics implements MetricSource {
  private readonly startedAtS = (Date.now() - performance.now()) / 1000;
  private loopDelay: IntervalHistogram | null = null;
  private observer: PerformanceObserver | null = null;
  private gcPauses = 0;
  private gcSeconds = 0;

  start(): void {
    this.loopDelay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
    this.loopDelay.enable();
    this.observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        this.gcPauses++;
        this.gcSeconds += entry.duration / 1000;
      }
    });
    this.observer.observe({ entryTypes: ['gc'] });
  }

  close(): void {
    this.loopDelay?.disable();
    this.observer?.disconnect();
    this.loopDelay = null;
    this.observer = null;
  }

  metrics(): Iterable<MetricFamily> {
    return [...this.processFamilies(), ...this.runtimeFamilies()];
  }

  private processFamilies(): MetricFamily[] {
    const cpu = process.cpuUsage();
    const memory = process.memoryUsage();
    const families = [
      single('process_cpu_user_seconds_total', 'User CPU time.', cpu.user / 1e6, 'counter'),
      single('process_cpu_system_seconds_total', 'System CPU time.', cpu.system / 1e6, 'counter'),
      single('process_cpu_seconds_total', 'CPU time.', (cpu.user + cpu.system) / 1e6, 'counter'),
      single('process_start_time_seconds', 'Start, since the Unix epoch.', this.startedAtS),
      single('process_uptime_seconds', 'Time since the start.', process.uptime()),
      single('process_resident_memory_bytes', 'Resident memory.', memory.rss),
      single('nodejs_external_memory_bytes', 'Memory outside the heap.', memory.external),
      single('nodejs_heap_size_used_bytes', 'Heap in use.', memory.heapUsed),
      single('nodejs_heap_size_total_bytes', 'Heap reserved.', memory.heapTotal),
      single(
        'nodejs_heap_size_limit_bytes',
        'Largest heap allowed.',
        getHeapStatistics().heap_size_limit,
      ),
    ];
    const fds = countOpenFiles();
    if (fds !== null) {
      families.push(single('process_open_fds', 'Open file descriptors.', fds));
    }
    return families;
  }

  private runtimeFamilies(): MetricFamily[] {
    const families = [
      single('nodejs_gc_pauses_total', 'Garbage collections.', this.gcPauses, 'counter'),
      single('nodejs_gc_seconds_total', 'Time in garbage collection.', this.gcSeconds, 'counter'),
      {
        name: 'nodejs_version_info',
        help: 'Version of Node.js.',
        type: 'gauge' as const,
        samples: [{ labels: { version: process.version }, value: 1 }],
      },
    ];
    const delay = this.loopDelay;
    if (delay !== null) {
      const seconds = (nanos: number): number =>
        Number.isFinite(nanos) ? Math.max(0, nanos / 1e9 - LOOP_RESOLUTION_MS / 1000) : 0;
      families.push(
        single('nodejs_eventloop_lag_p50_seconds', 'Median delay.', seconds(delay.percentile(50))),
        single(
          'nodejs_eventloop_lag_p99_seconds',
          '99th percentile.',
          seconds(delay.percentile(99)),
        ),
        single(
          'nodejs_eventloop_lag_max_seconds',
          'Longest since the last scrape.',
          seconds(delay.max),
        ),
      );
      delay.reset();
    }
    return families;
  }
}

function single(
  name: string,
  help: string,
  value: number,
  type: 'counter' | 'gauge' = 'gauge',
): MetricFamily & { samples: { labels: Record<string, string>; value: number }[] } {
  return { name, help, type, samples: [{ labels: {}, value }] };
}

/** Null where the system does not list them. */
function countOpenFiles(): number | null {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return null;
  }
}
