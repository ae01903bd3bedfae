import type { Command } from 'commander';
import { AdminClient } from '../admin-client.ts';
import {
  contextFile,
  findContext,
  namedContext,
  readContexts,
  writeContexts,
  type Context,
} from '../context-store.ts';
import { withConnection } from '../broker-client.ts';
import { parseBrokers } from '../destination.ts';
import { CommandError, EXIT, usageError } from '../exit-codes.ts';
import { withExamples, withOutput } from '../options.ts';
import {
  printListing,
  printObject,
  renderFacts,
  type Column,
  type OutputOptions,
} from '../output.ts';
import type { Terminal } from '../terminal.ts';

interface ContextRow extends Context {
  readonly name: string;
  readonly current: boolean;
}

const COLUMNS: readonly Column<ContextRow>[] = [
  { title: 'NAME', value: (row) => row.name },
  {
    title: 'CURRENT',
    value: (row) => String(row.current),
    format: (row) => (row.current ? '*' : ''),
  },
  { title: 'SERVER', value: (row) => row.server ?? null },
  { title: 'BROKER', value: (row) => row.broker ?? null },
  { title: 'TLS', value: (row) => String(row.tls ?? false), wide: true },
];

export function contextCommands(program: Command, terminal: Terminal): void {
  const context = program
    .command('context')
    .description('addresses of brokers, stored under a name');
  addAdd(context, terminal);
  addList(context, terminal);
  addUse(context, terminal);
  addShow(context, terminal);
  addRemove(context, terminal);
}

interface AddOptions extends Context {
  readonly use?: boolean;
  readonly force?: boolean;
}

function addAdd(context: Command, terminal: Terminal): void {
  const command = context
    .command('add <name>')
    .description('store how a broker is reached; the first one is in use from then on')
    .option('--server <url>', 'admin address')
    .option('-b, --broker <host:port>', 'broker, or several with commas')
    .option('--use', 'use it from now on')
    .option('-f, --force', 'replace one of this name');
  withExamples(
    withConnection(command),
    'lyrebird context add test --server http://10.0.0.5:9644 -b 10.0.0.5:9092 --use',
  );
  command.action((name: string, { use, force, ...added }: AddOptions) => {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
      throw usageError(`${name} is no name for a context`, 'letters, digits, dot, _ and -');
    }
    if (added.server === undefined && added.broker === undefined) {
      throw usageError('give --server, --broker or both');
    }
    if (added.server !== undefined) void new AdminClient(added.server); // throws when it is no address
    if (added.broker !== undefined) parseBrokers(added.broker, '', { isStored: true }); // or throws
    const stored = readContexts(terminal.environment);
    if (Object.hasOwn(stored.contexts, name) && force !== true) {
      throw new CommandError(EXIT.conflict, `context ${name} exists already`, {
        hint: 'add --force to replace it',
      });
    }
    const contexts = { ...stored.contexts, [name]: added };
    const uses = use === true || stored.current === null;
    writeContexts(terminal.environment, {
      contexts,
      current: uses ? name : stored.current,
      previous: uses ? stored.current : stored.previous,
    });
    terminal.err(`added context ${name}${uses ? ', in use from now on' : ''}\n`);
  });
}

function addList(context: Command, terminal: Terminal): void {
  const command = context.command('list').alias('ls').description('list stored contexts');
  withExamples(withOutput(command), 'lyrebird context list');
  command.action((options: OutputOptions) => {
    const { contexts, current } = readContexts(terminal.environment);
    printListing(terminal, options, {
      name: 'contexts',
      rows: Object.entries(contexts).map(([name, stored]) => ({
        name,
        current: name === current,
        ...stored,
      })),
      columns: COLUMNS,
      key: (row) => row.name,
      empty: 'no contexts; add one with: lyrebird context add test --server http://host:9644',
    });
  });
}

function addUse(context: Command, terminal: Terminal): void {
  const command = context
    .command('use <name>')
    .description('use a context from now on; - for the one before');
  withExamples(command, 'lyrebird context use test', 'lyrebird context use -');
  command.action((name: string) => {
    const stored = readContexts(terminal.environment);
    const wanted = name === '-' ? stored.previous : name;
    if (wanted === null) throw new CommandError(EXIT.notFound, 'no context was in use before');
    namedContext(stored, wanted);
    const previous = wanted === stored.current ? stored.previous : stored.current;
    writeContexts(terminal.environment, { ...stored, current: wanted, previous });
    terminal.err(`context ${wanted} is in use\n`);
  });
}

function addShow(context: Command, terminal: Terminal): void {
  const command = context
    .command('show [name]')
    .description('show a context; without a name, the one that commands use now');
  withExamples(withOutput(command), 'lyrebird context show');
  command.action((name: string | undefined, options: OutputOptions) => {
    const found = findContext(terminal.environment, name);
    if (found === null) {
      throw new CommandError(EXIT.notFound, 'no context is in use', {
        hint: 'commands use LYREBIRD_SERVER or the usual ports of this machine',
      });
    }
    printObject(terminal, options, { context: found }, () =>
      renderFacts([
        ...Object.entries(found).map(([key, value]) => [key, String(value)] as const),
        ['stored in', contextFile(terminal.environment)],
      ]),
    );
  });
}

function addRemove(context: Command, terminal: Terminal): void {
  const command = context.command('rm <name>').alias('remove').description('forget a context');
  withExamples(command, 'lyrebird context rm test');
  command.action((name: string) => {
    const stored = readContexts(terminal.environment);
    namedContext(stored, name);
    const contexts = Object.fromEntries(
      Object.entries(stored.contexts).filter(([other]) => other !== name),
    );
    const unless = (other: string | null): string | null => (other === name ? null : other);
    writeContexts(terminal.environment, {
      contexts,
      current: unless(stored.current),
      previous: unless(stored.previous),
    });
    terminal.err(`removed context ${name}\n`);
  });
}
