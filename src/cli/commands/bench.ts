import { Option, type Command } from 'commander';
import { parseBytes, parseDuration } from '../../config/units.ts';
import type { BenchPlan } from '../bench/run.ts';
import type { BenchResult } from '../bench/report.ts';
import { collect, parseCount, parsePairs, withExamples } from '../options.ts';
import { clientFailure, openClient, withBroker, type BrokerOptions } from '../broker-client.ts';
import { parseDestination } from '../destination.ts';
import { CommandError, EXIT, usageError } from '../exit-codes.ts';
import { interruptible } from '../interrupt.ts';
import { benchAmqpCommand } from './bench-amqp.ts';
import { printJson } from '../output.ts';
import type { Terminal } from '../terminal.ts';

type Kind = BenchResult['kind'];

interface BenchOptions extends BrokerOptions {
  readonly topic: string;
  readonly msgs?: string;
  readonly numRecords?: string;
  readonly size?: string;
  readonly recordSize?: string;
  readonly rate?: string;
  readonly throughput?: string;
  readonly duration?: string;
  readonly connections: string;
  readonly acks: string;
  readonly batchSize: string;
  readonly linger: string;
  readonly compress: string;
  readonly producerProps?: readonly string[];
  readonly group?: string;
  readonly from: 'start' | 'end';
  readonly csv?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const DEFAULT_RECORDS = 100_000;
const DEFAULT_RECORD_BYTES = 1024;
const DEFAULT_E2E_RATE = 2000;
const BUFFER_BYTES = 32 * 1024 * 1024;

export function benchCommand(program: Command, terminal: Terminal): void {
  const bench = program
    .command('bench')
    .description('measure a broker: producer, consumer, end to end; amqp');
  addBench(bench, terminal, {
    kind: 'producer',
    alias: 'pub',
    description: 'publish as fast as possible, or at a rate',
    examples: [
      'lyrebird bench producer --topic perf --num-records 1000000 --record-size 1024',
      'lyrebird bench pub --topic perf --msgs 100k --rate 5000 --acks 1 --csv run.csv',
    ],
  });
  addBench(bench, terminal, {
    kind: 'consumer',
    alias: 'sub',
    description: 'read as fast as possible',
    examples: ['lyrebird bench consumer --topic perf --num-records 1000000'],
  });
  addBench(bench, terminal, {
    kind: 'e2e',
    alias: 'end-to-end',
    description: 'publish at a rate, read back, and tell how long that took',
    examples: ['lyrebird bench e2e --topic perf --rate 2000 --duration 30s'],
  });
  benchAmqpCommand(bench, terminal);
}

function addBench(
  bench: Command,
  terminal: Terminal,
  about: { kind: Kind; alias: string; description: string; examples: readonly string[] },
): void {
  const command = bench
    .command(about.kind)
    .alias(about.alias)
    .description(about.description)
    .option('-t, --topic <topic>', 'topic, or a destination as for pub', 'lyrebird-bench')
    .option('--msgs <count>', `how many records (default: ${DEFAULT_RECORDS})`)
    .option('--num-records <count>', 'the same')
    .option('--duration <duration>', 'stop after this time')
    .option('--connections <count>', 'connections, each with a client of its own', '1')
    .option('--csv <file>', 'write a line per second')
    .option('--json', 'print the result as JSON')
    .option('-q, --quiet', 'no progress');
  if (about.kind !== 'consumer') {
    command
      .option('--size <bytes>', `bytes of a record (default: ${DEFAULT_RECORD_BYTES})`)
      .option('--record-size <bytes>', 'the same')
      .option(
        '--rate <count>',
        `records per second; -1 as fast as possible${about.kind === 'e2e' ? ` (default: ${DEFAULT_E2E_RATE})` : ' (default)'}`,
      )
      .option('--throughput <count>', 'the same')
      .addOption(
        new Option('--acks <acks>', 'all, 1 or 0').choices(['all', '-1', '1', '0']).default('all'),
      )
      .option('--batch-size <bytes>', 'size at which a batch is closed', '16KiB')
      .option('--linger <duration>', 'how long a batch waits for more', '0ms')
      .addOption(
        new Option('-z, --compress <codec>', 'compression')
          .choices(['none', 'gzip'])
          .default('none'),
      )
      .option(
        '--producer-props <name=value>',
        'acks, batch.size, linger.ms, compression.type or buffer.memory as Kafka names them; repeatable',
        collect,
      );
  }
  if (about.kind === 'consumer') {
    command
      .option('-g, --group <group>', 'read as members of this group')
      .addOption(
        new Option('--from <where>', 'where to begin').choices(['start', 'end']).default('start'),
      );
  }
  withExamples(withBroker(command), ...about.examples);
  command.action(async (options: BenchOptions) => {
    await runBench(terminal, about.kind, options).catch((error: unknown) => {
      throw clientFailure(error);
    });
  });
}

async function runBench(terminal: Terminal, kind: Kind, options: BenchOptions): Promise<void> {
  const destination = parseDestination(options.topic);
  if (destination.scheme === 'amqp')
    throw usageError('this measures topics', 'lyrebird bench amqp measures queues');
  const [{ runConsumers, runEndToEnd, runProducers }, { BenchReport, renderResult }] =
    await Promise.all([import('../bench/run.ts'), import('../bench/report.ts')]);
  await interruptible(async (signal) => {
    const plan = benchPlan(kind, destination.name, options, signal);
    const report = new BenchReport(terminal, {
      kind,
      topic: destination.name,
      csv: options.csv ?? null,
      quiet: options.quiet === true,
    });
    const open = () => openClient(destination, options, terminal.environment);
    let endMs: number | undefined;
    if (kind === 'producer') await runProducers(open, plan, report);
    else if (kind === 'consumer') endMs = await runConsumers(open, plan, report);
    else await runEndToEnd(open, plan, report);
    const result = report.finish(endMs);
    if (options.json === true) printJson(terminal, { bench: result });
    else terminal.out(renderResult(result));
    if (report.firstError !== null) {
      throw new CommandError(
        EXIT.partial,
        `${report.errors} records failed: ${report.firstError.message}`,
      );
    }
    if (signal.aborted) throw new CommandError(EXIT.interrupted, '');
  });
}

function benchPlan(
  kind: Kind,
  topic: string,
  options: BenchOptions,
  signal: AbortSignal,
): BenchPlan {
  const properties = parsePairs(options.producerProps, '--producer-props');
  for (const name of Object.keys(properties)) {
    if (!['acks', 'batch.size', 'linger.ms', 'compression.type', 'buffer.memory'].includes(name)) {
      throw usageError(`--producer-props ${name}: not known to this client`);
    }
  }
  const durationMs = readDuration(options.duration, '--duration', Infinity);
  const recordsText = oneOf(options.msgs, options.numRecords, '--msgs', '--num-records');
  const unlimited = durationMs === Infinity ? DEFAULT_RECORDS : Infinity;
  const acks = properties['acks'] ?? options.acks ?? 'all';
  const compression = properties['compression.type'] ?? options.compress ?? 'none';
  if (!['all', '-1', '1', '0'].includes(acks))
    throw usageError(`acks ${acks}: expected all, 1 or 0`);
  if (compression !== 'none' && compression !== 'gzip') {
    throw usageError(`compression ${compression}: this client has none and gzip`);
  }
  return {
    topic,
    records: recordsText === undefined ? unlimited : readCount(recordsText, '--msgs'),
    durationMs,
    recordBytes: readBytes(
      oneOf(options.size, options.recordSize, '--size', '--record-size'),
      '--size',
      DEFAULT_RECORD_BYTES,
    ),
    rate: readRate(kind, oneOf(options.rate, options.throughput, '--rate', '--throughput')),
    connections: parseCount(options.connections, '--connections', 1),
    acks: acks === 'all' || acks === '-1' ? -1 : acks === '1' ? 1 : 0,
    batchBytes: readBytes(properties['batch.size'] ?? options.batchSize, '--batch-size', 16_384),
    lingerMs: readDuration(properties['linger.ms'] ?? options.linger, '--linger', 0),
    compression,
    bufferBytes: readBytes(properties['buffer.memory'], 'buffer.memory', BUFFER_BYTES),
    group: options.group ?? null,
    from: options.from ?? 'start',
    signal,
  };
}

function oneOf(
  first: string | undefined,
  second: string | undefined,
  firstFlag: string,
  secondFlag: string,
): string | undefined {
  if (first !== undefined && second !== undefined) {
    throw usageError(`${firstFlag} and ${secondFlag} are the same: give one`);
  }
  return first ?? second;
}

/** `100000`, `100k` or `5M`, as people count messages. */
function readCount(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)([km]?)$/i.exec(text.replaceAll('_', ''));
  const factor = { '': 1, k: 1e3, m: 1e6 }[match?.[2]?.toLowerCase() ?? ''] ?? 1;
  const count = Math.round(Number(match?.[1]) * factor);
  if (match === null || count < 1)
    throw usageError(`${flag} ${text}: expected a count such as 100000 or 100k`);
  return count;
}

function readRate(kind: Kind, text: string | undefined): number {
  if (text === undefined) return kind === 'e2e' ? DEFAULT_E2E_RATE : Infinity;
  return text === '-1' ? Infinity : readCount(text, '--rate');
}

function readBytes(text: string | undefined, flag: string, fallback: number): number {
  const bytes = text === undefined ? fallback : parseBytes(text);
  if (bytes === null) throw usageError(`${flag} ${text}: expected a size such as 1024 or 16KiB`);
  return bytes;
}

function readDuration(text: string | undefined, flag: string, fallback: number): number {
  const ms = text === undefined ? fallback : parseDuration(text);
  if (ms === null) throw usageError(`${flag} ${text}: expected a duration such as 30s`);
  return ms;
}
