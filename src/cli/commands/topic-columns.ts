import type { TopicSummary } from '../../admin/api.ts';
import { formatBytes } from '../../config/units.ts';
import type { Column } from '../output.ts';

export const TOPIC_COLUMNS: readonly Column<TopicSummary>[] = [
  { title: 'NAME', value: (topic) => topic.name },
  { title: 'PARTITIONS', value: (topic) => topic.partitions },
  { title: 'RECORDS', value: (topic) => topic.records },
  { title: 'SIZE', value: (topic) => topic.bytes, format: (topic) => formatBytes(topic.bytes) },
  { title: 'NAMESPACE', value: (topic) => topic.namespace, wide: true },
  { title: 'ID', value: (topic) => topic.id, wide: true },
];
