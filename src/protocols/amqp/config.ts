import type { Durability } from '../../storage/types.ts';

/** How the AMQP front-end behaves. Times in ms, sizes in bytes. */
export interface AmqpConfig {
  /** Proposed to clients; they may choose less. 0: no limit. */
  readonly channelMax: number;
  readonly frameBytesMax: number;
  /** Seconds; 0: none proposed. */
  readonly heartbeatSeconds: number;
  /** Largest body. */
  readonly messageBytesMax: number;
  /** Of streams that are declared here. */
  readonly streamDurability: Durability;
  /** Consumers of one channel. */
  readonly consumersPerChannelMax: number;
  /** Bytes of bodies that one connection's unfinished publishes and transactions may hold. */
  readonly heldBytesMax: number;
  /** How long a client has from connecting to connection.open. */
  readonly handshakeTimeoutMs: number;
  /** How long a client has to answer connection.close. */
  readonly closeTimeoutMs: number;
  /** Version that clients are told: some switch features by it. */
  readonly announcedVersion: string;
  readonly clusterName: string;
}

export const AMQP_CONFIG_DEFAULTS: AmqpConfig = {
  channelMax: 2047,
  frameBytesMax: 131_072,
  heartbeatSeconds: 60,
  messageBytesMax: 134_217_728,
  streamDurability: 'fsync',
  consumersPerChannelMax: 10_000,
  heldBytesMax: 268_435_456,
  handshakeTimeoutMs: 10_000,
  closeTimeoutMs: 5_000,
  announcedVersion: '3.13.7',
  clusterName: 'lyrebird',
};
