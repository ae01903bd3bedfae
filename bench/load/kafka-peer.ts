import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Apache Kafka as the peer: one KRaft node on loopback, pinned to core 0, with its default G1 options and a 1 GB heap. */
export interface KafkaPeer {
  readonly pid: number;
  readonly port: number;
  createTopic(name: string, config: Readonly<Record<string, string>>): void;
  stop(): Promise<void>;
}

const JVM = [
  '-Xms1g',
  '-Xmx1g',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

/** jars: folder of the distribution's jars. folder: scratch, emptied by the caller. Ports: port and port + 1. */
export async function startKafkaPeer(
  jars: string,
  folder: string,
  port: number,
): Promise<KafkaPeer> {
  mkdirSync(folder, { recursive: true });
  const properties = join(folder, 'server.properties');
  writeFileSync(
    properties,
    `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${port + 1}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${port + 1}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=${folder}/logs
num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.segment.bytes=268435456
log.retention.bytes=1073741824
log.retention.ms=-1
log.retention.check.interval.ms=3000
log.segment.delete.delay.ms=1000
`,
  );
  const classpath = ['-cp', `${jars}/*`];
  const format = spawnSync(
    'java',
    [
      ...classpath,
      'kafka.tools.StorageTool',
      'format',
      '-t',
      'MkU3OEVBNTcwNTJENDM2Qk',
      '-c',
      properties,
    ],
    { encoding: 'utf8' },
  );
  if (format.status !== 0) throw new Error(`formatting failed: ${format.stdout}${format.stderr}`);
  const log = join(folder, 'out.log');
  const output = openSync(log, 'w');
  const child = spawn(
    'taskset',
    ['-c', '0', 'java', ...JVM, ...classpath, 'kafka.Kafka', properties],
    {
      stdio: ['ignore', output, output],
    },
  );
  const topicCommand = (...args: string[]): string => {
    const run = spawnSync(
      'java',
      [
        '-Xmx256m',
        ...classpath,
        'org.apache.kafka.tools.TopicCommand',
        '--bootstrap-server',
        `127.0.0.1:${port}`,
        ...args,
      ],
      { encoding: 'utf8' },
    );
    if (run.status !== 0) throw new Error(`${run.stdout}${run.stderr}`);
    return run.stdout;
  };
  await untilAnswering(child, topicCommand, log);
  return {
    pid: child.pid ?? 0,
    port,
    createTopic: (name, config) => {
      const settings = Object.entries(config).flatMap(([key, value]) => [
        '--config',
        `${key}=${value}`,
      ]);
      topicCommand('--create', '--topic', name, '--partitions', '1', ...settings);
    },
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function untilAnswering(
  child: ChildProcess,
  ask: (...args: string[]) => string,
  log: string,
): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt++) {
    if (child.exitCode !== null) throw new Error(`Kafka ended: ${readFileSync(log, 'utf8')}`);
    try {
      ask('--list');
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
  throw new Error(`Kafka did not answer: ${readFileSync(log, 'utf8')}`);
}
