import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { SeekBody, SeekResult, SeekTarget } from '../../admin/api.ts';
import { apiPath, type AdminClient } from '../admin-client.ts';
import {
  adminClient,
  collect,
  parsePartitions,
  withExamples,
  withOutput,
  withServer,
  type ServerOptions,
} from '../options.ts';
import { CommandError, EXIT, usageError } from '../exit-codes.ts';
import { printListing, type OutputOptions } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { parseInstant } from '../instant.ts';

interface SeekOptions extends ServerOptions, OutputOptions {
  readonly to?: string;
  readonly shift?: string;
  readonly toGroup?: string;
  readonly fromFile?: string;
  readonly topic?: readonly string[];
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

type Moved = SeekResult['offsets'][number];

export function addSeek(group: Command, terminal: Terminal): void {
  const command = group
    .command('seek <name>')
    .description(
      'move the committed offsets of a group without members; only shows the effect until --yes',
    )
    .option(
      '--to <where>',
      'earliest, latest, an offset, an instant (RFC 3339), or a time back (-15m)',
    )
    .option('--shift <count>', 'so many records forward, or back when negative')
    .option('--to-group <group>', 'where another group is')
    .option('--from-file <file>', 'lines of topic,partition,offset')
    .option(
      '-t, --topic <topic>',
      'only this topic, or topic:0,3 for partitions; repeatable',
      collect,
    )
    .option('-y, --yes', 'do it')
    .option('--dry-run', 'only say what would happen, with --yes too');
  withExamples(
    withServer(withOutput(command)),
    'lyrebird group seek billing --to earliest',
    'lyrebird group seek billing --to -15m -t orders --yes',
    'lyrebird group seek billing --shift -100 -t orders:0,1 --yes',
  );
  command.action(async (name: string, options: SeekOptions) => {
    const requests = seekRequests(options);
    const client = adminClient(terminal, options);
    const moved: Moved[] = [];
    for (const request of requests) moved.push(...(await seek(client, name, request)));
    printListing(terminal, options, {
      name: 'offsets',
      rows: moved,
      columns: [
        { title: 'TOPIC', value: (row) => row.topic },
        { title: 'PARTITION', value: (row) => row.partition },
        { title: 'FROM', value: (row) => row.from },
        { title: 'TO', value: (row) => row.to },
        { title: 'ERROR', value: (row) => row.error },
      ],
      key: (row) => `${row.topic}:${row.partition}`,
      empty: 'the group has no committed offsets to move; name a topic with --topic',
    });
    if (isDryRun(options)) {
      const advice = options.yes === true ? '' : '; add --yes to do it';
      terminal.err(`nothing was changed${advice}\n`);
    }
    const failed = moved.filter((row) => row.error !== null).length;
    if (failed > 0 && failed === moved.length)
      throw new CommandError(EXIT.failure, 'no offset could be moved');
    if (failed > 0)
      throw new CommandError(EXIT.partial, `${failed} of ${moved.length} offsets were left`);
  });
}

async function seek(client: AdminClient, group: string, body: SeekBody): Promise<readonly Moved[]> {
  const path = apiPath('groups', group, 'offsets');
  return (await client.send<SeekResult>('POST', path, body)).offsets;
}

function isDryRun({ yes, dryRun }: SeekOptions): boolean {
  return yes !== true || dryRun === true;
}

function seekRequests(options: SeekOptions): SeekBody[] {
  const dryRun = isDryRun(options);
  const given = [options.to, options.shift, options.toGroup, options.fromFile].filter(
    (value) => value !== undefined,
  );
  if (given.length !== 1) throw usageError('give one of --to, --shift, --to-group, --from-file');
  if (options.fromFile !== undefined) {
    if (options.topic !== undefined) throw usageError('--topic does not go with --from-file');
    return readOffsetsFile(options.fromFile).map(({ topic, partition, offset }) => ({
      target: { offset },
      topics: [{ topic, partitions: [partition] }],
      dryRun,
    }));
  }
  const topics = options.topic?.map(parseTopicFilter);
  return [{ target: seekTarget(options), dryRun, ...(topics === undefined ? {} : { topics }) }];
}

function seekTarget({ to, shift, toGroup }: SeekOptions): SeekTarget {
  if (toGroup !== undefined) return { group: toGroup };
  if (shift !== undefined) {
    if (!/^[+-]?\d+$/.test(shift)) throw usageError(`--shift ${shift}: expected a whole number`);
    return { shift: Number(shift) };
  }
  const where = to ?? '';
  if (where === 'earliest' || where === 'start') return { to: 'earliest' };
  if (where === 'latest' || where === 'end') return { to: 'latest' };
  if (/^\d{1,12}$/.test(where)) return { offset: Number(where) };
  const instant = parseInstant(where, Date.now());
  if (instant === null)
    throw usageError(`--to ${where}: expected earliest, latest, an offset or a time`);
  return { time: instant };
}

/** `topic` or `topic:0,3`. Topic names have no colon. */
function parseTopicFilter(text: string): { topic: string; partitions?: number[] } {
  const colon = text.indexOf(':');
  if (colon < 0) return { topic: text };
  return {
    topic: text.slice(0, colon),
    partitions: parsePartitions(text.slice(colon + 1), '--topic'),
  };
}

function readOffsetsFile(path: string): { topic: string; partition: number; offset: number }[] {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CommandError(EXIT.notFound, `cannot read ${path}`, { cause });
  }
  return content
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      const match = /^"?([^",]+)"?,(\d+),(\d+)\s*$/.exec(line.trim());
      if (match === null)
        throw usageError(`${path} line ${index + 1}: expected topic,partition,offset`);
      return { topic: match[1] ?? '', partition: Number(match[2]), offset: Number(match[3]) };
    });
}
