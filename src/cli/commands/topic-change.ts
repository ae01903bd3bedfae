import type { Command } from 'commander';
import type {
  AlterTopicConfigBody,
  ConfigEntry,
  CreateTopicBody,
  TopicDetail,
  TrimResult,
} from '../../admin/api.ts';
import { formatBytes } from '../../config/units.ts';
import { apiPath, type AdminClient } from '../admin-client.ts';
import {
  adminClient,
  collect,
  confirm,
  parseCount,
  parsePairs,
  parsePartitions,
  withConfirmation,
  withExamples,
  withOutput,
  withServer,
  type DestructiveOptions,
  type ServerOptions,
} from '../options.ts';
import { CommandError, EXIT, usageError } from '../exit-codes.ts';
import { forEachName } from '../names.ts';
import { printListing, type Column, type OutputOptions } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { getTopic, suggestingTopics } from './get-topic.ts';
import { TOPIC_COLUMNS } from './topic-columns.ts';

type Options = ServerOptions & OutputOptions;

const CONFIG_COLUMNS: readonly Column<ConfigEntry>[] = [
  { title: 'NAME', value: (entry) => entry.name },
  { title: 'VALUE', value: (entry) => entry.value },
  { title: 'ORIGIN', value: (entry) => entry.origin },
];

/** The subcommands of `topic` that change something. */
export function topicChangeCommands(topic: Command, terminal: Terminal): void {
  addCreate(topic, terminal);
  addConfig(topic, terminal);
  addAddPartitions(topic, terminal);
  addTrim(topic, terminal);
  addDelete(topic, terminal);
}

function addCreate(topic: Command, terminal: Terminal): void {
  const command = topic
    .command('create <name...>')
    .description('create topics')
    .option('-p, --partitions <count>', "number of partitions (default: the broker's)")
    .option('-r, --replicas <count>', 'copies of each partition: a single broker keeps 1')
    .option(
      '-c, --config <name=value>',
      'a setting of the topic, as Kafka names it; repeatable',
      collect,
    )
    .option('--if-not-exists', 'a topic that exists is no error')
    .option('--dry-run', 'only check');
  withExamples(
    withServer(withOutput(command)),
    'lyrebird topic create orders -p 3 -c retention.ms=86400000',
    'lyrebird topic create audit --if-not-exists',
  );
  interface CreateOptions extends Options {
    partitions?: string;
    replicas?: string;
    config?: string[];
    ifNotExists?: boolean;
    dryRun?: boolean;
  }
  command.action(async (names: string[], options: CreateOptions) => {
    const client = adminClient(terminal, options);
    const replicas = parseCount(options.replicas ?? '1', '--replicas', 1);
    if (replicas > 1) {
      throw new CommandError(
        EXIT.refused,
        `${replicas} copies need ${replicas} brokers; there is one`,
      );
    }
    const config = parsePairs(options.config, '--config');
    const partitions =
      options.partitions === undefined
        ? {}
        : { partitions: parseCount(options.partitions, '--partitions', 1) };
    const dryRun = options.dryRun === true;
    const created: TopicDetail[] = [];
    const make = async (name: string): Promise<void> => {
      const body: CreateTopicBody = { name, config, ...partitions, ...(dryRun ? { dryRun } : {}) };
      const detail = await createOne(client, body, options.ifNotExists === true);
      if (detail === null) terminal.err(`topic ${name} exists already\n`);
      else created.push(detail);
    };
    const print = (): void => {
      if (dryRun) terminal.err('nothing was created (--dry-run)\n');
      printCreated(terminal, options, created);
    };
    await forEachName(terminal, names, make).catch((error: unknown) => {
      if (created.length > 0) print();
      throw error;
    });
    print();
  });
}

function printCreated(terminal: Terminal, options: Options, created: readonly TopicDetail[]): void {
  printListing(terminal, options, {
    name: 'topics',
    rows: created,
    columns: TOPIC_COLUMNS.slice(0, 2),
    key: (detail) => detail.name,
    empty: 'no topic was created',
  });
}

async function createOne(
  client: AdminClient,
  body: CreateTopicBody,
  ifNotExists: boolean,
): Promise<TopicDetail | null> {
  try {
    return await client.send<TopicDetail>('POST', '/topics', body);
  } catch (error) {
    const exists = error instanceof CommandError && error.exitCode === EXIT.conflict;
    if (ifNotExists && exists) return null;
    throw error;
  }
}

function addConfig(topic: Command, terminal: Terminal): void {
  const command = topic
    .command('config <name>')
    .description('show the settings of a topic, or change them')
    .option('-s, --set <name=value>', 'change a setting; repeatable', collect)
    .option('-u, --unset <name>', 'return a setting to its default; repeatable', collect)
    .option('--dry-run', 'only check');
  withExamples(
    withServer(withOutput(command)),
    'lyrebird topic config orders',
    'lyrebird topic config orders --set retention.ms=3600000 --unset cleanup.policy',
  );
  interface ConfigOptions extends Options {
    set?: string[];
    unset?: string[];
    dryRun?: boolean;
  }
  command.action(async (name: string, options: ConfigOptions) => {
    const client = adminClient(terminal, options);
    const path = apiPath('topics', name, 'config');
    const body: AlterTopicConfigBody = {
      set: parsePairs(options.set, '--set'),
      unset: options.unset ?? [],
      dryRun: options.dryRun === true,
    };
    const changes = options.set !== undefined || options.unset !== undefined;
    const { config } = await suggestingTopics(client, name, () =>
      changes
        ? client.send<{ config: ConfigEntry[] }>('PATCH', path, body)
        : client.get<{ config: ConfigEntry[] }>(path),
    );
    if (changes && options.dryRun === true) terminal.err('nothing was changed (--dry-run)\n');
    printListing(terminal, options, {
      name: 'config',
      rows: config,
      columns: CONFIG_COLUMNS,
      key: (entry) => entry.name,
      empty: 'no settings',
    });
  });
}

