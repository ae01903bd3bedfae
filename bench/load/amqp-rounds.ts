/**
 * Lyrebird beside RabbitMQ in the same rounds: one core for the broker (0), the other for the generator (1), the same
 * raw-socket client for both, the figure is deliveries per CPU-second of the broker.
 *
 *   node --import tsx bench/load/amqp-rounds.ts [--rounds 3] [--only REGEX] [--seconds 3] [--peer none] [--warm 20] [--out FILE]
 *
 * Rows run one after the other, peer and Lyrebird in turn, with nothing else on the machine. Both sync what is
 * persistent before they confirm it, in groups. Needs gcc, taskset, and for the peer Debian's rabbitmq-server. Prints a
 * Markdown table of medians.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startBrokerProcess } from '../../test/support/broker-process.ts';
import { hasRabbitMq, startRabbitMq, type RabbitMq } from '../../test/support/rabbitmq.ts';
import { buildTools, calibrate, generate, type Sample } from './generator.ts';
import { figure, human, roundsTable, type Pair } from './rounds-table.ts';

interface Row {
  readonly name: string;
  readonly args: readonly string[];
}

const PERSISTENT = ['-m', 'confirm', '-Q', '200'];

const ROWS: readonly Row[] = [
  { name: 'transient, auto-ack, 100 B', args: ['-m', 'transient'] },
  { name: 'transient, auto-ack, 1 KB', args: ['-m', 'transient', '-s', '1024'] },
  { name: 'persistent, confirm and ack, 100 B', args: PERSISTENT },
  { name: 'persistent, confirm and ack, 1 KB', args: [...PERSISTENT, '-s', '1024'] },
  {
    name: '100 publishers, a message a write',
    args: ['-m', 'transient', '-P', '100', '-C', '1', '-w', '100'],
  },
  {
    name: 'fan-out to 10 durable queues',
    args: ['-m', 'fanout', '-f', '1', '-n', '10', '-w', '2000', '-Q', '200'],
  },
  { name: 'transient at 5,000/s', args: ['-m', 'transient', '-r', '5000'] },
  { name: 'persistent at 5,000/s', args: [...PERSISTENT, '-r', '5000'] },
];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '3' },
    warm: { type: 'string', default: '20' },
    peer: { type: 'string', default: 'rabbitmq' },
    out: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    'node-argument': { type: 'string', multiple: true, default: [] },
  },
});

/** Small enough that a run of rows settles data into segments, so that its price is in the figures. */
const SETTINGS = ['storage.journal_bytes=512MiB'];
const PINNED = ['taskset', '-c', '0'];

const scratch = mkdtempSync(join(tmpdir(), 'lyrebird-bench-'));

function measure(row: Row, port: number, pid: number, seconds: string): Sample | null {
  const about = ['-p', String(port), '-S', String(pid), '-t', seconds, '-u', '0.8'];
  return generate('loadgen_amqp', [...about, ...row.args], row.name);
}

async function startPeer(): Promise<RabbitMq | null> {
  if (values.peer !== 'rabbitmq') return null;
  if (!hasRabbitMq())
    throw new Error("the peer is Debian's rabbitmq-server; --peer none does without");
  return await startRabbitMq({ folder: join(scratch, 'rabbitmq'), prefix: PINNED });
}

async function main(): Promise<void> {
  buildTools(['loadgen_amqp', 'calib']);
  const only = new RegExp(values.only);
  const rows = ROWS.filter((row) => only.test(row.name));
  const peer = await startPeer();
  const broker = await startBrokerProcess({
    data: join(scratch, 'lyrebird'),
    prefix: PINNED,
    listen: ['amqp://127.0.0.1:0'],
    nodeArguments: values['node-argument'],
    settings: [...SETTINGS, ...values.set],
  });
  const port = Number(broker.address('amqp')?.split(':')[1]);
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
        const theirs = peer === null ? null : measure(row, peer.port, peer.pid, values.seconds);
        const lyrebird = measure(row, port, broker.pid, values.seconds);
        if (lyrebird === null || (peer !== null && theirs === null)) {
          console.error(`round ${round}, ${row.name}: no result`);
          continue;
        }
        results.set(row.name, [...(results.get(row.name) ?? []), { lyrebird, peer: theirs }]);
        console.error(`round ${round}, ${row.name}: ${progress({ lyrebird, peer: theirs })}`);
      }
    }
  } finally {
    await broker.stop();
    await peer?.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
  console.log(roundsTable('RabbitMQ', results));
  if (values.out !== undefined) {
    const report = {
      node: process.version,
      peer: peer === null ? null : `RabbitMQ ${peer.version}`,
      settings: [...SETTINGS, ...values.set],
      calibrations,
      rows: Object.fromEntries(results),
    };
    writeFileSync(values.out, `${JSON.stringify(report, null, 1)}\n`);
  }
}

function progress({ lyrebird, peer }: Pair): string {
  const ours = `${human(figure(lyrebird))} per CPU-s, ${human(lyrebird.del_s)}/s, rss ${lyrebird.rss_mb} MB`;
  if (peer === null) return ours;
  const ratio = (figure(lyrebird) / figure(peer)).toFixed(2);
  return `${ours}; RabbitMQ ${human(figure(peer))} per CPU-s: ${ratio}x`;
}

if (!existsSync(fileURLToPath(new URL('../../dist', import.meta.url)))) {
  throw new Error('build first: npm run build');
}
await main();
