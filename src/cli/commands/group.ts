import type { Command } from 'commander';
import type { GroupDetail, GroupOffsetInfo, GroupSummary } from '../../admin/api.ts';
import { formatDuration } from '../../config/units.ts';
import { apiPath, type AdminClient } from '../admin-client.ts';
import {
  adminClient,
  confirm,
  nameMatcher,
  withConfirmation,
  withExamples,
  withOutput,
  withServer,
  type DestructiveOptions,
  type ServerOptions,
} from '../options.ts';
import { forEachName, withSuggestion } from '../names.ts';
import {
  isForPeople,
  outputFormat,
  printListing,
  renderFacts,
  renderTable,
  type Column,
} from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { watched, withWatch, type WatchOptions } from '../watch.ts';
import { addSeek } from './group-seek.ts';

type Options = ServerOptions & WatchOptions;

const GROUP_COLUMNS: readonly Column<GroupSummary>[] = [
  { title: 'GROUP', value: (group) => group.group },
  { title: 'STATE', value: (group) => group.state },
  { title: 'MEMBERS', value: (group) => group.members },
  { title: 'LAG', value: (group) => group.totalLag },
  { title: 'NAMESPACE', value: (group) => group.namespace, wide: true },
  { title: 'TYPE', value: (group) => group.protocolType, wide: true },
];

type LagRow = GroupOffsetInfo & { readonly group: string };

const LAG_COLUMNS: readonly Column<LagRow>[] = [
  { title: 'GROUP', value: (row) => row.group },
  { title: 'TOPIC', value: (row) => row.topic },
  { title: 'PARTITION', value: (row) => row.partition },
  { title: 'COMMITTED', value: (row) => row.committed },
  { title: 'END', value: (row) => row.highWatermark },
  { title: 'LAG', value: (row) => row.lag },
];

export function groupCommands(program: Command, terminal: Terminal): void {
  const group = program.command('group').description('look at and change consumer groups');
  addList(group, terminal);
  addDescribe(group, terminal);
  addSeek(group, terminal);
  addDelete(group, terminal);
}

function addList(group: Command, terminal: Terminal): void {
  const command = group
    .command('list [pattern]')
    .alias('ls')
    .description('list groups, those that match a glob when one is given')
    .option('-r, --regex', 'the pattern is a regular expression');
  withExamples(
    withWatch(withServer(withOutput(command))),
    'lyrebird group list',
    "lyrebird group list 'billing-*'",
  );
  command.action(async (pattern: string | undefined, options: Options & { regex?: boolean }) => {
    const matches = nameMatcher(pattern, options.regex === true);
    const client = adminClient(terminal, options);
    await watched(terminal, options, async () => {
      const { groups } = await client.get<{ groups: GroupSummary[] }>('/groups');
      printListing(terminal, options, {
        name: 'groups',
        rows: groups.filter((summary) => matches(summary.group)),
        columns: GROUP_COLUMNS,
        key: (summary) => summary.group,
        empty: 'no groups',
      });
    });
  });
}

function addDescribe(group: Command, terminal: Terminal): void {
  const command = group
    .command('describe <name...>')
    .alias('lag')
    .description('show members, committed offsets and lag of groups');
  withExamples(
    withWatch(withServer(withOutput(command))),
    'lyrebird group describe billing',
    'lyrebird group lag billing -o csv',
    'lyrebird group lag billing --watch 2s',
  );
  command.action(async (names: string[], options: Options) => {
    const client = adminClient(terminal, options);
    await watched(terminal, options, async () => {
      const details: GroupDetail[] = [];
      for (const name of names) details.push(await getGroup(client, name));
      printDetails(terminal, options, details);
    });
  });
}

/** A group by its name; one that does not exist is an error that says which was meant. */
function getGroup(client: AdminClient, name: string): Promise<GroupDetail> {
  return withSuggestion(
    name,
    () => client.get<GroupDetail>(apiPath('groups', name)),
    async () => {
      const { groups } = await client.get<{ groups: GroupSummary[] }>('/groups');
      return groups.map(({ group }) => group);
    },
  );
}

function printDetails(terminal: Terminal, options: Options, details: readonly GroupDetail[]): void {
  if (isForPeople(options)) {
    terminal.out(details.map((detail) => describeGroup(detail, terminal.colors)).join('\n'));
  } else if (outputFormat(options) === 'csv') {
    printListing(terminal, options, {
      name: 'offsets',
      rows: details.flatMap((detail) => lagRows(detail)),
      columns: LAG_COLUMNS,
      key: (row) => row.group,
      empty: '',
    });
  } else {
    printListing(terminal, options, {
      name: 'groups',
      rows: details,
      columns: GROUP_COLUMNS,
      key: (detail) => detail.group,
      empty: '',
    });
  }
}

function lagRows(detail: GroupDetail): LagRow[] {
  return detail.offsets.map((offset) => ({ group: detail.group, ...offset }));
}

function describeGroup(detail: GroupDetail, colors: boolean): string {
  const parts = [
    renderFacts([
      ['Group', detail.group],
      ['State', detail.state],
      ['Protocol', detail.protocolName === '' ? null : detail.protocolName],
      ['Generation', detail.generation],
      ['Members', detail.members],
      ['Lag', detail.totalLag],
    ]),
  ];
  if (detail.memberList.length > 0) {
    parts.push(
      renderTable(
        [
          { title: 'MEMBER', value: (member) => member.memberId },
          { title: 'CLIENT', value: (member) => member.clientId },
          { title: 'HOST', value: (member) => member.host },
          {
            title: 'TIMEOUT',
            value: (member) => member.sessionTimeoutMs,
            format: (member) => formatDuration(member.sessionTimeoutMs),
          },
        ],
        detail.memberList,
        colors,
      ),
    );
  }
  if (detail.offsets.length > 0) {
    parts.push(renderTable(LAG_COLUMNS.slice(1), lagRows(detail), colors));
  }
  return parts.join('\n');
}

function addDelete(group: Command, terminal: Terminal): void {
  const command = group
    .command('delete <name...>')
    .alias('rm')
    .description('delete groups without members, with their offsets');
  withExamples(withServer(withConfirmation(command)), 'lyrebird group delete billing --yes');
  command.action(async (names: string[], options: ServerOptions & DestructiveOptions) => {
    const client = adminClient(terminal, options);
    const details: GroupDetail[] = [];
    for (const name of names) details.push(await getGroup(client, name));
    const what = details
      .map((detail) => `${detail.group} (${detail.offsets.length} committed offsets)`)
      .join(', ');
    if (!(await confirm(terminal, options, `delete group ${what}`))) return;
    await forEachName(terminal, names, async (name) => {
      await client.delete(apiPath('groups', name));
      terminal.err(`deleted group ${name}\n`);
    });
  });
}
