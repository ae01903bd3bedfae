import { BROKER_CLUSTER_CONFIGS } from './broker-cluster-configs.ts';
import type { BrokerConfigDefinition } from './broker-definition.ts';
import { BROKER_GROUPS_CONFIGS } from './broker-groups-configs.ts';
import { BROKER_LOG_CONFIGS } from './broker-log-configs.ts';
import { BROKER_NETWORK_CONFIGS } from './broker-network-configs.ts';
import { BROKER_REMOTE_CONFIGS } from './broker-remote-configs.ts';
import { BROKER_SECURITY_CONFIGS } from './broker-security-configs.ts';
import { BROKER_TRANSACTIONS_CONFIGS } from './broker-transactions-configs.ts';

/** Every broker configuration of Kafka 4.3, in name order. */
export const BROKER_CONFIGS: readonly BrokerConfigDefinition[] = [
  ...BROKER_CLUSTER_CONFIGS,
  ...BROKER_GROUPS_CONFIGS,
  ...BROKER_LOG_CONFIGS,
  ...BROKER_NETWORK_CONFIGS,
  ...BROKER_REMOTE_CONFIGS,
  ...BROKER_SECURITY_CONFIGS,
  ...BROKER_TRANSACTIONS_CONFIGS,
].sort((a, b) => (a.name < b.name ? -1 : 1));

export const BROKER_CONFIG_BY_NAME: ReadonlyMap<string, BrokerConfigDefinition> = new Map(
  BROKER_CONFIGS.map((definition) => [definition.name, definition]),
);
