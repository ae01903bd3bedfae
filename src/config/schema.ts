import { z } from 'zod';
import { listenersSetting } from './listeners.ts';
import {
  bytes,
  choice,
  duration,
  flag,
  integer,
  list,
  ratio,
  settingMeta,
  text,
} from './setting.ts';
import type { SettingMeta } from './setting.ts';

const DURABILITIES = ['fsync', 'os', 'memory'] as const;

const node = z.strictObject({
  id: integer({
    help: 'Number of this broker, as Kafka clients see it.',
    default: 1,
    max: 2 ** 31 - 1,
  }),
});

const storage = z.strictObject({
  driver: choice({
    help: 'Where data is kept: files in storage.path, or memory only (`--memory`).',
    choices: ['disk', 'memory'],
    default: 'disk',
  }),
  path: text({
    help: 'Folder of the data (`--data`), made when missing; relative to the working folder.',
    default: './lyrebird-data',
  }),
  durability: choice({
    help: 'When a message counts as stored, for topics that do not say: `fsync` after it was synced to the disk, `os` when the operating system has it, `memory` at once (never on disk).',
    choices: DURABILITIES,
    default: 'fsync',
  }),
  journal_bytes: bytes({
    help: 'Size of the journal above which its oldest data moves to segments; publishing is slowed down above 1.5 times, and held back above twice as much.',
    default: '4GiB',
    min: '16MiB',
  }),
  journal_file_bytes: bytes({
    help: 'Size of one journal file.',
    default: '128MiB',
    min: '1MiB',
    max: '2GiB',
  }),
  journal_file_age: duration({
    help: 'Journal files older than this move to segments even when the journal is small.',
    default: 'unlimited',
    unlimited: true,
    min: '1s',
  }),
  group_bytes: bytes({
    help: 'Size at which a commit group is closed while others are being written.',
    default: '4MiB',
    min: '64KiB',
    max: '256MiB',
  }),
  pending_bytes_max: bytes({
    help: 'Bytes that may wait for their commit; publishers are not read from above it.',
    default: '64MiB',
    min: '1MiB',
  }),
  cache_bytes: bytes({
    help: 'Memory that keeps the newest data for readers.',
    default: '128MiB',
    min: '1MiB',
  }),
  block_cache_bytes: bytes({
    help: 'Memory that keeps older data read from disk.',
    default: '32MiB',
    min: '1MiB',
  }),
  cold_read_bytes: bytes({
    help: 'Memory of all reads of older data together, until their answers are sent; further ones wait for their turn.',
    default: '64MiB',
    min: '1MiB',
  }),
  index_bytes_max: bytes({
    help: 'Memory for the index of the journal; data moves to segments above it, and publishing is slowed down as for journal_bytes.',
    default: '32MiB',
    min: '1MiB',
  }),
  memory_bytes_max: bytes({
    help: 'Bytes of all topics with durability `memory`, or of all topics with driver `memory`; publishing is refused above it.',
    default: '256MiB',
    min: '1MiB',
  }),
  checkpoint_bytes: bytes({
    help: 'A checkpoint is taken after so much journal; less makes starts faster.',
    default: '64MiB',
    min: '1MiB',
  }),
  checkpoint_interval: duration({
    help: 'A checkpoint is taken after this time when anything changed.',
    default: '30s',
    min: '100ms',
  }),
  retention_check_interval: duration({
    help: 'How often expired data is looked for.',
    default: '30s',
    min: '100ms',
    like: 'log.retention.check.interval.ms',
  }),
  disk_warn: ratio({
    help: 'Share of the disk in use from which a warning is logged.',
    default: '70%',
  }),
  disk_shrink: ratio({
    help: 'Share of the disk in use from which the oldest data is dropped before its time, where topics allow it.',
    default: '75%',
  }),
  disk_alarm: ratio({
    help: 'Share of the disk in use from which an alarm is raised.',
    default: '80%',
  }),
  disk_blocked: ratio({
    help: 'Share of the disk in use from which publishers of durable data are refused; consumers go on.',
    default: '90%',
  }),
  disk_check_interval: duration({
    help: 'How often the free space is looked at.',
    default: '5s',
    min: '100ms',
  }),
  reserved_bytes: bytes({
    help: 'Size of a file that is given up when the disk is full, so that acknowledgements and deletions can be written.',
    default: '64MiB',
  }),
});

