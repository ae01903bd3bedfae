import assert from 'node:assert/strict';
import { complains, prints, succeeded, type ToolKit } from './tool-kit.ts';

/** What one check does; it throws when Lyrebird does not behave. Checks use topics and groups of their own. */
export type Checks = Readonly<Record<string, (kit: ToolKit) => void>>;

const numbers = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => String(first + index));

const sorted = (lines: readonly string[]): string[] =>
  [...lines].sort((a, b) => Number(a) - Number(b));

function createTopic(kit: ToolKit, short: string, partitions: number): string {
  const topic = kit.name(short);
  prints(
    kit.topics('--create', '--topic', topic, '--partitions', String(partitions)),
    /Created topic/,
  );
  return topic;
}

/** A topic of one partition with ten numbers, and a group that read them all. */
function consumedTopic(kit: ToolKit, short: string): { topic: string; group: string } {
  const topic = createTopic(kit, short, 1);
  const group = kit.name(`${short}-group`);
  kit.produce(topic, numbers(1, 10));
  assert.equal(kit.consume(topic, 10, '--group', group, '--from-beginning').length, 10);
  return { topic, group };
}

const CLUSTER: Checks = {
  'api versions': (kit) =>
    prints(kit.tool('BrokerApiVersionsCommand'), /Produce\(0\): .*usable/, /Fetch\(1\)/),
  'cluster id': (kit) => {
    const id = kit.java('org.apache.kafka.tools.ClusterTool', [
      'cluster-id',
      '--bootstrap-server',
      kit.bootstrap,
    ]);
    prints(id, /Cluster ID: \S+/);
  },
  features: (kit) => prints(kit.tool('FeatureCommand', 'describe'), /Feature: /),
  quorum: (kit) => {
    prints(kit.tool('MetadataQuorumCommand', 'describe', '--status'), /LeaderId/);
    prints(kit.tool('MetadataQuorumCommand', 'describe', '--replication'), /Leader/);
  },
  'no reassignments': (kit) =>
    prints(kit.tool('reassign.ReassignPartitionsCommand', '--list'), /No partition reassignments/),
};

const TOPICS: Checks = {
  'create, describe, delete a topic': (kit) => {
    const topic = kit.name('made');
    const settings = ['--partitions', '3', '--config', 'retention.ms=3600000'];
    prints(kit.topics('--create', '--topic', topic, ...settings), /Created topic/);
    prints(
      kit.topics('--describe', '--topic', topic),
      /PartitionCount: 3/,
      /retention\.ms=3600000/,
      /TopicId: [\w-]{22}/,
    );
    succeeded(kit.topics('--delete', '--topic', topic));
    assert.ok(!kit.topics('--list').stdout.split('\n').includes(topic));
  },
  'refuse a topic that exists': (kit) => {
    const topic = createTopic(kit, 'twice', 1);
    complains(kit.topics('--create', '--topic', topic), /already exists/);
    succeeded(kit.topics('--create', '--topic', topic, '--if-not-exists'));
  },
  'refuse bad names, settings and replication': (kit) => {
    complains(kit.topics('--create', '--topic', 'a b'), /invalid|illegal/i);
    const topic = kit.name('refused');
    complains(kit.topics('--create', '--topic', topic, '--config', 'no.such=1'), /Unknown topic/);
    const replicas = ['--replication-factor', '9'];
    complains(kit.topics('--create', '--topic', topic, ...replicas), /ReplicationFactor/);
  },
  'add partitions, never take them away': (kit) => {
    const topic = createTopic(kit, 'grown', 2);
    succeeded(kit.topics('--alter', '--topic', topic, '--partitions', '5'));
    prints(kit.topics('--describe', '--topic', topic), /PartitionCount: 5/);
    complains(kit.topics('--alter', '--topic', topic, '--partitions', '2'), /currently has 5/);
  },
  'elect the preferred leader': (kit) => {
    const topic = createTopic(kit, 'elected', 1);
    const election = ['--election-type', 'preferred', '--topic', topic, '--partition', '0'];
    prints(kit.tool('LeaderElectionCommand', ...election), /already elected|Successfully/);
  },
};

