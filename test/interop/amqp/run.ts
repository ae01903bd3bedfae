/**
 * RabbitMQ's client libraries against Lyrebird:
 *
 *   npm run interop:amqp -- [--quick] [--client REGEX] [--case REGEX] [--broker amqp://... | --broker rabbitmq]
 *     [--scratch DIR] [--write]
 *
 * Installs each client from its package registry into a scratch folder, runs every case in a process of its own and
 * prints what holds. --quick takes the clients of the npm registry. --write puts the table client x case into
 * docs/compatibility/amqp.md. A client that this machine cannot run is skipped, with the reason. Ends with
 * `N passed, N failed, N skipped`.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PAGE } from '../../conformance/amqp/report.ts';
import { startTarget, type Target } from '../../conformance/amqp/target.ts';
import { writeSection } from '../../support/page-section.ts';
import { CASES, CLIENTS, type Client } from './clients.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    client: { type: 'string', default: '' },
    case: { type: 'string', default: '' },
    broker: { type: 'string' },
    scratch: { type: 'string', default: join(tmpdir(), 'lyrebird-interop', 'amqp') },
    write: { type: 'boolean', default: false },
  },
});

const SECONDS_MAX = 90;
/** Exit code of a client program whose library does not offer the case. */
const LACKS_IT = 3;
/** What stock RabbitMQ does not have. */
const NOT_IN_RABBITMQ = ['delayed'];

type Outcome = 'ok' | 'FAIL' | '-' | 'skipped';

interface Row {
  readonly client: string;
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly notRun: string | null;
}

function runCase(command: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const [program, ...args] = command;
    const child = spawn(program ?? '', args, { stdio: ['ignore', 'pipe', 'pipe'] });
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

async function runClient(client: Client, target: Target): Promise<Row> {
  const outcomes = new Map<string, Outcome>();
  const command = client.install(values.scratch);
  if (typeof command === 'string') {
    console.log(`${client.name}: not run, ${command}`);
    return { client: client.name, outcomes, notRun: command };
  }
  const only = new RegExp(values.case);
  for (const name of Object.keys(CASES).filter((candidate) => only.test(candidate))) {
    if (target.product.startsWith('RabbitMQ') && NOT_IN_RABBITMQ.includes(name)) {
      outcomes.set(name, 'skipped');
      continue;
    }
    const prefix = `interop-${client.name}-${name}-${process.pid}`.replaceAll(/[^\w.-]+/g, '-');
    const { code, output } = await runCase(command(target.url, name, prefix));
    const outcome = code === 0 ? 'ok' : code === LACKS_IT ? '-' : 'FAIL';
    outcomes.set(name, outcome);
    if (outcome !== '-') console.log(`${outcome.padEnd(5)} ${client.name}: ${name}`);
    if (outcome === 'FAIL') console.log(output.trim().slice(-1500).replaceAll(/^/gm, '      '));
  }
  return { client: client.name, outcomes, notRun: null };
}

function clientsSection(rows: readonly Row[]): string {
  const lines = [
    '## Clients',
    '',
    'Written by `npm run interop:amqp -- --write`: unmodified client libraries against a broker on disk with fsync. `-`: the',
    'client does not offer it, or the case is not written for it. The programs, the six tutorials among them, are in',
    '`test/interop/amqp/clients`.',
    '',
    `| Case | ${rows.map(({ client }) => client).join(' | ')} | What |`,
    `| --- |${' --- |'.repeat(rows.length)} --- |`,
  ];
  for (const [name, what] of Object.entries(CASES)) {
    const cells = rows.map(({ notRun, outcomes }) =>
      notRun === null ? (outcomes.get(name) ?? '-') : 'not run',
    );
    lines.push(`| ${name} | ${cells.join(' | ')} | ${what} |`);
  }
  return lines.join('\n');
}

async function main(): Promise<void> {
  if (values.write && (values.quick || values.client + values.case !== '' || values.broker)) {
    throw new Error('--write takes a run of everything against a broker of its own');
  }
  mkdirSync(values.scratch, { recursive: true });
  const target = await startTarget(values.broker);
  const rows: Row[] = [];
  try {
    const only = new RegExp(values.client);
    for (const client of CLIENTS) {
      if ((values.quick && !client.quick) || !only.test(client.name)) continue;
      rows.push(await runClient(client, target));
    }
  } finally {
    await target.stop();
  }
  if (values.write) await writeSection(PAGE, 'clients', clientsSection(rows));
  const all = rows.flatMap((row) => [...row.outcomes.values()]);
  const count = (outcome: Outcome): number => all.filter((found) => found === outcome).length;
  const skipped = count('skipped') + rows.filter((row) => row.notRun !== null).length;
  console.log(`${count('ok')} passed, ${count('FAIL')} failed, ${skipped} skipped`);
  process.exitCode = count('FAIL') === 0 ? 0 : 1;
}

await main();
