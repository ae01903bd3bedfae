import type { Config, ListenerConfig, LoadedConfig } from '../config/index.ts';
import { listSettings } from '../config/index.ts';
import { LyrebirdError } from '../base/errors.ts';
import { DEFAULT_LISTENER_LIMITS, type ListenerLimits } from '../net/limits.ts';
import type { Logger } from '../telemetry/logger.ts';
import {
  SERVER_DEFAULTS,
  type ListenerSpec,
  type ServerOptions,
  type ShownSetting,
} from './options.ts';
import { ADMIN_SCHEME } from './listener-plan.ts';
import { PROTOCOL_DEFAULTS, type ProtocolSettings } from './protocols.ts';

type KafkaSettings = ProtocolSettings['kafka'];

/** A checked configuration as what a server is started with. Throws LB1001 for combinations that cannot work. */
export function optionsFromConfig(loaded: LoadedConfig, logger: Logger): ServerOptions {
  const { config } = loaded;
  const listeners = config.listeners.map(listenerSpec);
  const durability = config.storage.durability;
  return {
    ...SERVER_DEFAULTS,
    nodeId: config.node.id,
    storage:
      config.storage.driver === 'memory'
        ? { kind: 'memory' }
        : { kind: 'disk', path: config.storage.path },
    durability,
    listeners,
    anonymous: config.security.anonymous,
    limits: limitsOf(config),
    heldBytesMax: config.limits.input_bytes_max,
    protocols: { kafka: kafkaSettings(config, listeners) },
    groups: {
      durability,
      sessionTimeoutMinMs: config.groups.session_timeout_min,
      sessionTimeoutMaxMs: config.groups.session_timeout_max,
      initialRebalanceDelayMs: config.groups.initial_rebalance_delay,
      disconnectGraceMs: config.groups.disconnect_grace,
      groupSizeMax: config.groups.members_max,
      groupsMax: config.groups.count_max,
      offsetsRetentionMs: config.groups.offsets_retention,
      offsetMetadataMax: config.groups.offset_metadata_max,
    },
    shutdownTimeoutMs: config.shutdown.timeout,
    logger,
    shownConfig: shownSettings(loaded),
  };
}

function listenerSpec(listener: ListenerConfig): ListenerSpec {
  const { name, scheme, host, port, tls, transport } = listener;
  if (transport === 'ws' || transport === 'wss') {
    throw new LyrebirdError(
      'LB1001',
      `listener ${name}: ${scheme} is not spoken over WebSocket; use ${scheme}:// or ${scheme}+tls://`,
      { details: { listener: name, transport } },
    );
  }
  if (tls === null) return { name, scheme, host, port, tls: null };
  const { cert, key, clientCa } = tls;
  const files = { certFile: cert, keyFile: key };
  return {
    name,
    scheme,
    host,
    port,
    tls: clientCa === null ? files : { ...files, clientCaFile: clientCa },
  };
}

function limitsOf({ limits }: Config): ListenerLimits {
  return {
    ...DEFAULT_LISTENER_LIMITS,
    connectionsMax: limits.connections_max,
    connectionsPerIpMax: limits.connections_per_ip_max,
    connectionsPerSecondMax: limits.connections_per_second_max,
    idleTimeoutMs: limits.idle_timeout,
    handshakeTimeoutMs: limits.handshake_timeout,
    outputHighBytes: limits.output_high_bytes,
    outputLowBytes: Math.floor(limits.output_high_bytes / 4),
    outputBytesMax: limits.output_bytes_max,
  };
}

function kafkaSettings(config: Config, listeners: readonly ListenerSpec[]): KafkaSettings {
  const { kafka, topics, groups, storage } = config;
  return {
    ...PROTOCOL_DEFAULTS.kafka,
    autoCreateTopics: kafka.auto_create_topics,
    defaultPartitions: kafka.auto_create_partitions,
    advertised: advertisedAddresses(kafka.advertised, listeners),
    maxRequestBytes: kafka.request_bytes_max,
    maxInFlightRequests: kafka.in_flight_requests_max,
    maxInFlightBytes: kafka.in_flight_bytes_max,
    fetchMaxBytes: kafka.fetch_bytes_max,
    fetchMaxWaitMs: kafka.fetch_wait_max,
    fetchSessionSlots: kafka.fetch_sessions_max,
    maxDescribedPartitions: kafka.described_partitions_max,
    maxPartitionsPerTopic: topics.partitions_max,
    groupMinSessionTimeoutMs: groups.session_timeout_min,
    groupMaxSessionTimeoutMs: groups.session_timeout_max,
    offsetMetadataMaxBytes: groups.offset_metadata_max,
    defaultDurability: storage.durability,
    retentionMs: topics.retention,
    retentionBytes: topics.retention_bytes,
    segmentBytes: topics.segment_bytes,
    maxMessageBytes: topics.message_bytes_max,
  };
}

/** `host:port` is for every Kafka listener, `listener=host:port` for the one. */
function advertisedAddresses(
  given: readonly string[],
  listeners: readonly ListenerSpec[],
): KafkaSettings['advertised'] {
  const own = listeners.filter(({ scheme }) => scheme !== ADMIN_SCHEME).map(({ name }) => name);
  const names = own.length > 0 ? own : ['kafka'];
  const advertised: Record<string, { host: string; port: number }> = {};
  for (const text of given) {
    const equals = text.indexOf('=');
    const address = parseAddress(text.slice(equals + 1));
    if (equals < 0) {
      for (const name of names) advertised[name] ??= address;
      continue;
    }
    const name = text.slice(0, equals);
    if (!names.includes(name)) {
      throw new LyrebirdError(
        'LB1001',
        `kafka.advertised: there is no listener ${name}; known: ${names.join(', ')}`,
        { details: { listener: name } },
      );
    }
    advertised[name] = address;
  }
  return advertised;
}

function parseAddress(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  return {
    host: text.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(text.slice(colon + 1)),
  };
}

function shownSettings(loaded: LoadedConfig): ShownSetting[] {
  const help = new Map(listSettings().map((setting) => [setting.key, setting.help]));
  return loaded.values.map(({ key, text, origin }) => ({
    name: key,
    value: text,
    origin: origin.layer,
    documentation: help.get(key) ?? null,
  }));
}