const CONFIGS: Checks = {
  'settings of a topic': (kit) => {
    const entity = ['--entity-type', 'topics', '--entity-name', createTopic(kit, 'set', 1)];
    succeeded(kit.configs('--alter', ...entity, '--add-config', 'retention.ms=1000000'));
    prints(kit.configs('--describe', ...entity), /retention\.ms=1000000/);
    prints(
      kit.configs('--describe', '--all', ...entity),
      /cleanup\.policy=delete/,
      /segment\.bytes=/,
    );
    succeeded(kit.configs('--alter', ...entity, '--delete-config', 'retention.ms'));
    assert.doesNotMatch(kit.configs('--describe', ...entity).stdout, /retention\.ms=1000000/);
    const bad = kit.configs('--alter', ...entity, '--add-config', 'retention.ms=abc');
    complains(bad, /Invalid value abc/);
  },
  'settings of the broker': (kit) => {
    const entity = ['--entity-type', 'brokers', '--entity-default'];
    succeeded(kit.configs('--alter', ...entity, '--add-config', 'log.retention.ms=604800001'));
    prints(kit.configs('--describe', ...entity), /log\.retention\.ms=604800001/);
    succeeded(kit.configs('--alter', ...entity, '--delete-config', 'log.retention.ms'));
  },
  'quotas of a client': (kit) => {
    const entity = ['--entity-type', 'clients', '--entity-name', kit.name('client')];
    succeeded(kit.configs('--alter', ...entity, '--add-config', 'producer_byte_rate=1048576'));
    prints(kit.configs('--describe', ...entity), /producer_byte_rate=1048576/);
    succeeded(kit.configs('--alter', ...entity, '--delete-config', 'producer_byte_rate'));
  },
};

const codecCheck =
  (codec: string) =>
  (kit: ToolKit): void => {
    const topic = createTopic(kit, codec, 3);
    kit.produce(topic, numbers(1, 1000), '--compression-codec', codec);
    assert.deepEqual(sorted(kit.consume(topic, 1000, '--from-beginning')), numbers(1, 1000));
  };

const RECORDS: Checks = {
  'records uncompressed': codecCheck('none'),
  'records in gzip': codecCheck('gzip'),
  'records in snappy': codecCheck('snappy'),
  'records in lz4': codecCheck('lz4'),
  'records in zstd': codecCheck('zstd'),
  'keys, headers and timestamps': (kit) => {
    const topic = createTopic(kit, 'shown', 1);
    const parse = ['parse.key=true', 'parse.headers=true', 'key.separator=|'];
    const properties = [...parse, 'headers.delimiter=|'].flatMap((p) => ['--property', p]);
    kit.produce(topic, ['h:v|k1|one', 'h:v|k2|two'], ...properties);
    const show = ['print.key=true', 'print.headers=true', 'print.timestamp=true'];
    const printing = show.flatMap((property) => ['--formatter-property', property]);
    const lines = kit.consume(topic, 2, '--from-beginning', ...printing);
    assert.match(lines[0] ?? '', /CreateTime:\d+.*h:v.*k1.*one/);
    assert.match(lines[1] ?? '', /k2.*two/);
  },
  'read from an offset': (kit) => {
    const topic = createTopic(kit, 'sought', 1);
    kit.produce(topic, numbers(1, 10));
    const lines = kit.consume(topic, 3, '--partition', '0', '--offset', '7');
    assert.deepEqual(lines, numbers(8, 10));
  },
  'offsets by time': (kit) => {
    const topic = createTopic(kit, 'timed', 1);
    kit.produce(topic, numbers(1, 10));
    for (const [time, offset] of [
      ['earliest', 0],
      ['latest', 10],
      ['1000', 0],
      ['earliest-local', 0],
    ] as const) {
      prints(
        kit.offsets('--topic', topic, '--time', time),
        new RegExp(`^${topic}:0:${offset}$`, 'm'),
      );
    }
    prints(kit.offsets('--topic', topic, '--time', 'max-timestamp'), /:0:\d$/m);
  },
  'delete records': (kit) => {
    const topic = createTopic(kit, 'trimmed', 1);
    kit.produce(topic, numbers(1, 10));
    const partitions = [{ topic, partition: 0, offset: 4 }];
    const file = kit.file('trim.json', JSON.stringify({ partitions, version: 1 }));
    prints(kit.tool('DeleteRecordsCommand', '--offset-json-file', file), /low_watermark: 4/);
    prints(kit.offsets('--topic', topic, '--time', 'earliest'), /:0:4$/m);
    assert.deepEqual(kit.consume(topic, 6, '--from-beginning'), numbers(5, 10));
  },
  'log directories': (kit) => {
    const topic = createTopic(kit, 'stored', 1);
    kit.produce(topic, numbers(1, 10));
    const described = kit.tool('LogDirsCommand', '--describe', '--topic-list', topic);
    prints(described, new RegExp(`"partition":"${topic}-0"`));
  },
};

