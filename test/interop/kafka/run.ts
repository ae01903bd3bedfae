/**
 * Client libraries against Lyrebird: npm run interop:kafka -- [--quick] [--full] [--only REGEX] [--scratch DIR]
 *
 * Installs each client from its package registry into a scratch folder, runs every case in a process of its own
 * and prints a table client x case. --full adds the long cases, and writes docs/compatibility/kafka.md.
 * A client that this machine cannot run is skipped, with the reason. Ends with `N passed, N failed, N skipped`.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startBrokerProcess } from '../../support/broker-process.ts';
import { CASES, CLIENTS, type Client } from './clients.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    broker: { type: 'string' },
    scratch: { type: 'string', default: join(tmpdir(), 'lyrebird-interop') },
  },
});

const SECONDS_MAX = values.full ? 600 : 90;
/** Exit codes of the client programs beside 0 and failure. */
const LACKS_IT = 3;
const LONG_CASE = 4;

type Outcome = 'ok' | 'FAIL' | '-' | 'skipped';

function runCase(command: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const [program, ...args] = command;
    const child = spawn(program ?? '', args, {
      env: { ...process.env, ...(values.full ? { FULL: '1' } : {}) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    const timer = setTimeout(() => child.kill('SIGKILL'), SECONDS_MAX * 1000);
    const finish = (code: number, note: string): void => {
      clearTimeout(timer);
      resolve({ code, output: Buffer.concat(chunks).toString() + note });
    };
    child.on('error', (error) => finish(1, error.message));
    child.on('close', (code, signal) =>
      finish(code ?? 1, signal === null ? '' : ` ended by ${signal}`),
    );
  });
}

function outcomeOf(code: number): Outcome {
  if (code === 0) return 'ok';
  if (code === LACKS_IT) return '-';
  return code === LONG_CASE ? 'skipped' : 'FAIL';
}

interface Row {
  readonly client: string;
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly skipped: string | null;
}

async function runClient(client: Client, bootstrap: string): Promise<Row> {
  const outcomes = new Map<string, Outcome>();
  const installed = client.install(values.scratch);
  if (typeof installed === 'string') {
    console.log(`${client.name}: skipped, ${installed}`);
    return { client: client.name, outcomes, skipped: installed };
  }
  for (const name of [...CASES, ...installed.extraCases]) {
    const topic = `interop-${client.name}-${name}-${process.pid}`.replaceAll(
      /[^a-zA-Z0-9._-]+/g,
      '-',
    );
    const { code, output } = await runCase(installed.command(bootstrap, name, topic));
    const outcome = outcomeOf(code);
    outcomes.set(name, outcome);
    if (outcome !== '-') console.log(`${outcome.padEnd(5)} ${client.name}: ${name}`);
    if (outcome === 'FAIL') console.log(output.trim().slice(-1500).replaceAll(/^/gm, '      '));
  }
  return { client: client.name, outcomes, skipped: null };
}

function markdown(rows: readonly Row[]): string {
  const lines = [
    '# Kafka clients',
    '',
    'Written by `npm run interop:kafka -- --full`: unmodified client libraries against a broker on disk with',
    'fsync. `-`: the client does not offer it, or the case is not written for it.',
    '',
    `| client | ${CASES.join(' | ')} |`,
    `| --- |${' --- |'.repeat(CASES.length)}`,
  ];
  for (const row of rows) {
    const cells = CASES.map((name) =>
      row.skipped === null ? (row.outcomes.get(name) ?? '-') : 'not run',
    );
    lines.push(`| ${row.client} | ${cells.join(' | ')} |`);
  }
  for (const row of rows) {
    const extra = [...row.outcomes].filter(
      ([name]) => !(CASES as readonly string[]).includes(name),
    );
    if (extra.length === 0) continue;
    lines.push('', `## ${row.client}`, '', '| case | result |', '| --- | --- |');
    for (const [name, outcome] of extra) lines.push(`| ${name} | ${outcome} |`);
  }
  const meaning: Record<(typeof CASES)[number], string> = {
    roundtrip: '300 records with keys, three partitions, read back with order per key',
    headers: 'a header, and a tombstone where the client can send one',
    gzip: 'compressed by the client, stored as it came',
    snappy: 'the same',
    lz4: 'the same',
    zstd: 'the same',
    group: 'a consumer group reads everything and its offsets are committed',
    idempotent: 'idempotent producer',
    large: 'a record of 900,000 bytes',
    times: 'offset for a timestamp',
    admin: 'create, configure, add partitions, delete',
  };
  lines.push('', '## What the cases do', '', '| case | what |', '| --- | --- |');
  for (const name of CASES) lines.push(`| ${name} | ${meaning[name]} |`);
  return `${lines.join('\n')}\n`;
}

async function main(): Promise<void> {
  mkdirSync(values.scratch, { recursive: true });
  const data = mkdtempSync(join(tmpdir(), 'lyrebird-interop-data-'));
  const broker = values.broker === undefined ? await startBrokerProcess({ data }) : null;
  const rows: Row[] = [];
  try {
    const only = new RegExp(values.only);
    for (const client of CLIENTS) {
      if ((values.quick && !client.quick) || !only.test(client.name)) continue;
      rows.push(await runClient(client, values.broker ?? broker?.kafka ?? ''));
    }
  } finally {
    await broker?.stop();
    rmSync(data, { recursive: true, force: true });
  }
  if (values.full && values.only === '') {
    const target = fileURLToPath(new URL('../../../docs/compatibility/kafka.md', import.meta.url));
    mkdirSync(join(target, '..'), { recursive: true });
    writeFileSync(target, markdown(rows));
  }
  const all = rows.flatMap((row) => [...row.outcomes.values()]);
  const count = (outcome: Outcome): number => all.filter((found) => found === outcome).length;
  const skipped = count('skipped') + rows.filter((row) => row.skipped !== null).length;
  console.log(`${count('ok')} passed, ${count('FAIL')} failed, ${skipped} skipped`);
  process.exitCode = count('FAIL') === 0 ? 0 : 1;
}

await main();
