import type { Command } from 'commander';
import type { TopicDetail, TopicSummary } from '../../admin/api.ts';
import { formatBytes } from '../../config/units.ts';
import {
  adminClient,
  nameMatcher,
  withExamples,
  withOutput,
  withServer,
  type ServerOptions,
} from '../options.ts';
import { isForPeople, printListing, renderFacts, renderTable } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { watched, withWatch, type WatchOptions } from '../watch.ts';
import { getTopic } from './get-topic.ts';
import { topicChangeCommands } from './topic-change.ts';
import { TOPIC_COLUMNS } from './topic-columns.ts';

type Options = ServerOptions & WatchOptions;

export function topicCommands(program: Command, terminal: Terminal): void {
  const topic = program.command('topic').description('create, look at and change topics');
  addList(topic, terminal);
  addDescribe(topic, terminal);
  topicChangeCommands(topic, terminal);
}

function addList(topic: Command, terminal: Terminal): void {
  const command = topic
    .command('list [pattern]')
    .alias('ls')
    .description('list topics, those that match a glob when one is given')
    .option('-r, --regex', 'the pattern is a regular expression')
    .option('--internal', 'internal topics, too');
  withExamples(
    withWatch(withServer(withOutput(command))),
    'lyrebird topic list',
    "lyrebird topic list 'orders.*' -o name",
    'lyrebird topic list --watch 2s',
  );
  command.action(
    async (
      pattern: string | undefined,
      options: Options & { regex?: boolean; internal?: boolean },
    ) => {
      const matches = nameMatcher(pattern, options.regex === true);
      const client = adminClient(terminal, options);
      await watched(terminal, options, async () => {
        const { topics } = await client.get<{ topics: TopicSummary[] }>('/topics');
        printListing(terminal, options, {
          name: 'topics',
          rows: topics.filter(
            (summary) => matches(summary.name) && (options.internal === true || !summary.internal),
          ),
          columns: TOPIC_COLUMNS,
          key: (summary) => summary.name,
          empty: 'no topics; create one with: lyrebird topic create orders',
        });
      });
    },
  );
}

function addDescribe(topic: Command, terminal: Terminal): void {
  const command = topic
    .command('describe <name...>')
    .description('show partitions and settings of topics');
  withExamples(withServer(withOutput(command)), 'lyrebird topic describe orders');
  command.action(async (names: string[], options: Options) => {
    const client = adminClient(terminal, options);
    const details: TopicDetail[] = [];
    for (const name of names) details.push(await getTopic(client, name));
    if (isForPeople(options)) {
      terminal.out(details.map((detail) => describeTopic(detail, terminal.colors)).join('\n'));
      return;
    }
    printListing(terminal, options, {
      name: 'topics',
      rows: details,
      columns: TOPIC_COLUMNS,
      key: (detail) => detail.name,
      empty: '',
    });
  });
}

function describeTopic(detail: TopicDetail, colors: boolean): string {
  const facts = renderFacts([
    ['Name', detail.name],
    ['Id', detail.id],
    ['Partitions', detail.partitions],
    ['Records', detail.records],
    ['Size', formatBytes(detail.bytes)],
    ...Object.entries(detail.overrides).map(([name, value]) => [`  ${name}`, value] as const),
  ]);
  const partitions = renderTable(
    [
      { title: 'PARTITION', value: (p) => p.partition },
      { title: 'EPOCH', value: (p) => p.leaderEpoch },
      { title: 'START', value: (p) => p.logStart },
      { title: 'STABLE', value: (p) => p.lastStableOffset },
      { title: 'END', value: (p) => p.highWatermark },
      { title: 'SIZE', value: (p) => p.bytes, format: (p) => formatBytes(p.bytes) },
    ],
    detail.partitionList,
    colors,
  );
  return `${facts}\n${partitions}`;
}