function addAddPartitions(topic: Command, terminal: Terminal): void {
  const command = topic
    .command('add-partitions <name>')
    .description(
      'give a topic more partitions; records with keys may go to other partitions from then on',
    )
    .option('-n, --num <count>', 'how many to add')
    .option('--total <count>', 'how many to have afterwards')
    .option('--dry-run', 'only say what would happen');
  withExamples(withServer(withOutput(command)), 'lyrebird topic add-partitions orders --num 3');
  interface AddOptions extends Options {
    num?: string;
    total?: string;
    dryRun?: boolean;
  }
  command.action(async (name: string, options: AddOptions) => {
    if ((options.num === undefined) === (options.total === undefined)) {
      throw usageError('give either --num or --total');
    }
    const client = adminClient(terminal, options);
    const current = await getTopic(client, name);
    const total =
      options.total === undefined
        ? current.partitions + parseCount(options.num ?? '', '--num', 1)
        : parseCount(options.total, '--total', 1);
    if (options.dryRun === true) {
      terminal.err(`would change ${name} from ${current.partitions} to ${total} partitions\n`);
      return;
    }
    const detail = await client.send<TopicDetail>('POST', apiPath('topics', name, 'partitions'), {
      total,
    });
    printListing(terminal, options, {
      name: 'topics',
      rows: [detail],
      columns: TOPIC_COLUMNS,
      key: (row) => row.name,
      empty: '',
    });
  });
}

function addTrim(topic: Command, terminal: Terminal): void {
  const command = topic
    .command('trim <name>')
    .description('delete the oldest records of a topic')
    .requiredOption('--before <offset>', 'first offset to keep, or latest to delete all')
    .option('-p, --partitions <list>', 'only these, such as 0,3 or 5-8');
  withExamples(
    withServer(withOutput(withConfirmation(command))),
    'lyrebird topic trim orders --before 1000 -p 0 --yes',
    'lyrebird topic trim orders --before latest --dry-run',
  );
  interface TrimOptions extends Options, DestructiveOptions {
    before: string;
    partitions?: string;
  }
  command.action(async (name: string, options: TrimOptions) => {
    const client = adminClient(terminal, options);
    const before = options.before === 'latest' ? 'latest' : parseCount(options.before, '--before');
    const detail = await getTopic(client, name);
    const chosen =
      options.partitions === undefined
        ? detail.partitionList.map((partition) => partition.partition)
        : parsePartitions(options.partitions, '--partitions');
    const lost = detail.partitionList
      .filter((partition) => chosen.includes(partition.partition))
      .map(({ logStart, highWatermark }) => {
        const end = before === 'latest' ? highWatermark : Math.min(before, highWatermark);
        return Math.max(0, end - logStart);
      })
      .reduce((sum, count) => sum + count, 0);
    if (
      !(await confirm(terminal, options, `delete about ${lost} records of topic ${name} for good`))
    )
      return;
    const { partitions } = await client.send<TrimResult>('POST', apiPath('topics', name, 'trim'), {
      before,
      partitions: chosen,
    });
    printListing(terminal, options, {
      name: 'partitions',
      rows: partitions,
      columns: [
        { title: 'PARTITION', value: (p) => p.partition },
        { title: 'START', value: (p) => p.logStart },
        { title: 'ERROR', value: (p) => p.error },
      ],
      key: (partition) => String(partition.partition),
      empty: '',
    });
    if (partitions.some((partition) => partition.error !== null)) {
      throw new CommandError(EXIT.partial, 'some partitions were left as they were');
    }
  });
}

function addDelete(topic: Command, terminal: Terminal): void {
  const command = topic
    .command('delete <name...>')
    .alias('rm')
    .description('delete topics and their records');
  withExamples(
    withServer(withConfirmation(command)),
    'lyrebird topic delete orders --dry-run',
    'lyrebird topic delete orders --yes',
  );
  command.action(async (names: string[], options: ServerOptions & DestructiveOptions) => {
    const client = adminClient(terminal, options);
    const details: TopicDetail[] = [];
    for (const name of names) details.push(await getTopic(client, name));
    const what = details
      .map(({ name, records, bytes }) => `${name} (${records} records, ${formatBytes(bytes)})`)
      .join(', ');
    if (!(await confirm(terminal, options, `delete topic ${what} for good`))) return;
    await forEachName(terminal, names, async (name) => {
      await client.delete(apiPath('topics', name));
      terminal.err(`deleted topic ${name}\n`);
    });
  });
}
