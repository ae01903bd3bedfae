import type { MetricFamily, MetricSample } from '../../../telemetry/metric-family.ts';
import { gauge } from './families.ts';
import type { GroupLag } from './group-lags.ts';

/** Groups under the names that kafka-lag-exporter gives them; it alone tells lags in time. */
export function* lagFamilies(
  groups: readonly GroupLag[],
  clusterName: string,
): Iterable<MetricFamily> {
  const offsets: MetricSample[] = [];
  const lags: MetricSample[] = [];
  const lagSeconds: MetricSample[] = [];
  const maxLags: MetricSample[] = [];
  const maxLagSeconds: MetricSample[] = [];
  const sums: MetricSample[] = [];
  const topicSums: MetricSample[] = [];
  for (const { group, partitions } of groups) {
    if (partitions.length === 0) continue;
    const own = { cluster_name: clusterName, group: group.groupId };
    const byTopic = new Map<string, number>();
    let lagMax = 0;
    let lagMsMax = 0;
    let lagSum = 0;
    for (const { topic, partition, offset, lag, lagMs, member } of partitions) {
      const labels = {
        ...own,
        topic,
        partition,
        member_host: member?.clientHost ?? '',
        consumer_id: member?.memberId ?? '',
        client_id: member?.clientId ?? '',
      };
      offsets.push({ labels, value: offset });
      lags.push({ labels, value: lag });
      lagSeconds.push({ labels, value: lagMs / 1000 });
      lagMax = Math.max(lagMax, lag);
      lagMsMax = Math.max(lagMsMax, lagMs);
      lagSum += lag;
      byTopic.set(topic, (byTopic.get(topic) ?? 0) + lag);
    }
    maxLags.push({ labels: own, value: lagMax });
    maxLagSeconds.push({ labels: own, value: lagMsMax / 1000 });
    sums.push({ labels: own, value: lagSum });
    for (const [topic, value] of byTopic) topicSums.push({ labels: { ...own, topic }, value });
  }
  yield family('offset', 'Offset the group has committed.', offsets);
  yield family('lag', 'Records after the committed offset.', lags);
  yield family('lag_seconds', 'Age of the oldest record after the committed offset.', lagSeconds);
  yield family('max_lag', 'Largest lag of a partition.', maxLags);
  yield family('max_lag_seconds', 'Largest lag of a partition in time.', maxLagSeconds);
  yield family('sum_lag', 'Lag over all partitions.', sums);
  yield family('topic_sum_lag', 'Lag over the partitions of a topic.', topicSums);
}

function family(name: string, help: string, samples: readonly MetricSample[]): MetricFamily {
  return gauge(`kafka_consumergroup_group_${name}`, help, samples);
}