const topics = z.strictObject({
  retention: duration({
    help: 'How long topics keep records that do not say.',
    like: 'retention.ms',
    default: '7d',
    unlimited: true,
  }),
  retention_bytes: bytes({
    help: 'How many bytes a partition keeps.',
    like: 'retention.bytes',
    default: 'unlimited',
    unlimited: true,
  }),
  segment_bytes: bytes({
    help: 'Size at which a settled segment is rolled.',
    like: 'segment.bytes',
    default: '1GiB',
    min: '1KiB',
    max: '2147483647',
  }),
  message_bytes_max: bytes({
    help: 'Largest record batch a topic takes.',
    like: 'max.message.bytes',
    default: '1048588',
    max: '1GiB',
  }),
  partitions_max: integer({
    help: 'Most partitions of one topic.',
    default: 100_000,
    min: 1,
  }),
});

const kafka = z.strictObject({
  auto_create_topics: flag({
    help: 'Clients that ask for an unknown topic get it created.',
    like: 'auto.create.topics.enable',
    default: true,
  }),
  auto_create_partitions: integer({
    help: 'Partitions of a topic created without a number.',
    like: 'num.partitions',
    default: 1,
    min: 1,
  }),
  advertised: list({
    help: 'Addresses clients are told to connect to, `host:port` or `listener=host:port`; by default what the client reached.',
    item: z.string().regex(/^(?:[^=\s]+=)?(?:\[[0-9a-f:]+\]|[^:\s[\]]+):\d{1,5}$/i, {
      error: 'expected host:port or listener=host:port',
    }),
    expected: 'a list of host:port',
  }),
  request_bytes_max: bytes({
    help: 'A larger request closes its connection.',
    like: 'socket.request.max.bytes',
    default: '100MiB',
    min: '1KiB',
    max: '1GiB',
  }),
  in_flight_requests_max: integer({
    help: 'Unanswered requests of one connection; reading pauses above it.',
    default: 1024,
    min: 1,
  }),
  in_flight_bytes_max: bytes({
    help: 'Bytes of unanswered produce requests of one connection; reading pauses above it.',
    default: '256MiB',
    min: '1MiB',
  }),
  fetch_bytes_max: bytes({
    help: 'Most bytes of one fetch response.',
    like: 'fetch.max.bytes',
    default: '55MiB',
    min: '1KiB',
    max: '1GiB',
  }),
  fetch_wait_max: duration({
    help: 'Longest time a fetch waits for data, whatever the client asks.',
    default: '60s',
  }),
  fetch_sessions_max: integer({
    help: 'Incremental fetch sessions kept.',
    like: 'max.incremental.fetch.session.cache.slots',
    default: 1000,
  }),
  described_partitions_max: integer({
    help: 'Partitions of one page of DescribeTopicPartitions.',
    like: 'max.request.partition.size.limit',
    default: 2000,
    min: 1,
  }),
});

const amqp = z.strictObject({
  heartbeat: duration({
    help: 'Heartbeat interval proposed to clients, which may choose another; `0s` proposes none.',
    like: 'heartbeat',
    default: '60s',
  }),
  channel_max: integer({
    help: 'Channels of one connection.',
    like: 'channel_max',
    default: 2047,
    min: 1,
  }),
  frame_bytes_max: bytes({
    help: 'Largest frame proposed to clients.',
    like: 'frame_max',
    default: '131072',
    min: '8KiB',
    max: '16MiB',
  }),
  message_bytes_max: bytes({
    help: 'Largest body of a message; a larger one closes the channel.',
    like: 'max_message_size',
    default: '128MiB',
    min: '1KiB',
    max: '512MiB',
  }),
  consumers_per_channel_max: integer({
    help: 'Consumers of one channel.',
    like: 'consumer_max_per_channel',
    default: 10_000,
    min: 1,
  }),
  held_bytes_max: bytes({
    help: 'Memory of unfinished publishes and transactions of one connection; more closes it.',
    default: '256MiB',
    min: '1MiB',
  }),
  handshake_timeout: duration({
    help: 'Time from connecting to connection.open.',
    like: 'handshake_timeout',
    default: '10s',
  }),
  announced_version: text({
    help: 'Version of RabbitMQ that clients are told; some switch features by it.',
    default: '3.13.7',
  }),
});

