import type { TopicView } from '../../../core/types.ts';
import type { MetricFamily, MetricSample } from '../../../telemetry/metric-family.ts';
import type { KafkaServices } from '../services.ts';
import { counter } from './families.ts';
import type { TopicMeter } from './kafka-metrics.ts';

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

/** Kafka's BrokerTopicMetrics: one series for everything, and one per topic. */
export function* topicFamilies(services: KafkaServices): Iterable<MetricFamily> {
  forgetDeletedTopics(services);
  const { metrics } = services;
  for (const [name, field, help] of TOPIC_COUNTERS) {
    const samples: MetricSample[] = [{ labels: {}, value: metrics.all[field] }];
    for (const [topic, meter] of metrics.meters()) {
      samples.push({ labels: { topic: topic.name }, value: meter[field] });
    }
    yield counter(`kafka_server_brokertopicmetrics_${name}_total`, help, samples);
  }
}

function forgetDeletedTopics({ broker, metrics }: KafkaServices): void {
  const gone: TopicView[] = [];
  for (const [topic] of metrics.meters()) {
    if (broker.topics.byId(topic.id) === null) gone.push(topic);
  }
  for (const topic of gone) metrics.forget(topic);
}
