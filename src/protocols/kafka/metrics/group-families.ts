import type { MetricFamily, MetricSample } from '../../../telemetry/metric-family.ts';
import { gauge } from './families.ts';
import type { GroupLag } from './group-lags.ts';

/** Groups under the names that kafka_exporter gives them. */
export function* groupFamilies(groups: readonly GroupLag[]): Iterable<MetricFamily> {
  const members: MetricSample[] = [];
  const offsets: MetricSample[] = [];
  const lags: MetricSample[] = [];
  const offsetSums: MetricSample[] = [];
  const lagSums: MetricSample[] = [];
  for (const { group, partitions } of groups) {
    const consumergroup = group.groupId;
    members.push({ labels: { consumergroup }, value: group.members.length });
    const sums = new Map<string, { offset: number; lag: number }>();
    for (const { topic, partition, offset, lag } of partitions) {
      const labels = { consumergroup, topic, partition };
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
  yield family('members', 'Members of the group.', members);
  yield family('current_offset', 'Offset the group has committed.', offsets);
  yield family('lag', 'Records after the committed offset.', lags);
  yield family('current_offset_sum', 'Committed offsets, over all partitions.', offsetSums);
  yield family('lag_sum', 'Records after the committed offsets, over all partitions.', lagSums);
}

function family(name: string, help: string, samples: readonly MetricSample[]): MetricFamily {
  return gauge(`kafka_consumergroup_${name}`, help, samples);
}
