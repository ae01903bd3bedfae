import type { ConfigDefinition, ConfigRule, ConfigType } from './definition.ts';

function row(
  name: string,
  type: ConfigType,
  defaultValue: string,
  rule: ConfigRule | null,
  doc: string,
): ConfigDefinition {
  return { name, type, defaultValue, effect: 'no-effect', doc, rule };
}

const LATER_GROUPS = 'For groups of the newer protocols, which are not served.';

/** Group configurations of Kafka 4.3. They belong to protocols that are not served: kept and shown, no more. */
export const GROUP_CONFIGS: readonly ConfigDefinition[] = [
  row('consumer.assignment.interval.ms', 'int', '1000', { min: 0 }, LATER_GROUPS),
  row('consumer.heartbeat.interval.ms', 'int', '5000', { min: 1 }, LATER_GROUPS),
  row('consumer.session.timeout.ms', 'int', '45000', { min: 1 }, LATER_GROUPS),
  row('share.assignment.interval.ms', 'int', '1000', { min: 0 }, LATER_GROUPS),
  row('share.auto.offset.reset', 'string', 'latest', null, LATER_GROUPS),
  row('share.delivery.count.limit', 'int', '5', { min: 2 }, LATER_GROUPS),
  row('share.heartbeat.interval.ms', 'int', '5000', { min: 1 }, LATER_GROUPS),
  row(
    'share.isolation.level',
    'string',
    'read_uncommitted',
    { oneOf: ['read_committed', 'read_uncommitted'] },
    LATER_GROUPS,
  ),
  row('share.partition.max.record.locks', 'int', '2000', { min: 100 }, LATER_GROUPS),
  row('share.record.lock.duration.ms', 'int', '30000', { min: 1000 }, LATER_GROUPS),
  row('share.renew.acknowledge.enable', 'boolean', 'true', null, LATER_GROUPS),
  row('share.session.timeout.ms', 'int', '45000', { min: 1 }, LATER_GROUPS),
  row('streams.assignment.interval.ms', 'int', '1000', { min: 0 }, LATER_GROUPS),
  row('streams.heartbeat.interval.ms', 'int', '5000', { min: 1 }, LATER_GROUPS),
  row('streams.initial.rebalance.delay.ms', 'int', '3000', { min: 0 }, LATER_GROUPS),
  row('streams.num.standby.replicas', 'int', '0', { min: 0 }, LATER_GROUPS),
  row('streams.session.timeout.ms', 'int', '45000', { min: 1 }, LATER_GROUPS),
];

const CLIENT_METRICS = 'Clients are not asked to send their metrics.';

/** Configurations of client metrics subscriptions: kept and shown, no more. */
export const CLIENT_METRICS_CONFIGS: readonly ConfigDefinition[] = [
  row('interval.ms', 'int', '300000', { min: 100, max: 3_600_000 }, CLIENT_METRICS),
  row('match', 'list', '', null, CLIENT_METRICS),
  row('metrics', 'list', '', null, CLIENT_METRICS),
];
