/**
 * Lyrebird beside Apache Kafka in the same rounds: one core for the broker (0), the other for the generator (1),
 * the same raw-socket client for both, the figure is records per CPU-second of the broker.
 *
 *   node --import tsx bench/load/rounds.ts [--rounds 3] [--only REGEX] [--seconds 2] [--peer none] [--warm 60] [--out FILE]
 *
 * Rows run one after the other, peer and Lyrebird in turn, with nothing else on the machine; the peer's JVM is
 * warmed first. Needs gcc, taskset, and for the peer a JVM and Maven. Prints a Markdown table of medians.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  freePort,
  startBrokerProcess,
  type BrokerProcess,
} from '../../test/support/broker-process.ts';
import { kafkaDistribution } from '../../test/support/kafka-jars.ts';
import { startKafkaPeer, type KafkaPeer } from './kafka-peer.ts';

interface Row {
  readonly name: string;
  readonly args: readonly string[];
  /** Synced rows: fsync against flush.messages=1. */
  readonly synced?: boolean;
  /** Fetch rows need something to fetch first, in a topic that retention leaves alone: the generator starts over at its end. */
  readonly fill?: boolean;
}

const ROWS: readonly Row[] = [
  { name: 'produce 11 KB batches', args: ['-b', '100', '-w', '20000'] },
  { name: 'produce 70 KB batches', args: ['-b', '650', '-w', '10400'] },
  { name: 'produce 0.9 MB requests', args: ['-s', '1000', '-b', '900', '-w', '14400'] },
  { name: '100 producers x 1 record', args: ['-P', '100', '-b', '1', '-w', '100', '-C', '1'] },
  { name: 'produce + fetch 70 KB', args: ['-m', 'both', '-b', '650', '-w', '10400'] },
  { name: 'fetch of everything', args: ['-m', 'fetch', '-b', '650'], fill: true },
  { name: 'synced 11 KB batches', args: ['-A', '255', '-b', '100', '-w', '20000'], synced: true },
  { name: 'synced 70 KB batches', args: ['-A', '255', '-b', '650', '-w', '10400'], synced: true },
  {
    name: 'synced 100 producers x 1',
    args: ['-A', '255', '-P', '100', '-b', '1', '-w', '100', '-C', '1'],
    synced: true,
  },
  {
    name: 'end to end at 2,000/s',
    args: ['-m', 'both', '-A', '255', '-b', '1', '-r', '2000'],
  },
];

/** What the generator prints, as far as it is used here. */
interface Sample {
  readonly pub_s: number;
  readonly del_s: number;
  readonly ack_s: number;
  readonly per_cpu_s: number;
  readonly srv_cpu: number;
  readonly gen_cpu: number;
  readonly p50_us: number;
  readonly p99_us: number;
  readonly rss_mb: number;
  readonly lost: number;
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '2' },
    warm: { type: 'string', default: '60' },
    peer: { type: 'string', default: 'kafka' },
    out: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    'node-argument': { type: 'string', multiple: true, default: [] },
  },
});

const scratch = mkdtempSync(join(tmpdir(), 'lyrebird-bench-'));
const tools = join(tmpdir(), 'lyrebird-bench-tools');
const TOPIC = 'bench';
const SYNCED_TOPIC = 'bench-synced';
const FETCH_TOPIC = 'bench-fetch';

/** Small enough that a run of rows settles data into segments, so that its price is in the figures. */
const SETTINGS = ['storage.durability=os', 'storage.journal_bytes=512MiB'];
/** Bounds the disk on both sides. */
const RETENTION = { 'retention.bytes': String(1 << 30) };

function buildTools(): void {
  mkdirSync(tools, { recursive: true });
  for (const name of ['loadgen_kafka', 'calib']) {
    const source = fileURLToPath(new URL(`${name}.c`, import.meta.url));
    const run = spawnSync('gcc', ['-O2', '-o', join(tools, name), source], { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(`gcc failed: ${run.stderr}`);
  }
}

function generate(row: Row, port: number, pid: number, seconds: string): Sample | null {
  const run = (args: readonly string[]): string => {
    const name = row.fill === true ? FETCH_TOPIC : row.synced === true ? SYNCED_TOPIC : TOPIC;
    const topic = ['-T', name];
    const command = [
      '-c',
      '1',
      join(tools, 'loadgen_kafka'),
      '-p',
      String(port),
      ...topic,
      ...args,
    ];
    const result = spawnSync('taskset', command, { encoding: 'utf8', timeout: 60_000 });
    if (result.stderr !== '') process.stderr.write(`  ${row.name}: ${result.stderr}`);
    return result.stdout;
  };
  if (row.fill === true) run(['-t', '0.7', '-u', '0', '-b', '650', '-w', '10400']);
  const line = run(['-S', String(pid), '-t', seconds, '-u', '0.8', ...row.args])
    .trim()
    .split('\n')
    .at(-1);
  return line?.startsWith('{') === true ? (JSON.parse(line) as Sample) : null;
}

function calibrate(): unknown {
  const run = spawnSync('taskset', ['-c', '0', join(tools, 'calib')], { encoding: 'utf8' });
  return run.stdout.startsWith('{') ? JSON.parse(run.stdout) : null;
}

async function createTopics(broker: BrokerProcess): Promise<void> {
  const create = async (name: string, config: Record<string, string>): Promise<void> => {
    const response = await fetch(`${broker.admin}/api/v1/topics`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, partitions: 1, config }),
    });
    if (!response.ok) throw new Error(`topic ${name}: ${await response.text()}`);
  };
  await create(TOPIC, RETENTION);
  await create(SYNCED_TOPIC, { ...RETENTION, 'flush.messages': '1' });
  await create(FETCH_TOPIC, { 'retention.bytes': '-1' });
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;