const GROUPS: Checks = {
  'a group goes on where it stopped': (kit) => {
    const topic = createTopic(kit, 'resumed', 1);
    const group = ['--group', kit.name('resuming')];
    kit.produce(topic, numbers(1, 1000));
    const first = kit.consume(topic, 400, '--from-beginning', ...group);
    const rest = kit.consume(topic, 600, ...group);
    assert.deepEqual([...first, ...rest], numbers(1, 1000));
  },
  'list and describe groups': (kit) => {
    const { topic, group } = consumedTopic(kit, 'described');
    prints(kit.groups('--list'), new RegExp(`^${group}$`, 'm'));
    prints(
      kit.groups('--describe', '--group', group),
      new RegExp(`${group} +${topic} +0 +10 +10 +0 `),
    );
    prints(kit.groups('--describe', '--group', group, '--state'), /Empty/);
    prints(kit.tool('GroupsCommand', '--list'), new RegExp(`${group} +Classic +consumer`));
  },
  'reset offsets': (kit) => {
    const { topic, group } = consumedTopic(kit, 'reset');
    const reset = ['--reset-offsets', '--group', group, '--topic', topic];
    const to = (offset: number): RegExp => new RegExp(`${group} +${topic} +0 +${offset}\\b`);
    prints(kit.groups(...reset, '--to-earliest', '--execute'), to(0));
    prints(kit.groups(...reset, '--shift-by', '3', '--execute'), to(3));
    prints(kit.groups(...reset, '--to-datetime', '2020-01-01T00:00:00.000', '--dry-run'), to(0));
    assert.deepEqual(kit.consume(topic, 7, '--group', group), numbers(4, 10));
  },
  'delete offsets and groups': (kit) => {
    const { topic, group } = consumedTopic(kit, 'forgotten');
    const offsets = ['--delete-offsets', '--group', group, '--topic', topic];
    prints(kit.groups(...offsets), /Successful/);
    prints(kit.groups('--delete', '--group', group), /was successful/);
    assert.ok(!kit.groups('--list').stdout.split('\n').includes(group));
    complains(kit.groups('--delete', '--group', group), /GroupIdNotFound|failed/);
  },
};

const PROGRAMS: Checks = {
  'producer and consumer performance': (kit) => {
    const topic = createTopic(kit, 'fast', 4);
    const load = ['--num-records', '50000', '--record-size', '200', '--throughput', '-1'];
    prints(
      kit.java('org.apache.kafka.tools.ProducerPerformance', [
        '--topic',
        topic,
        ...load,
        '--producer-props',
        `bootstrap.servers=${kit.bootstrap}`,
        'acks=all',
      ]),
      /50000 records sent.*99\.9th/,
    );
    const read = ['--num-records', '50000', '--timeout', '30000', '--hide-header'];
    prints(kit.tool('ConsumerPerformance', '--topic', topic, ...read), /, 50000, /);
  },
  'end to end latency': (kit) => {
    const topic = createTopic(kit, 'latency', 1);
    const load = ['--num-records', '300', '--producer-acks', 'all', '--record-size', '100'];
    prints(kit.tool('EndToEndLatency', '--topic', topic, ...load), /Avg latency/);
  },
  'verifiable producer and consumer': (kit) => {
    const topic = createTopic(kit, 'verified', 4);
    const most = ['--topic', topic, '--max-messages', '2000'];
    prints(kit.tool('VerifiableProducer', ...most, '--acks', '-1'), /"acked":2000/);
    const reader = ['--group-id', kit.name('verifying'), '--reset-policy', 'earliest'];
    const outcome = kit.tool('VerifiableConsumer', ...most, ...reader);
    prints(outcome, /partitions_assigned/, /offsets_committed/);
    const counts = [...outcome.stdout.matchAll(/"name":"records_consumed".*?"count":(\d+)/g)];
    assert.equal(
      counts.reduce((sum, match) => sum + Number(match[1]), 0),
      2000,
    );
  },
  'client compatibility': (kit) => {
    const supported = [
      'offsets-for-times-supported',
      'cluster-id-supported',
      'create-topics-supported',
      'describe-acls-supported',
      'describe-configs-supported',
      'idempotent-producer-supported',
    ].flatMap((name) => [`--${name}`, 'true']);
    const cluster = ['--num-cluster-nodes', '1', '--expect-record-too-large-exception', 'false'];
    const topic = ['--topic', kit.name('compatible')];
    prints(kit.tool('ClientCompatibilityTest', ...topic, ...supported, ...cluster), /SUCCESS/);
  },
};

export const CHECKS: Checks = {
  ...CLUSTER,
  ...TOPICS,
  ...CONFIGS,
  ...RECORDS,
  ...GROUPS,
  ...PROGRAMS,
};
