import type { MetricFamily } from '../../../telemetry/metric-family.ts';
import type { KafkaServices } from '../services.ts';
import { counter, gauge } from './families.ts';

const NEVER = 'Always 0: every partition has the one replica it is meant to have.';

/** What Kafka tells of a broker and of the controller. */
export function* brokerFamilies(services: KafkaServices, address: string): Iterable<MetricFamily> {
  const { broker, namespace, metrics } = services;
  let partitions = 0;
  for (const topic of broker.topics.list(namespace)) partitions += topic.partitionCount;
  yield gauge('kafka_server_replicamanager_leadercount', 'Partitions led here.', partitions);
  yield gauge('kafka_server_replicamanager_partitioncount', 'Partitions kept here.', partitions);
  yield gauge('kafka_server_replicamanager_underreplicatedpartitions', NEVER, 0);
  yield gauge('kafka_server_replicamanager_underminisrpartitioncount', NEVER, 0);
  yield gauge('kafka_server_replicamanager_offlinereplicacount', NEVER, 0);
  yield gauge('kafka_controller_kafkacontroller_activecontrollercount', 'This broker decides.', 1);
  yield gauge('kafka_controller_kafkacontroller_offlinepartitionscount', NEVER, 0);
  yield gauge('kafka_log_logmanager_offlinelogdirectorycount', 'Data folders out of use.', 0);
  yield counter('kafka_controller_controllerstats_uncleanleaderelections_total', NEVER, 0);
  yield gauge('kafka_brokers', 'Brokers of the cluster.', 1);
  yield gauge('kafka_broker_info', 'Where clients find the broker.', [
    { labels: { id: String(broker.nodeId), address }, value: 1 },
  ]);
  yield gauge(
    'lyrebird_kafka_fetch_sessions',
    'Incremental fetch sessions.',
    services.fetchSessions.size,
  );
  yield gauge(
    'lyrebird_kafka_parked_fetches',
    'Fetch requests that wait for data.',
    metrics.parkedFetches,
  );
  yield counter(
    'lyrebird_kafka_refused_requests_total',
    'Requests whose connection was closed: malformed, or of an API or version that is not served.',
    metrics.malformedRequests,
  );
}
