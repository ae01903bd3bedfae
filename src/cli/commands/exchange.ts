import type { Command } from 'commander';
import {
  amqpPath,
  textOf,
  typedArguments,
  withVhost,
  type ApiRow,
  type VhostOptions,
} from '../amqp-api.ts';
import { forEachName } from '../names.ts';
import {
  adminClient,
  collect,
  confirm,
  parsePairs,
  withConfirmation,
  withExamples,
  withOutput,
  withServer,
  type DestructiveOptions,
  type ServerOptions,
} from '../options.ts';
import { printListing, type Column, type OutputOptions } from '../output.ts';
import type { Terminal } from '../terminal.ts';

type Options = ServerOptions & OutputOptions & VhostOptions;

const EXCHANGE_COLUMNS: readonly Column<ApiRow>[] = [
  { title: 'EXCHANGE', value: (row) => textOf(row, 'name') },
  { title: 'TYPE', value: (row) => textOf(row, 'type') },
  { title: 'DURABLE', value: (row) => textOf(row, 'durable') },
  { title: 'INTERNAL', value: (row) => textOf(row, 'internal'), wide: true },
  { title: 'POLICY', value: (row) => textOf(row, 'policy'), wide: true },
  { title: 'ARGUMENTS', value: (row) => textOf(row, 'arguments'), wide: true },
];

const BINDING_COLUMNS: readonly Column<ApiRow>[] = [
  { title: 'SOURCE', value: (row) => textOf(row, 'source') },
  { title: 'TO', value: (row) => textOf(row, 'destination_type') },
  { title: 'DESTINATION', value: (row) => textOf(row, 'destination') },
  { title: 'KEY', value: (row) => textOf(row, 'routing_key') },
  { title: 'ARGUMENTS', value: (row) => textOf(row, 'arguments') },
  { title: 'PROPERTIES', value: (row) => textOf(row, 'properties_key'), wide: true },
];

export function exchangeCommands(program: Command, terminal: Terminal): void {
  const exchange = program.command('exchange').description('look at and change exchanges');
  const list = exchange.command('list').alias('ls').description('list exchanges');
  withExamples(withVhost(withServer(withOutput(list))), 'lyrebird exchange list -o wide');
  list.action(async (options: Options) => {
    const client = adminClient(terminal, options);
    printListing(terminal, options, {
      name: 'exchanges',
      rows: await client.get<ApiRow[]>(amqpPath('exchanges', options.vhost)),
      columns: EXCHANGE_COLUMNS,
      key: (row) => textOf(row, 'name'),
      empty: 'no exchanges',
    });
  });
  addCreateExchange(exchange, terminal);
  const remove = exchange.command('delete <name...>').alias('rm').description('delete exchanges');
  withExamples(withConfirmation(withVhost(withServer(remove))), 'lyrebird exchange delete events');
  remove.action(async (names: string[], options: Options & DestructiveOptions) => {
    const client = adminClient(terminal, options);
    let bindings = 0;
    for (const name of names) {
      const path = amqpPath('exchanges', options.vhost, name, 'bindings', 'source');
      bindings += (await client.get<ApiRow[]>(path)).length;
    }
    const impact = `delete ${names.join(', ')} with ${bindings} bindings`;
    if (!(await confirm(terminal, options, impact))) return;
    await forEachName(terminal, names, (name) =>
      client.delete(amqpPath('exchanges', options.vhost, name)),
    );
  });
}

function addCreateExchange(exchange: Command, terminal: Terminal): void {
  const command = exchange
    .command('create <name...>')
    .description('create exchanges; those that exist as described stay')
    .option('-t, --type <type>', 'direct, fanout, topic, headers, x-delayed-message, ...', 'direct')
    .option('--transient', 'gone after a restart')
    .option('--auto-delete', 'deleted with its last binding')
    .option('--internal', 'clients may not publish to it')
    .option('-a, --argument <name=value>', 'such as alternate-exchange=lost; repeatable', collect);
  withExamples(
    withVhost(withServer(command)),
    'lyrebird exchange create events -t topic',
    'lyrebird exchange create later -t x-delayed-message -a x-delayed-type=direct',
  );
  interface CreateOptions extends Options {
    type: string;
    transient?: boolean;
    autoDelete?: boolean;
    internal?: boolean;
    argument?: string[];
  }
  command.action(async (names: string[], options: CreateOptions) => {
    const client = adminClient(terminal, options);
    await forEachName(terminal, names, async (name) => {
      await client.send('PUT', amqpPath('exchanges', options.vhost, name), {
        type: options.type,
        durable: options.transient !== true,
        auto_delete: options.autoDelete === true,
        internal: options.internal === true,
        arguments: typedArguments(parsePairs(options.argument, '--argument')),
      });
    });
  });
}

interface BindingOptions extends Options {
  key: string;
  argument?: string[];
  exchange?: boolean;
}

export function bindingCommands(program: Command, terminal: Terminal): void {
  const binding = program.command('binding').description('look at and change bindings');
  const list = binding.command('list').alias('ls').description('list bindings');
  withExamples(withVhost(withServer(withOutput(list))), 'lyrebird binding list');
  list.action(async (options: Options) => {
    const client = adminClient(terminal, options);
    printListing(terminal, options, {
      name: 'bindings',
      rows: await client.get<ApiRow[]>(amqpPath('bindings', options.vhost)),
      columns: BINDING_COLUMNS,
      key: (row) => `${textOf(row, 'source')} ${textOf(row, 'destination')}`,
      empty: 'no bindings',
    });
  });
  const create = withEnds(binding.command('create <source> <destination>')).description(
    'bind a queue, a stream or (with --exchange) an exchange to an exchange',
  );
  withExamples(
    withVhost(withServer(create)),
    "lyrebird binding create events jobs -k 'order.*'",
    'lyrebird binding create events audit --exchange',
  );
  create.action(async (source: string, destination: string, options: BindingOptions) => {
    const client = adminClient(terminal, options);
    await client.send('POST', bindingPath(source, destination, options), {
      routing_key: options.key,
      arguments: typedArguments(parsePairs(options.argument, '--argument')),
    });
  });
  const remove = withEnds(binding.command('delete <source> <destination>'))
    .alias('rm')
    .description('unbind');
  withExamples(withVhost(withServer(remove)), "lyrebird binding delete events jobs -k 'order.*'");
  remove.action(async (source: string, destination: string, options: BindingOptions) => {
    const client = adminClient(terminal, options);
    const path = bindingPath(source, destination, options);
    const wanted = JSON.stringify(typedArguments(parsePairs(options.argument, '--argument')));
    const rows = await client.get<ApiRow[]>(path);
    const found = rows.filter(
      (row) =>
        textOf(row, 'routing_key') === options.key && JSON.stringify(row['arguments']) === wanted,
    );
    for (const row of found) {
      await client.delete(`${path}/${encodeURIComponent(textOf(row, 'properties_key'))}`);
    }
    if (found.length === 0) terminal.err('there was no such binding\n');
  });
}

function withEnds(command: Command): Command {
  return command
    .option('-k, --key <routing key>', 'routing key or pattern', '')
    .option('-a, --argument <name=value>', 'an argument of the binding; repeatable', collect)
    .option('--exchange', 'the destination is an exchange');
}

function bindingPath(source: string, destination: string, options: BindingOptions): string {
  const kind = options.exchange === true ? 'e' : 'q';
  return amqpPath('bindings', options.vhost, 'e', source, kind, destination);
}
