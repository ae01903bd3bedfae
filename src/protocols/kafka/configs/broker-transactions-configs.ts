import { brokerConfig } from './broker-definition.ts';
import type { BrokerConfigDefinition } from './broker-definition.ts';

/** Broker configurations of Kafka 4.3 about transactions and producer ids. Keys that say nothing else have no effect here. */
export const BROKER_TRANSACTIONS_CONFIGS: readonly BrokerConfigDefinition[] = [
  brokerConfig('add.partitions.to.txn.retry.backoff.max.ms', 'int', '100'),
  brokerConfig('add.partitions.to.txn.retry.backoff.ms', 'int', '20'),
  brokerConfig('producer.id.expiration.ms', 'int', '86400000', {
    update: 'cluster-wide',
    rule: { min: 1 },
  }),
  brokerConfig('transaction.abort.timed.out.transaction.cleanup.interval.ms', 'int', '10000'),
  brokerConfig('transaction.max.timeout.ms', 'int', '900000'),
  brokerConfig('transaction.partition.verification.enable', 'boolean', 'true', {
    update: 'cluster-wide',
  }),
  brokerConfig('transaction.remove.expired.transaction.cleanup.interval.ms', 'int', '3600000'),
  brokerConfig('transaction.state.log.load.buffer.size', 'int', '5242880'),
  brokerConfig('transaction.state.log.min.isr', 'int', '1'),
  brokerConfig('transaction.state.log.num.partitions', 'int', '50'),
  brokerConfig('transaction.state.log.replication.factor', 'short', '1'),
  brokerConfig('transaction.state.log.segment.bytes', 'int', '104857600'),
  brokerConfig('transaction.two.phase.commit.enable', 'boolean', 'false'),
  brokerConfig('transactional.id.expiration.ms', 'int', '604800000'),
];
