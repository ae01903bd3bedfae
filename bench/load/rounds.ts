/**
 * Lyrebird beside Apache Kafka in the same rounds: one core for the broker (0), the other for the generator (1),
 * the same raw-socket client for both, the figure is records per CPU-second of the broker.
 *
 *   node --import tsx bench/load/rounds.ts [--rounds 3] [--only REGEX] [--seconds 2] [--peer none] [--warm 60] [--out FILE]
 *
 * Rows run one after the other, peer and Lyrebird in turn, with nothing else on the machine; the peer's JVM is
 * warmed first. Needs gcc, taskset, and for the peer a JVM and Maven. Prints a Markdown table of medians.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
import { buildTools, calibrate, generate, type Sample } from './generator.ts';
import { startKafkaPeer, type KafkaPeer } from './kafka-peer.ts';
import { figure, human, roundsTable, type Pair } from './rounds-table.ts';

interface Row {
  readonly name: string;
  readonly args: readonly string[];
  /** Synced rows: fsync against flush.messages=1. */
  readonly synced?: boolean;
  /**
   * Fetch rows need something to fetch first, in a topic that retention leaves alone: the generator starts over at its
   * end. Filled once, for so many seconds: what writing leaves to be done shall not be in the figure.
   */
  readonly fillSeconds?: string;
}

const ROWS: readonly Row[] = [
  { name: 'produce 11 KB batches', args: ['-b', '100', '-w', '20000'] },
  { name: 'produce 70 KB batches', args: ['-b', '650', '-w', '10400'] },
  { name: 'produce 0.9 MB requests', args: ['-s', '1000', '-b', '900', '-w', '14400'] },
  { name: '100 producers x 1 record', args: ['-P', '100', '-b', '1', '-w', '100', '-C', '1'] },
  { name: 'produce + fetch 70 KB', args: ['-m', 'both', '-b', '650', '-w', '10400'] },
  {
    name: 'fetch of everything',
    args: ['-m', 'fetch', '-b', '650'],
    fillSeconds: '1.5',
  },
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
const TOPIC = 'bench';
const SYNCED_TOPIC = 'bench-synced';
const FETCH_TOPIC = 'bench-fetch';
/** Ports of the brokers that have something to fetch. */
const filled = new Set<number>();

/** Small enough that a run of rows settles data into segments, so that its price is in the figures. */
const SETTINGS = ['storage.durability=os', 'storage.journal_bytes=512MiB'];
/** Bounds the disk on both sides. */
const RETENTION = { 'retention.bytes': String(1 << 30) };

function measure(row: Row, port: number, pid: number, seconds: string): Sample | null {
  const fetched = row.fillSeconds !== undefined;
  const topic = fetched ? FETCH_TOPIC : row.synced === true ? SYNCED_TOPIC : TOPIC;
  const run = (args: readonly string[]): Sample | null =>
    generate('loadgen_kafka', ['-p', String(port), '-T', topic, ...args], row.name);
  if (row.fillSeconds !== undefined && !filled.has(port)) {
    filled.add(port);
    run(['-t', row.fillSeconds, '-u', '0', '-b', '650', '-w', '10400']);
  }
  return run(['-S', String(pid), '-t', seconds, '-u', '0.8', ...row.args]);
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

async function main(): Promise<void> {
  buildTools(['loadgen_kafka', 'calib']);
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
      if (row !== undefined && peer !== null) measure(row, peer.port, peer.pid, '2');
    }
    for (const row of rows) measure(row, port, broker.pid, '1');
    for (let round = 1; round <= Number(values.rounds); round++) {
      for (const row of rows) {
        calibrations.push(calibrate());
        const kafka = peer === null ? null : measure(row, peer.port, peer.pid, values.seconds);
        const lyrebird = measure(row, port, broker.pid, values.seconds);
        if (lyrebird === null || (peer !== null && kafka === null)) {
          console.error(`round ${round}, ${row.name}: no result`);
          continue;
        }
        results.set(row.name, [...(results.get(row.name) ?? []), { lyrebird, peer: kafka }]);
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
  console.log(roundsTable('Kafka', results));
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