const groups = z.strictObject({
  session_timeout_min: duration({
    help: 'Shortest session timeout a member may ask for.',
    like: 'group.min.session.timeout.ms',
    default: '1s',
  }),
  session_timeout_max: duration({
    help: 'Longest session timeout a member may ask for.',
    like: 'group.max.session.timeout.ms',
    default: '30m',
  }),
  initial_rebalance_delay: duration({
    help: 'How long the first rebalance of an empty group waits for more members; `0s` lets a lone member start at once.',
    like: 'group.initial.rebalance.delay.ms',
    default: '0s',
  }),
  disconnect_grace: duration({
    help: 'A dynamic member whose connections are gone is evicted after this; `unlimited` leaves it to the session timeout.',
    default: '2s',
    unlimited: true,
  }),
  members_max: integer({
    help: 'Most members of one group.',
    like: 'group.max.size',
    default: 10_000,
    min: 1,
  }),
  count_max: integer({ help: 'Most groups of the broker.', default: 100_000, min: 1 }),
  offsets_retention: duration({
    help: 'Offsets of a group without members are dropped after this.',
    like: 'offsets.retention.minutes',
    default: '7d',
    unlimited: true,
  }),
  offset_metadata_max: integer({
    help: 'Longest metadata text of a committed offset, in characters.',
    like: 'offset.metadata.max.bytes',
    default: 4096,
  }),
});

const limits = z.strictObject({
  connections_max: integer({
    help: 'Open connections of one listener; more are closed when accepted.',
    default: 10_000,
    min: 1,
  }),
  connections_per_ip_max: integer({
    help: 'Open connections of one listener from one address.',
    default: 10_000,
    min: 1,
  }),
  connections_per_second_max: integer({
    help: 'Sustained rate of new connections of one listener.',
    default: 5_000,
    min: 1,
  }),
  idle_timeout: duration({
    help: 'A connection without traffic is closed after this.',
    like: 'connections.max.idle.ms',
    default: '10m',
    unlimited: true,
  }),
  handshake_timeout: duration({ help: 'How long a TLS handshake may take.', default: '10s' }),
  output_high_bytes: bytes({
    help: 'A connection with more unsent output is not read from until it drains.',
    default: '1MiB',
    min: '16KiB',
  }),
  output_bytes_max: bytes({
    help: 'A connection with more unsent output is closed.',
    default: '128MiB',
    min: '1MiB',
  }),
  input_bytes_max: bytes({
    help: 'Received, unprocessed bytes of all connections together; the one that exceeds it is closed.',
    default: '512MiB',
    min: '1MiB',
  }),
});

const security = z.strictObject({
  anonymous: choice({
    help: 'Whether peers that did not authenticate may use listeners outside the loopback interface.',
    choices: ['deny', 'allow'],
    default: 'deny',
  }),
  default_user: text({
    help: 'User made at the first start, an administrator with every right; none when empty. Once deleted it stays deleted.',
    default: 'guest',
  }),
  default_password: text({
    help: 'Password of `security.default_user` at the first start.',
    default: 'guest',
  }),
  loopback_users: list({
    help: 'Users who may log in from this machine only.',
    item: z.string(),
    expected: 'a list of user names',
    default: 'guest',
  }),
  mechanisms: list({
    help: 'SASL mechanisms in the order to offer them: PLAIN, AMQPLAIN, EXTERNAL, RABBIT-CR-DEMO, ANONYMOUS. EXTERNAL is offered to clients with a certificate, ANONYMOUS when `security.anonymous_user` is set.',
    item: z.enum(['PLAIN', 'AMQPLAIN', 'EXTERNAL', 'RABBIT-CR-DEMO', 'ANONYMOUS']),
    expected: 'a list of PLAIN, AMQPLAIN, EXTERNAL, RABBIT-CR-DEMO, ANONYMOUS',
    default: 'PLAIN,AMQPLAIN,EXTERNAL,ANONYMOUS',
  }),
  anonymous_user: text({
    help: 'User that clients become who log in with ANONYMOUS; they are refused when empty.',
    default: '',
  }),
  certificate_name: choice({
    help: 'What of a client certificate is the name of the user, for EXTERNAL.',
    choices: ['distinguished-name', 'common-name'],
    default: 'distinguished-name',
  }),
});