function human(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  return value >= 1e3 ? `${(value / 1e3).toFixed(1)}k` : String(Math.round(value));
}

/** Deliveries per CPU-second; where nothing is delivered, acknowledgements. */
const figure = (sample: Sample): number => sample.per_cpu_s;

interface Pair {
  readonly lyrebird: Sample;
  readonly kafka: Sample | null;
}

function table(results: ReadonlyMap<string, readonly Pair[]>): string {
  const lines = [
    '| workload | Kafka rec/s | Kafka per CPU-s (min..max) | Lyrebird rec/s | Lyrebird per CPU-s (min..max) | ratio (min..max) | p99 µs Kafka / Lyrebird |',
    '|---|---|---|---|---|---|---|',
  ];
  for (const [name, pairs] of results) {
    const ours = pairs.map((pair) => pair.lyrebird);
    const theirs = pairs.flatMap((pair) => (pair.kafka === null ? [] : [pair.kafka]));
    const ratios = pairs.flatMap((pair) =>
      pair.kafka === null ? [] : [figure(pair.lyrebird) / figure(pair.kafka)],
    );
    const range = (samples: readonly Sample[]): string =>
      samples.length === 0
        ? '-'
        : `${human(median(samples.map(figure)))} (${human(Math.min(...samples.map(figure)))}..${human(Math.max(...samples.map(figure)))})`;
    const rate = (samples: readonly Sample[]): string =>
      samples.length === 0 ? '-' : human(median(samples.map((s) => s.del_s || s.ack_s)));
    const ratio =
      ratios.length === 0
        ? '-'
        : `**${median(ratios).toFixed(2)}x** (${Math.min(...ratios).toFixed(2)}..${Math.max(...ratios).toFixed(2)})`;
    const p99 = (samples: readonly Sample[]): string =>
      samples.length === 0 ? '-' : String(Math.round(median(samples.map((s) => s.p99_us))));
    lines.push(
      `| ${name} | ${rate(theirs)} | ${range(theirs)} | ${rate(ours)} | ${range(ours)} | ${ratio} | ${p99(theirs)} / ${p99(ours)} |`,
    );
  }
  return lines.join('\n');
}

async function main(): Promise<void> {
  buildTools();
  const only = new RegExp(values.only);
  const rows = ROWS.filter((row) => only.test(row.name));
  const jars =
    values.peer === 'kafka'
      ? kafkaDistribution(join(tmpdir(), 'lyrebird-conformance', 'kafka-jars'))
      : null;
  let peer: KafkaPeer | null = null;
  if (jars !== null) {
    peer = await startKafkaPeer(jars, join(scratch, 'kafka'), await freePort());
    peer.createTopic(TOPIC, RETENTION);
    peer.createTopic(SYNCED_TOPIC, { ...RETENTION, 'flush.messages': '1' });
    peer.createTopic(FETCH_TOPIC, { 'retention.bytes': '-1' });
  }
  const broker = await startBrokerProcess({
    data: join(scratch, 'lyrebird'),
    prefix: ['taskset', '-c', '0'],
    nodeArguments: values['node-argument'],
    settings: [...SETTINGS, ...values.set],
  });
  await createTopics(broker);
  const port = Number(broker.kafka.split(':')[1]);
  const results = new Map<string, Pair[]>();
  const calibrations: unknown[] = [];
  try {
    const warmUntilMs = performance.now() + (peer === null ? 0 : Number(values.warm) * 1000);
    for (let i = 0; performance.now() < warmUntilMs; i++) {
      const row = rows[i % rows.length];
      if (row !== undefined && peer !== null) generate(row, peer.port, peer.pid, '2');
    }
    for (const row of rows) generate(row, port, broker.pid, '1');
    for (let round = 1; round <= Number(values.rounds); round++) {
      for (const row of rows) {
        calibrations.push(calibrate());
        const kafka = peer === null ? null : generate(row, peer.port, peer.pid, values.seconds);
        const lyrebird = generate(row, port, broker.pid, values.seconds);
        if (lyrebird === null || (peer !== null && kafka === null)) {
          console.error(`round ${round}, ${row.name}: no result`);
          continue;
        }
        results.set(row.name, [...(results.get(row.name) ?? []), { lyrebird, kafka }]);
        console.error(
          `round ${round}, ${row.name}: ${human(figure(lyrebird))} per CPU-s, ${human(lyrebird.ack_s || lyrebird.del_s)}/s` +
            (kafka === null
              ? ''
              : `, Kafka ${human(figure(kafka))}: ${(figure(lyrebird) / figure(kafka)).toFixed(2)}x`) +
            `, rss ${lyrebird.rss_mb} MB`,
        );
      }
    }
  } finally {
    await broker.stop();
    await peer?.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
  console.log(table(results));
  if (values.out !== undefined) {
    const report = {
      node: process.version,
      settings: [...SETTINGS, ...values.set],
      calibrations,
      rows: Object.fromEntries(results),
    };
    writeFileSync(values.out, `${JSON.stringify(report, null, 1)}\n`);
  }
}

if (!existsSync(fileURLToPath(new URL('../../dist', import.meta.url)))) {
  throw new Error('build first: npm run build');
}
await main();
