import type { MetricFamily, MetricSample } from '../../../telemetry/metric-family.ts';
import { FETCH } from '../codec/generated/fetch.ts';
import { API_HANDLERS } from '../handlers/registry.ts';
import type { KafkaServices } from '../services.ts';
import { counter } from './families.ts';

/** As Strimzi's rules write Kafka's percentiles. */
const QUANTILES = ['0.50', '0.75', '0.95', '0.98', '0.99', '0.999'];
const SHARES = QUANTILES.map(Number);
/** Microseconds: from a quarter of a millisecond to over a minute. */
const BOUNDS = Array.from({ length: 10 }, (_, i) => 256 * 4 ** i);

/** Requests by API: how many, and how long they took from their arrival to their response. */
export function* requestFamilies({ broker, metrics }: KafkaServices): Iterable<MetricFamily> {
  const nowMs = broker.clock.monotonicMs();
  const counts: MetricSample[] = [];
  const times: MetricSample[] = [];
  const seconds: MetricSample[] = [];
  for (const { api, minVersion, maxVersion } of API_HANDLERS) {
    // Kafka counts fetches twice: as such, and by who asks. Nobody but consumers asks here.
    const names = api.key === FETCH.key ? [api.name, 'FetchConsumer'] : [api.name];
    for (let version = minVersion; version <= maxVersion; version++) {
      const value = metrics.requestCount(api.key, version);
      if (value === 0) continue;
      for (const request of names) {
        counts.push({ labels: { request, version: String(version) }, value });
      }
    }
    const taken = metrics.times.of(api.key);
    if (taken === null) continue;
    const { histogram } = taken;
    const recent = taken.recentMs(SHARES, nowMs);
    for (const request of names) {
      recent?.forEach((value, i) => {
        times.push({ labels: { request, quantile: QUANTILES[i] ?? '' }, value });
      });
      times.push({ labels: { request }, suffix: '_sum', value: histogram.sum / 1000 });
      times.push({ labels: { request }, suffix: '_count', value: histogram.count });
    }
    const native = histogram.samples({ request: api.name }, { bounds: BOUNDS, scale: 1e-6 });
    for (const sample of native) seconds.push(sample);
  }
  yield counter('kafka_network_requestmetrics_requests_total', 'Requests by version.', counts);
  yield {
    name: 'kafka_network_requestmetrics_totaltimems',
    help: 'Time from a request to its response in ms, waiting for data included; quantiles of the last minutes.',
    type: 'summary',
    samples: times,
  };
  yield {
    name: 'lyrebird_kafka_request_seconds',
    help: 'Time from a request to its response, waiting for data included.',
    type: 'histogram',
    samples: seconds,
  };
}
