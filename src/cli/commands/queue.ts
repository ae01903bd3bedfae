import type { Command } from 'commander';
import { formatBytes } from '../../config/units.ts';
import type { AdminClient } from '../admin-client.ts';
import {
  amqpPath,
  numberOf,
  textOf,
  typedArguments,
  withVhost,
  type ApiRow,
  type VhostOptions,
} from '../amqp-api.ts';
import { forEachName, withSuggestion } from '../names.ts';
import {
  adminClient,
  collect,
  confirm,
  nameMatcher,
  parseCount,
  parsePairs,
  withConfirmation,
  withExamples,
  withOutput,
  withServer,
  type DestructiveOptions,
  type ServerOptions,
} from '../options.ts';
import {
  isForPeople,
  printListing,
  renderFacts,
  type Column,
  type OutputOptions,
} from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { watched, withWatch, type WatchOptions } from '../watch.ts';

type Options = ServerOptions & OutputOptions & VhostOptions;

const COLUMNS: readonly Column<ApiRow>[] = [
  { title: 'QUEUE', value: (row) => textOf(row, 'name') },
  { title: 'TYPE', value: (row) => textOf(row, 'type') },
  { title: 'READY', value: (row) => numberOf(row, 'messages_ready') },
  { title: 'UNACKED', value: (row) => numberOf(row, 'messages_unacknowledged') },
  { title: 'CONSUMERS', value: (row) => numberOf(row, 'consumers') },
  {
    title: 'BYTES',
    value: (row) => numberOf(row, 'message_bytes'),
    format: (row) => formatBytes(numberOf(row, 'message_bytes')),
  },
  { title: 'STATE', value: (row) => (row['state'] === 'flow' ? 'paused' : textOf(row, 'state')) },
  { title: 'POLICY', value: (row) => textOf(row, 'policy'), wide: true },
  { title: 'ARGUMENTS', value: (row) => textOf(row, 'arguments'), wide: true },
];

const MESSAGE_COLUMNS: readonly Column<ApiRow>[] = [
  { title: 'EXCHANGE', value: (row) => textOf(row, 'exchange') },
  { title: 'KEY', value: (row) => textOf(row, 'routing_key') },
  { title: 'BYTES', value: (row) => numberOf(row, 'payload_bytes') },
  { title: 'REDELIVERED', value: (row) => textOf(row, 'redelivered') },
  { title: 'PROPERTIES', value: (row) => textOf(row, 'properties'), wide: true },
  { title: 'PAYLOAD', value: (row) => textOf(row, 'payload') },
];

export function queueCommands(program: Command, terminal: Terminal): void {
  const queue = program.command('queue').description('look at and change queues and streams');
  addList(queue, terminal);
  addDescribe(queue, terminal);
  addCreate(queue, terminal);
  addPeek(queue, terminal);
  addPurge(queue, terminal);
  addPause(queue, terminal, 'pause', 'keep consumers from getting messages; publishing goes on');
  addPause(queue, terminal, 'resume', 'let consumers get messages again');
  addDelete(queue, terminal);
}

function addList(queue: Command, terminal: Terminal): void {
  const command = queue
    .command('list [pattern]')
    .alias('ls')
    .description('list queues, those that match a glob when one is given')
    .option('-r, --regex', 'the pattern is a regular expression');
  withExamples(
    withWatch(withVhost(withServer(withOutput(command)))),
    'lyrebird queue list',
    "lyrebird queue list 'jobs.*' --watch 2s",
  );
  type ListOptions = Options & WatchOptions & { regex?: boolean };
  command.action(async (pattern: string | undefined, options: ListOptions) => {
    const matches = nameMatcher(pattern, options.regex === true);
    const client = adminClient(terminal, options);
    await watched(terminal, options, async () => {
      const rows = await listQueues(client, options.vhost);
      printListing(terminal, options, {
        name: 'queues',
        rows: rows.filter((row) => matches(textOf(row, 'name'))),
        columns: COLUMNS,
        key: (row) => textOf(row, 'name'),
        empty: 'no queues',
      });
    });
  });
}

function listQueues(client: AdminClient, vhost: string): Promise<ApiRow[]> {
  return client.get<ApiRow[]>(amqpPath('queues', vhost));
}

/** A queue by its name; one that does not exist is an error that says which was meant. */
function getQueue(client: AdminClient, vhost: string, name: string): Promise<ApiRow> {
  return withSuggestion(
    name,
    () => client.get<ApiRow>(amqpPath('queues', vhost, name)),
    async () => (await listQueues(client, vhost)).map((row) => textOf(row, 'name')),
  );
}

function addDescribe(queue: Command, terminal: Terminal): void {
  const command = queue.command('describe <name...>').description('show everything about queues');
  withExamples(
    withVhost(withServer(withOutput(command))),
    'lyrebird queue describe jobs',
    'lyrebird queue describe jobs -o yaml',
  );
  command.action(async (names: string[], options: Options) => {
    const client = adminClient(terminal, options);
    const rows: ApiRow[] = [];
    for (const name of names) rows.push(await getQueue(client, options.vhost, name));
    if (isForPeople(options)) {
      const shown = rows.map((row) =>
        renderFacts(Object.keys(row).map((name) => [name, textOf(row, name)] as const)),
      );
      terminal.out(shown.join('\n'));
      return;
    }
    printListing(terminal, options, {
      name: 'queues',
      rows,
      columns: COLUMNS,
      key: (row) => textOf(row, 'name'),
      empty: '',
    });
  });
}

