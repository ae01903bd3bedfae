import type { FieldTable, FieldValue } from './codec/field-table.ts';
import type { AmqpConfig } from './config.ts';

const CAPABILITIES = [
  'publisher_confirms',
  'exchange_exchange_bindings',
  'basic.nack',
  'consumer_cancel_notify',
  'connection.blocked',
  'consumer_priorities',
  'authentication_failure_close',
  'per_consumer_qos',
  'direct_reply_to',
] as const;

const text = (value: string): FieldValue => ({ type: 'S', value });

/**
 * What the broker tells of itself. Clients look at product and version to find out what they may use, so these say
 * which RabbitMQ this behaves like; platform says what it is.
 */
export function serverProperties(config: AmqpConfig, clusterId: string): FieldTable {
  const capabilities: FieldTable = CAPABILITIES.map((key) => ({
    key,
    field: { type: 't', value: true },
  }));
  return [
    { key: 'capabilities', field: { type: 'F', value: capabilities } },
    { key: 'cluster_name', field: text(config.clusterName) },
    { key: 'copyright', field: text('Copyright the Lyrebird authors') },
    { key: 'information', field: text('Lyrebird, a message broker. Licensed under Apache-2.0') },
    { key: 'platform', field: text(`Lyrebird (Node.js ${process.versions.node})`) },
    { key: 'product', field: text('RabbitMQ') },
    { key: 'version', field: text(config.announcedVersion) },
    { key: 'cluster_id', field: text(clusterId) },
  ];
}
