import type { TopicView } from '../../core/types.ts';
import type { MetricFamily, MetricSample } from '../../telemetry/metric-family.ts';
import { groupFamilies } from './group-families.ts';
import { API_HANDLERS } from './handlers/registry.ts';
import type { TopicMeter } from './metrics.ts';
import type { KafkaServices } from './services.ts';

/** Series of Kafka's BrokerTopicMetrics, by the field that counts them. */
const TOPIC_COUNTERS: readonly (readonly [name: string, field: keyof TopicMeter, help: string])[] =
  [
    ['messagesin', 'messagesIn', 'Records appended.'],
    ['bytesin', 'bytesIn', 'Bytes of record batches appended.'],
    ['bytesout', 'bytesOut', 'Bytes of record batches fetched.'],
    ['totalproducerequests', 'produceRequests', 'Produce requests.'],
    ['totalfetchrequests', 'fetchRequests', 'Fetch requests.'],
    ['failedproducerequests', 'failedProduceRequests', 'Batches that were refused.'],
    ['failedfetchrequests', 'failedFetchRequests', 'Fetch requests with an error.'],
  ];

/** With more partitions than this, series per partition are left out: a scrape must not stall the broker. */
const PARTITION_SERIES_MAX = 20_000;

/**
 * Metrics under the names that Kafka's JMX exporter rules and kafka_exporter give them, so that existing dashboards
 * and alerts work.
 */
export function* collectMetrics(
  services: KafkaServices,
  connectionsByListener: ReadonlyMap<string, number>,
): Iterable<MetricFamily> {
  forgetDeletedTopics(services);
  yield* topicCounters(services);
  yield* brokerGauges(services);
  yield* partitionFamilies(services);
  yield* groupFamilies(services);
  yield requestCounter(services);
  yield {
    name: 'kafka_server_socket_server_metrics_connection_count',
    help: 'Open connections.',
    type: 'gauge',
    samples: [...connectionsByListener].map(([listener, value]) => ({
      labels: { listener, networkProcessor: '0' },
      value,
    })),
  };
}

function forgetDeletedTopics({ broker, metrics }: KafkaServices): void {
  const gone: TopicView[] = [];
  for (const [topic] of metrics.meters()) {
    if (broker.topics.byId(topic.id) === null) gone.push(topic);
  }
  for (const topic of gone) metrics.forget(topic);
}

function* topicCounters({ metrics }: KafkaServices): Iterable<MetricFamily> {
  for (const [name, field, help] of TOPIC_COUNTERS) {
    const samples: MetricSample[] = [{ labels: {}, value: metrics.all[field] }];
    for (const [topic, meter] of metrics.meters()) {
      samples.push({ labels: { topic: topic.name }, value: meter[field] });
    }
    yield { name: `kafka_server_brokertopicmetrics_${name}_total`, help, type: 'counter', samples };
  }
}

function* brokerGauges(services: KafkaServices): Iterable<MetricFamily> {
  const { broker, namespace } = services;
  let partitions = 0;
  for (const topic of broker.topics.list(namespace)) partitions += topic.partitionCount;
  yield gauge('kafka_server_replicamanager_leadercount', 'Partitions led here.', partitions);
  yield gauge('kafka_server_replicamanager_partitioncount', 'Partitions kept here.', partitions);
  const never = 'Always 0: every partition has the one replica it is meant to have.';
  yield gauge('kafka_server_replicamanager_underreplicatedpartitions', never, 0);
  yield gauge('kafka_server_replicamanager_underminisrpartitioncount', never, 0);
  yield gauge('kafka_server_replicamanager_offlinereplicacount', never, 0);
  yield gauge('kafka_controller_kafkacontroller_activecontrollercount', 'This broker decides.', 1);
  yield gauge('kafka_controller_kafkacontroller_offlinepartitionscount', never, 0);
  yield gauge('kafka_log_logmanager_offlinelogdirectorycount', 'Data folders out of use.', 0);
  yield gauge('kafka_brokers', 'Brokers of the cluster.', 1);
  yield {
    name: 'kafka_controller_controllerstats_uncleanleaderelections_total',
    help: never,
    type: 'counter',
    samples: [{ labels: {}, value: 0 }],
  };
  yield gauge(
    'lyrebird_kafka_fetch_sessions',
    'Incremental fetch sessions.',
    services.fetchSessions.size,
  );
  yield gauge(
    'lyrebird_kafka_parked_fetches',
    'Fetch requests that wait for data.',
    services.metrics.parkedFetches,
  );
  yield {
    name: 'lyrebird_kafka_refused_requests_total',
    help: 'Requests whose connection was closed: malformed, or of an API or version that is not served.',
    type: 'counter',
    samples: [{ labels: {}, value: services.metrics.malformedRequests }],
  };
}

function* partitionFamilies({ broker, namespace }: KafkaServices): Iterable<MetricFamily> {
  const topics: MetricSample[] = [];
  const sizes: MetricSample[] = [];
  const ends: MetricSample[] = [];
  const starts: MetricSample[] = [];
  let partitions = 0;
  for (const topic of broker.topics.list(namespace)) {
    topics.push({ labels: { topic: topic.name }, value: topic.partitionCount });
    partitions += topic.partitionCount;
    if (partitions > PARTITION_SERIES_MAX) continue;
    for (let index = 0; index < topic.partitionCount; index++) {
      const partition = topic.partition(index);
      if (partition === null) continue;
      const labels = { topic: topic.name, partition: String(index) };
      sizes.push({ labels, value: partition.bytes });
      ends.push({ labels, value: partition.highWatermark });
      starts.push({ labels, value: partition.logStart });
    }
  }
  const family = (name: string, help: string, samples: MetricSample[]): MetricFamily => ({
    name,
    help,
    type: 'gauge',
    samples,
  });
  yield family('kafka_topic_partitions', 'Partitions of the topic.', topics);
  yield family('kafka_log_log_size', 'Bytes kept of the partition.', sizes);
  yield family('kafka_topic_partition_current_offset', 'Offset the next record gets.', ends);
  yield family('kafka_topic_partition_oldest_offset', 'Offset of the oldest record.', starts);
}

function requestCounter({ metrics }: KafkaServices): MetricFamily {
  const samples: MetricSample[] = [];
  for (const handler of API_HANDLERS) {
    for (let version = handler.minVersion; version <= handler.maxVersion; version++) {
      const value = metrics.requestCount(handler.api.key, version);
      if (value === 0) continue;
      samples.push({ labels: { request: handler.api.name, version: String(version) }, value });
    }
  }
  return {
    name: 'kafka_network_requestmetrics_requests_total',
    help: 'Requests by API and version.',
    type: 'counter',
    samples,
  };
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: 'gauge', samples: [{ labels: {}, value }] };
}
