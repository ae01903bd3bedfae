import type { PartitionView } from '../../../core/types.ts';
import type { MetricFamily, MetricSample } from '../../../telemetry/metric-family.ts';
import type { KafkaServices } from '../services.ts';
import { gauge } from './families.ts';

/** Partitions beyond this many have no series of their own: a scrape must not stall the broker. */
const PARTITIONS_MAX = 5_000;

type Row = readonly [
  name: string,
  help: string,
  value: (partition: PartitionView, nodeId: number) => number,
];

const ONE_REPLICA = 'Every partition has one replica.';
const NEVER = 'Always 0: the one replica is the leader.';

const PARTITION_GAUGES: readonly Row[] = [
  ['kafka_log_log_size', 'Bytes kept of the partition.', (p) => p.bytes],
  ['kafka_topic_partition_current_offset', 'Offset the next record gets.', (p) => p.highWatermark],
  ['kafka_topic_partition_oldest_offset', 'Offset of the oldest record.', (p) => p.logStart],
  ['kafka_topic_partition_leader', 'Node id of the leader.', (_, nodeId) => nodeId],
  ['kafka_topic_partition_leader_is_preferred', 'Always 1: there is one candidate.', () => 1],
  ['kafka_topic_partition_replicas', ONE_REPLICA, () => 1],
  ['kafka_topic_partition_in_sync_replica', ONE_REPLICA, () => 1],
  ['kafka_topic_partition_under_replicated_partition', NEVER, () => 0],
  ['kafka_cluster_partition_replicascount', ONE_REPLICA, () => 1],
  [
    'kafka_cluster_partition_atminisr',
    'Always 1: one replica is enough, and there is one.',
    () => 1,
  ],
  ['kafka_cluster_partition_underminisr', NEVER, () => 0],
];

/** kafka-lag-exporter tells these with the name of the cluster. */
const CLUSTER_GAUGES: readonly Row[] = [
  ['kafka_partition_latest_offset', 'Offset the next record gets.', (p) => p.highWatermark],
  ['kafka_partition_earliest_offset', 'Offset of the oldest record.', (p) => p.logStart],
];

export function* partitionFamilies({ broker, namespace }: KafkaServices): Iterable<MetricFamily> {
  const topics: MetricSample[] = [];
  const partitions: PartitionView[] = [];
  for (const topic of broker.topics.list(namespace)) {
    topics.push({ labels: { topic: topic.name }, value: topic.partitionCount });
    for (let i = 0; i < topic.partitionCount && partitions.length < PARTITIONS_MAX; i++) {
      const partition = topic.partition(i);
      if (partition !== null) partitions.push(partition);
    }
  }
  yield gauge('kafka_topic_partitions', 'Partitions of the topic.', topics);
  const labels = partitions.map(({ topic, index }) => ({
    topic: topic.name,
    partition: String(index),
  }));
  yield* families(PARTITION_GAUGES, partitions, labels, broker.nodeId);
  const cluster = { cluster_name: broker.clusterId };
  const inCluster = labels.map((own) => ({ ...cluster, ...own }));
  yield* families(CLUSTER_GAUGES, partitions, inCluster, broker.nodeId);
}

function* families(
  rows: readonly Row[],
  partitions: readonly PartitionView[],
  labels: readonly Readonly<Record<string, string>>[],
  nodeId: number,
): Iterable<MetricFamily> {
  for (const [name, help, value] of rows) {
    const samples = partitions.map((partition, i) => ({
      labels: labels[i] ?? {},
      value: value(partition, nodeId),
    }));
    yield gauge(name, help, samples);
  }
}