function addCreate(queue: Command, terminal: Terminal): void {
  const command = queue
    .command('create <name...>')
    .description('create queues; those that exist as described stay')
    .option('-t, --type <type>', 'classic, quorum or stream', 'classic')
    .option('--transient', 'gone after a restart')
    .option('--auto-delete', 'deleted with its last consumer')
    .option('-a, --argument <name=value>', 'such as x-message-ttl=60000; repeatable', collect);
  withExamples(
    withVhost(withServer(command)),
    'lyrebird queue create jobs -t quorum -a x-delivery-limit=5',
    'lyrebird queue create cache -a x-message-ttl=60000 -a x-max-length=10000',
  );
  interface CreateOptions extends Options {
    type: string;
    transient?: boolean;
    autoDelete?: boolean;
    argument?: string[];
  }
  command.action(async (names: string[], options: CreateOptions) => {
    const client = adminClient(terminal, options);
    const given = typedArguments(parsePairs(options.argument, '--argument'));
    await forEachName(terminal, names, async (name) => {
      await client.send('PUT', amqpPath('queues', options.vhost, name), {
        durable: options.transient !== true,
        auto_delete: options.autoDelete === true,
        arguments: options.type === 'classic' ? given : { 'x-queue-type': options.type, ...given },
      });
    });
  });
}

function addPeek(queue: Command, terminal: Terminal): void {
  const command = queue
    .command('peek <name>')
    .description('look at ready messages; they stay where they are, untouched')
    .option('-n, --count <count>', 'how many', '10')
    .option('--offset <count>', 'behind how many', '0')
    .option('--truncate <bytes>', 'show so much of each payload', '1000');
  withExamples(
    withVhost(withServer(withOutput(command))),
    'lyrebird queue peek jobs',
    'lyrebird queue peek jobs -n 1 --offset 100 -o json',
  );
  interface PeekOptions extends Options {
    count: string;
    offset: string;
    truncate: string;
  }
  command.action(async (name: string, options: PeekOptions) => {
    const client = adminClient(terminal, options);
    await getQueue(client, options.vhost, name);
    const rows = await client.send<ApiRow[]>(
      'POST',
      amqpPath('queues', options.vhost, name, 'peek'),
      {
        count: parseCount(options.count, '--count', 1),
        offset: parseCount(options.offset, '--offset'),
        truncate: parseCount(options.truncate, '--truncate'),
      },
    );
    printListing(terminal, options, {
      name: 'messages',
      rows,
      columns: MESSAGE_COLUMNS,
      key: (row) => textOf(row, 'routing_key'),
      empty: 'no ready messages',
    });
  });
}

function addPurge(queue: Command, terminal: Terminal): void {
  const command = queue.command('purge <name...>').description('drop the ready messages of queues');
  withExamples(withConfirmation(withVhost(withServer(command))), 'lyrebird queue purge jobs --yes');
  command.action(async (names: string[], options: Options & DestructiveOptions) => {
    const client = adminClient(terminal, options);
    const rows: ApiRow[] = [];
    for (const name of names) rows.push(await getQueue(client, options.vhost, name));
    const messages = rows.reduce((sum, row) => sum + numberOf(row, 'messages_ready'), 0);
    if (!(await confirm(terminal, options, `drop ${messages} messages of ${names.join(', ')}`)))
      return;
    await forEachName(terminal, names, (name) =>
      client.delete(amqpPath('queues', options.vhost, name, 'contents')),
    );
  });
}

function addPause(
  queue: Command,
  terminal: Terminal,
  action: 'pause' | 'resume',
  description: string,
): void {
  const command = queue.command(`${action} <name...>`).description(description);
  withExamples(withVhost(withServer(command)), `lyrebird queue ${action} jobs`);
  command.action(async (names: string[], options: Options) => {
    const client = adminClient(terminal, options);
    await forEachName(terminal, names, async (name) => {
      await client.send('POST', amqpPath('queues', options.vhost, name, 'actions'), { action });
    });
  });
}

function addDelete(queue: Command, terminal: Terminal): void {
  const command = queue
    .command('delete <name...>')
    .alias('rm')
    .description('delete queues with everything in them');
  withExamples(
    withConfirmation(withVhost(withServer(command))),
    'lyrebird queue delete jobs',
    'lyrebird queue delete jobs --dry-run',
  );
  command.action(async (names: string[], options: Options & DestructiveOptions) => {
    const client = adminClient(terminal, options);
    const rows: ApiRow[] = [];
    for (const name of names) rows.push(await getQueue(client, options.vhost, name));
    if (!(await confirm(terminal, options, `delete ${rows.map(impactOf).join(', ')}`))) return;
    await forEachName(terminal, names, (name) =>
      client.delete(amqpPath('queues', options.vhost, name)),
    );
  });
}

function impactOf(row: ApiRow): string {
  const messages = numberOf(row, 'messages');
  const consumers = numberOf(row, 'consumers');
  return `${textOf(row, 'name')} (${messages} messages, ${consumers} consumers)`;
}
