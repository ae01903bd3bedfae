import type { Config, ListenerConfig, LoadedConfig } from '../config/index.ts';
import { listSettings } from '../config/index.ts';
import { LyrebirdError } from '../base/errors.ts';
import { SERVER_DEFAULTS, type ListenerSpec, type ServerOptions } from './options.ts';
import type { SecurityOptions } from '../security/security.ts';
import type { Logger } from '../telemetry/logger.ts';

/** The one place where configuration becomes the plain options of a server. */
export function serverOptions({ config, values }: LoadedConfig, logger: Logger): ServerOptions {
  const help = new Map(listSettings().map((setting) => [setting.key, setting.help]));
  return {
    ...SERVER_DEFAULTS,
    nodeId: config.node.id,
    storage: storageSpec(config),
    durability: config.storage.durability,
    listeners: config.listeners.map(listenerSpec),
    anonymous: config.security.anonymous,
    security: securityOptions(config),
    adminHosts: config.admin.hosts,
    limits: {
      ...SERVER_DEFAULTS.limits,
      connectionsMax: config.limits.connections_max,
      connectionsPerIpMax: config.limits.connections_per_ip_max,
      connectionsPerSecondMax: config.limits.connections_per_second_max,
      idleTimeoutMs: config.limits.idle_timeout,
      handshakeTimeoutMs: config.limits.handshake_timeout,
      outputHighBytes: config.limits.output_high_bytes,
      outputLowBytes: Math.floor(config.limits.output_high_bytes / 4),
      outputBytesMax: config.limits.output_bytes_max,
      heldBytesMax: Math.max(SERVER_DEFAULTS.limits.heldBytesMax, config.kafka.request_bytes_max),
    },
    heldBytesMax: config.limits.input_bytes_max,
    protocols: { kafka: kafkaSettings(config), amqp: amqpSettings(config) },
    groups: {
      durability: config.storage.durability,
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
    shownConfig: values.map(({ key, text, origin }) => ({
      name: key,
      value: key.endsWith('password') ? '***' : text,
      origin: origin.layer,
      documentation: help.get(key) ?? null,
    })),
  };
}

function storageSpec({ storage }: Config): ServerOptions['storage'] {
  if (storage.driver === 'memory') {
    return {
      kind: 'memory',
      limits: {
        memoryBytesMax: storage.memory_bytes_max,
        retentionCheckMs: storage.retention_check_interval,
      },
    };
  }
  return {
    kind: 'disk',
    path: storage.path,
    limits: {
      journalBytes: storage.journal_bytes,
      journalFileBytes: storage.journal_file_bytes,
      journalFileAgeMs: storage.journal_file_age,
      indexBytesMax: storage.index_bytes_max,
      groupBytes: storage.group_bytes,
      cacheBytes: storage.cache_bytes,
      blockCacheBytes: storage.block_cache_bytes,
      coldReadBytes: storage.cold_read_bytes,
      pendingBytesMax: storage.pending_bytes_max,
      memoryLogBytes: storage.memory_bytes_max,
      checkpointBytes: storage.checkpoint_bytes,
      checkpointMs: storage.checkpoint_interval,
      diskWarn: storage.disk_warn,
      diskShrink: storage.disk_shrink,
      diskAlarm: storage.disk_alarm,
      diskBlocked: storage.disk_blocked,
      diskCheckMs: storage.disk_check_interval,
      reservedBytes: storage.reserved_bytes,
      retentionCheckMs: storage.retention_check_interval,
    },
  };
}

function securityOptions({ security }: Config): Partial<SecurityOptions> {
  const { default_user: name, default_password: password } = security;
  return {
    enabled: security.mechanisms,
    anonymousUser: security.anonymous_user === '' ? null : security.anonymous_user,
    certificateName: security.certificate_name,
    loopbackUsers: security.loopback_users,
    defaultUser: name === '' ? null : { name, password },
  };
}

function kafkaSettings({ kafka, topics, groups, storage, limits, listeners }: Config) {
  return {
    ...SERVER_DEFAULTS.protocols.kafka,
    autoCreateTopics: kafka.auto_create_topics,
    defaultPartitions: kafka.auto_create_partitions,
    advertised: advertisedAddresses(kafka.advertised, listeners),
    maxRequestBytes: kafka.request_bytes_max,
    maxInFlightRequests: kafka.in_flight_requests_max,
    maxInFlightBytes: kafka.in_flight_bytes_max,
    fetchMaxBytes: kafka.fetch_bytes_max,
    fetchSessionSlots: kafka.fetch_sessions_max,
    fetchMaxWaitMs: kafka.fetch_wait_max,
    maxDescribedPartitions: kafka.described_partitions_max,
    maxPartitionsPerTopic: topics.partitions_max,
    groupMinSessionTimeoutMs: groups.session_timeout_min,
    groupMaxSessionTimeoutMs: groups.session_timeout_max,
    offsetMetadataMaxBytes: groups.offset_metadata_max,
    defaultDurability: storage.durability,
    dataFolder: storage.driver === 'memory' ? 'memory' : storage.path,
    brokerConfigs: {
      'group.initial.rebalance.delay.ms': String(groups.initial_rebalance_delay),
      'group.max.size': String(groups.members_max),
      'offsets.retention.minutes': minutesText(groups.offsets_retention),
      'connections.max.idle.ms': limitText(limits.idle_timeout),
      'log.retention.check.interval.ms': String(storage.retention_check_interval),
    },
    retentionMs: topics.retention,
    retentionBytes: topics.retention_bytes,
    segmentBytes: topics.segment_bytes,
    maxMessageBytes: topics.message_bytes_max,
  };
}

function amqpSettings({ amqp, storage }: Config): ServerOptions['protocols']['amqp'] {
  return {
    ...SERVER_DEFAULTS.protocols.amqp,
    heartbeatSeconds: Math.ceil(amqp.heartbeat / 1000),
    channelMax: amqp.channel_max,
    frameBytesMax: amqp.frame_bytes_max,
    messageBytesMax: amqp.message_bytes_max,
    streamDurability: storage.durability,
    consumersPerChannelMax: amqp.consumers_per_channel_max,
    heldBytesMax: amqp.held_bytes_max,
    handshakeTimeoutMs: amqp.handshake_timeout,
    announcedVersion: amqp.announced_version,
  };
}

/** Kafka has no word for "unlimited" in these keys: the largest value of their type stands for it. */
function minutesText(ms: number): string {
  return String(Number.isFinite(ms) ? Math.ceil(ms / 60_000) : 2_147_483_647);
}

function limitText(ms: number): string {
  return Number.isFinite(ms) ? String(ms) : '9223372036854775807';
}

/** `host:port` is for every Kafka listener, `listener=host:port` for that one. */
function advertisedAddresses(
  entries: readonly string[],
  listeners: readonly ListenerConfig[],
): Record<string, { host: string; port: number }> {
  const names = listeners.filter(({ scheme }) => scheme === 'kafka').map(({ name }) => name);
  const known = names.length === 0 ? ['kafka'] : names;
  const addresses: Record<string, { host: string; port: number }> = {};
  for (const entry of entries) {
    const equals = entry.indexOf('=');
    const address = parseAddress(entry.slice(equals + 1));
    const targets = equals < 0 ? known : [entry.slice(0, equals)];
    for (const name of targets) {
      if (!known.includes(name)) {
        throw invalid('kafka.advertised', `there is no Kafka listener ${name}`);
      }
      addresses[name] = address;
    }
  }
  return addresses;
}

/** The schema let only `host:port` pass. */
function parseAddress(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  return {
    host: text.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(text.slice(colon + 1)),
  };
}

function listenerSpec(listener: ListenerConfig): ListenerSpec {
  const { name, scheme, host, port, transport, tls } = listener;
  if (transport === 'ws' || transport === 'wss') {
    throw invalid('listeners', `${scheme} cannot be spoken over +${transport}`);
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

function invalid(key: string, message: string): LyrebirdError {
  return new LyrebirdError('LB1001', `${key}: ${message}`, {
    details: { problems: [{ key, message, origin: null }] },
  });
}