const admin = z.strictObject({
  hosts: list({
    help: 'Host names, besides localhost and addresses, that requests to the admin port may name: a guard against web pages that resolve their own name to this machine.',
    item: z.string(),
    expected: 'a list of host names',
  }),
});

const log = z.strictObject({
  level: choice({
    help: 'Least severity that is logged.',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
    live: true,
  }),
  format: choice({
    help: '`pretty` for people, `json` for machines; `auto` is pretty on a terminal.',
    choices: ['auto', 'pretty', 'json'],
    default: 'auto',
  }),
});

const shutdown = z.strictObject({
  timeout: duration({
    help: 'How long a stop may take to let connections finish; then they are cut.',
    default: '10s',
    live: true,
  }),
});

/** All there is to configure. Keys of the file, the environment and `--set` are its paths. */
export const configSchema = z.strictObject({
  listeners: listenersSetting({
    help: 'Addresses to open (`--listen`), such as `kafka://127.0.0.1:9092`; the usual ports on loopback when empty. A table in the file may add `name`, `cert`, `key` and `client_ca`.',
    default: '',
  }),
  node: node.prefault({}).describe('This broker'),
  storage: storage.prefault({}).describe('Where and how data is kept'),
  topics: topics.prefault({}).describe('Defaults and limits of topics'),
  kafka: kafka.prefault({}).describe('The Kafka protocol'),
  amqp: amqp.prefault({}).describe('AMQP 0-9-1, the protocol of RabbitMQ'),
  groups: groups.prefault({}).describe('Consumer groups'),
  limits: limits.prefault({}).describe('Limits of connections'),
  security: security.prefault({}).describe('Who may connect'),
  admin: admin.prefault({}).describe('The admin interface (HTTP)'),
  log: log.prefault({}).describe('Logging, on the standard error'),
  shutdown: shutdown.prefault({}).describe('Stopping'),
});

export type ParsedConfig = z.output<typeof configSchema>;

export interface SettingInfo extends SettingMeta {
  /** Dotted path. */
  readonly key: string;
}

export interface SectionInfo {
  readonly name: string;
  readonly help: string;
  readonly settings: readonly SettingInfo[];
}

/** The schema as a table: top-level settings first (in a section named ''), then one section per table. */
export function listSections(): SectionInfo[] {
  const root: SettingInfo[] = [];
  const sections: SectionInfo[] = [{ name: '', help: 'Top level', settings: root }];
  for (const [name, schema] of Object.entries(configSchema.shape)) {
    const meta = settingMeta.get(schema);
    if (meta !== undefined) {
      root.push({ key: name, ...meta });
      continue;
    }
    const section = (schema as z.ZodPrefault<z.ZodObject>).unwrap();
    sections.push({
      name,
      help: schema.description ?? '',
      settings: Object.entries(section.shape).map(([key, setting]) => {
        const found = settingMeta.get(setting);
        if (found === undefined) throw new Error(`${name}.${key} has no description`);
        return { key: `${name}.${key}`, ...found };
      }),
    });
  }
  return sections;
}

export function listSettings(): SettingInfo[] {
  return listSections().flatMap((section) => section.settings);
}

/** JSON Schema (draft 2020-12) of the file, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  return { title: 'Lyrebird configuration', ...z.toJSONSchema(configSchema, { io: 'input' }) };
}
