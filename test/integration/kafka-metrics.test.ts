import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createBroker, type LyrebirdBroker } from '../../src/index.ts';
import { consume, kafkaOf, numbered, produce } from '../support/kafkajs.ts';

const PARTITION = ['topic', 'partition'];
const LAG = [
  'cluster_name',
  'group',
  'topic',
  'partition',
  'member_host',
  'consumer_id',
  'client_id',
];
const TOPIC_COUNTERS = [
  'messagesin',
  'bytesin',
  'bytesout',
  'failedproducerequests',
  'failedfetchrequests',
  'totalproducerequests',
  'totalfetchrequests',
];

/** Series that dashboards and alerts for Kafka ask for, with their labels. */
const SERIES: readonly (readonly [name: string, labels: readonly string[]])[] = [
  // kafka_exporter
  ['kafka_brokers', []],
  ['kafka_broker_info', ['id', 'address']],
  ['kafka_topic_partitions', ['topic']],
  ['kafka_topic_partition_current_offset', PARTITION],
  ['kafka_topic_partition_oldest_offset', PARTITION],
  ['kafka_topic_partition_leader', PARTITION],
  ['kafka_topic_partition_leader_is_preferred', PARTITION],
  ['kafka_topic_partition_replicas', PARTITION],
  ['kafka_topic_partition_in_sync_replica', PARTITION],
  ['kafka_topic_partition_under_replicated_partition', PARTITION],
  ['kafka_consumergroup_current_offset', ['consumergroup', ...PARTITION]],
  ['kafka_consumergroup_current_offset_sum', ['consumergroup', 'topic']],
  ['kafka_consumergroup_lag', ['consumergroup', ...PARTITION]],
  ['kafka_consumergroup_lag_sum', ['consumergroup', 'topic']],
  ['kafka_consumergroup_members', ['consumergroup']],
  // kafka-lag-exporter
  ['kafka_consumergroup_group_offset', LAG],
  ['kafka_consumergroup_group_lag', LAG],
  ['kafka_consumergroup_group_lag_seconds', LAG],
  ['kafka_consumergroup_group_max_lag', ['cluster_name', 'group']],
  ['kafka_consumergroup_group_max_lag_seconds', ['cluster_name', 'group']],
  ['kafka_consumergroup_group_sum_lag', ['cluster_name', 'group']],
  ['kafka_consumergroup_group_topic_sum_lag', ['cluster_name', 'group', 'topic']],
  ['kafka_partition_latest_offset', ['cluster_name', ...PARTITION]],
  ['kafka_partition_earliest_offset', ['cluster_name', ...PARTITION]],
  // Kafka's own, as Strimzi's rules write them
  ...TOPIC_COUNTERS.flatMap((name) => [
    [`kafka_server_brokertopicmetrics_${name}_total`, []] as const,
    [`kafka_server_brokertopicmetrics_${name}_total`, ['topic']] as const,
  ]),
  ['kafka_controller_controllerstats_uncleanleaderelections_total', []],
  ['kafka_controller_kafkacontroller_activecontrollercount', []],
  ['kafka_controller_kafkacontroller_offlinepartitionscount', []],
  ['kafka_server_replicamanager_leadercount', []],
  ['kafka_server_replicamanager_partitioncount', []],
  ['kafka_server_replicamanager_underreplicatedpartitions', []],
  ['kafka_server_replicamanager_underminisrpartitioncount', []],
  ['kafka_server_replicamanager_offlinereplicacount', []],
  ['kafka_cluster_partition_replicascount', PARTITION],
  ['kafka_cluster_partition_atminisr', PARTITION],
  ['kafka_cluster_partition_underminisr', PARTITION],
  ['kafka_log_log_size', PARTITION],
  ['kafka_log_logmanager_offlinelogdirectorycount', []],
  ['kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent', []],
  ['kafka_network_socketserver_networkprocessoravgidle_percent', []],
  ['kafka_server_socket_server_metrics_connection_count', ['listener', 'networkProcessor']],
  ['kafka_network_requestmetrics_requests_total', ['request', 'version']],
  ['kafka_network_requestmetrics_totaltimems', ['request', 'quantile']],
  ['kafka_network_requestmetrics_totaltimems_count', ['request']],
  ['kafka_network_requestmetrics_totaltimems_sum', ['request']],
];

describe('metrics for Kafka dashboards', () => {
  let broker: LyrebirdBroker;
  let text: string;

  before(async () => {
    broker = await createBroker();
    const kafka = kafkaOf(broker);
    await produce(kafka, 'metered', numbered('m', 3));
    await consume(kafka, { topic: 'metered', group: 'metered', count: 3 });
    text = broker.metrics();
  });

  after(() => broker.close());

  const seriesOf = (name: string): { labels: Record<string, string>; value: number }[] =>
    [...text.matchAll(/^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/gm)]
      .filter(([, own]) => own === name)
      .map(([, , pairs = '', value]) => ({
        labels: Object.fromEntries(
          [...pairs.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', own = '']) => [key, own]),
        ),
        value: Number(value),
      }));

  for (const [name, labels] of SERIES) {
    it(`have ${name}{${labels.join(',')}}`, () => {
      const wanted = [...labels].sort();
      const found = seriesOf(name).filter(
        (series) => Object.keys(series.labels).sort().join() === wanted.join(),
      );
      assert.ok(found.length > 0);
      for (const { value } of found) assert.ok(Number.isFinite(value));
    });
  }

  it('tell six quantiles of the time of a request, in order', () => {
    const quantiles = seriesOf('kafka_network_requestmetrics_totaltimems').filter(
      ({ labels }) => labels.request === 'Produce',
    );
    assert.deepEqual(
      quantiles.map(({ labels }) => labels.quantile),
      ['0.50', '0.75', '0.95', '0.98', '0.99', '0.999'],
    );
    const values = quantiles.map(({ value }) => value);
    assert.ok(values.every((value, i) => value > 0 && value >= (values[i - 1] ?? 0)));
  });

  it('count fetches as such and as those of consumers', () => {
    const counts = seriesOf('kafka_network_requestmetrics_totaltimems_count');
    const of = (request: string): number | undefined =>
      counts.find(({ labels }) => labels.request === request)?.value;
    assert.ok((of('Fetch') ?? 0) > 0);
    assert.equal(of('FetchConsumer'), of('Fetch'));
  });

  it('tell idleness as a share', () => {
    for (const name of [
      'kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent',
      'kafka_network_socketserver_networkprocessoravgidle_percent',
    ]) {
      const value = seriesOf(name)[0]?.value ?? -1;
      assert.ok(value >= 0 && value <= 1);
    }
  });

  it('tell lag in records and in time', async () => {
    await produce(kafkaOf(broker), 'metered', numbered('later', 2));
    text = broker.metrics();
    const sum = (name: string): number =>
      seriesOf(name)
        .filter(({ labels }) => labels.group === 'metered')
        .reduce((total, { value }) => total + value, 0);
    assert.equal(sum('kafka_consumergroup_group_sum_lag'), 2);
    assert.ok(sum('kafka_consumergroup_group_max_lag_seconds') > 0);
  });
});
