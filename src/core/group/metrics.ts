import type { MetricFamily } from '../../telemetry/metric-family.ts';
import type { GroupStats } from './events.ts';

/** Each counter or gauge of GroupStats as a family. */
const FAMILIES: readonly {
  readonly name: string;
  readonly field: keyof GroupStats;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
}[] = [
  { name: 'members', field: 'members', type: 'gauge', help: 'Members of all groups.' },
  {
    name: 'rebalances_total',
    field: 'rebalances',
    type: 'counter',
    help: 'Generations of groups that became stable.',
  },
  {
    name: 'evictions_total',
    field: 'evictions',
    type: 'counter',
    help: 'Members that were removed because they fell silent or did not join in time.',
  },
  {
    name: 'offset_commits_total',
    field: 'offsetCommits',
    type: 'counter',
    help: 'Offsets committed by clients.',
  },
  {
    name: 'offset_expirations_total',
    field: 'offsetExpirations',
    type: 'counter',
    help: 'Committed offsets dropped because nobody wanted them any more.',
  },
  {
    name: 'offset_deletions_total',
    field: 'offsetDeletions',
    type: 'counter',
    help: 'Committed offsets deleted by request or with their topic.',
  },
];

export function* groupMetrics(stats: GroupStats): Iterable<MetricFamily> {
  for (const { name, field, type, help } of FAMILIES) {
    const samples = [{ labels: {}, value: stats[field] }];
    yield { name: `lyrebird_group_${name}`, help, type, samples };
  }
}
