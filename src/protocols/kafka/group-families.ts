import type { MetricFamily, MetricSample } from '../../telemetry/metric-family.ts';
import type { KafkaServices } from './services.ts';

/** With more committed offsets than this, series per partition are left out: a scrape must not stall the broker. */
const OFFSET_SERIES_MAX = 20_000;

/** Groups under the names that kafka_exporter gives them. */
export function* groupFamilies({ broker, namespace }: KafkaServices): Iterable<MetricFamily> {
  const members: MetricSample[] = [];
  const offsets: MetricSample[] = [];
  const lags: MetricSample[] = [];
  const offsetSums: MetricSample[] = [];
  const lagSums: MetricSample[] = [];
  for (const view of broker.groups.list(namespace)) {
    const consumergroup = view.groupId;
    members.push({ labels: { consumergroup }, value: view.members.length });
    if (offsets.length > OFFSET_SERIES_MAX) continue;
    const sums = new Map<string, { offset: number; lag: number }>();
    for (const committed of broker.groups.committedOffsets(namespace, view.groupId)) {
      const { topic, topicId } = committed;
      const partition = broker.topics.byId(topicId)?.partition(committed.partition) ?? null;
      if (partition === null) continue;
      const { offset } = committed.committed;
      // Records may have been dropped, and an offset may lie past the end: lag is what can still be read.
      const lag = Math.max(0, partition.highWatermark - Math.max(offset, partition.logStart));
      const labels = { consumergroup, topic, partition: String(committed.partition) };
      offsets.push({ labels, value: offset });
      lags.push({ labels, value: lag });
      const sum = sums.get(topic) ?? { offset: 0, lag: 0 };
      sums.set(topic, { offset: sum.offset + offset, lag: sum.lag + lag });
    }
    for (const [topic, sum] of sums) {
      offsetSums.push({ labels: { consumergroup, topic }, value: sum.offset });
      lagSums.push({ labels: { consumergroup, topic }, value: sum.lag });
    }
  }
  const family = (name: string, help: string, samples: MetricSample[]): MetricFamily => ({
    name: `kafka_consumergroup_${name}`,
    help,
    type: 'gauge',
    samples,
  });
  yield family('members', 'Members of the group.', members);
  yield family('current_offset', 'Offset the group has committed.', offsets);
  yield family('lag', 'Records after the committed offset.', lags);
  yield family('current_offset_sum', 'Committed offsets, over all partitions.', offsetSums);
  yield family('lag_sum', 'Records after the committed offsets, over all partitions.', lagSums);
}
