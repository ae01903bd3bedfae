import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import {
  amqpPath,
  numberOf,
  textOf,
  typedArguments,
  withVhost,
  type ApiRow,
  type VhostOptions,
} from '../amqp-api.ts';
import { usageError } from '../exit-codes.ts';
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

type Options = ServerOptions & OutputOptions;

const VHOST_COLUMNS: readonly Column<ApiRow>[] = [
  { title: 'VHOST', value: (row) => textOf(row, 'name') },
  { title: 'MESSAGES', value: (row) => numberOf(row, 'messages') },
  { title: 'DESCRIPTION', value: (row) => textOf(row, 'description') },
];
const USER_COLUMNS: readonly Column<ApiRow>[] = [
  { title: 'USER', value: (row) => textOf(row, 'name') },
  { title: 'TAGS', value: (row) => ((row['tags'] ?? []) as readonly string[]).join(', ') },
];
const PERMISSION_COLUMNS: readonly Column<ApiRow>[] = [
  { title: 'USER', value: (row) => textOf(row, 'user') },
  { title: 'VHOST', value: (row) => textOf(row, 'vhost') },
  { title: 'CONFIGURE', value: (row) => textOf(row, 'configure') },
  { title: 'WRITE', value: (row) => textOf(row, 'write') },
  { title: 'READ', value: (row) => textOf(row, 'read') },
];
const POLICY_COLUMNS: readonly Column<ApiRow>[] = [
  { title: 'POLICY', value: (row) => textOf(row, 'name') },
  { title: 'PATTERN', value: (row) => textOf(row, 'pattern') },
  { title: 'APPLY TO', value: (row) => textOf(row, 'apply-to') },
  { title: 'PRIORITY', value: (row) => numberOf(row, 'priority') },
  { title: 'DEFINITION', value: (row) => textOf(row, 'definition') },
];

/** Virtual hosts, users, permissions and policies. */
export function vhostCommands(program: Command, terminal: Terminal): void {
  addVhosts(program.command('vhost').description('look at and change virtual hosts'), terminal);
  addUsers(program.command('user').description('look at and change users'), terminal);
  addPermissions(program.command('permission').description('who may do what, and where'), terminal);
  addPolicies(
    program.command('policy').description('settings for queues and exchanges by name'),
    terminal,
  );
}

/** `list` of one kind of object. */
function addList(
  parent: Command,
  terminal: Terminal,
  kind: {
    readonly name: string;
    readonly columns: readonly Column<ApiRow>[];
    readonly path: (options: { readonly operator?: boolean }) => string;
  },
): Command {
  const command = parent.command('list').alias('ls').description(`list ${kind.name}`);
  withExamples(withServer(withOutput(command)), `lyrebird ${parent.name()} list`);
  command.action(async (options: Options & { operator?: boolean }) => {
    const client = adminClient(terminal, options);
    printListing(terminal, options, {
      name: kind.name,
      rows: await client.get<ApiRow[]>(kind.path(options)),
      columns: kind.columns,
      key: (row) => textOf(row, 'name') || textOf(row, 'user'),
      empty: `no ${kind.name}`,
    });
  });
  return command;
}

/** `delete` of one kind of object. */
function addDelete(
  parent: Command,
  terminal: Terminal,
  kind: { readonly path: string; readonly impact: string },
): void {
  const command = parent
    .command('delete <name...>')
    .alias('rm')
    .description(`delete ${kind.impact}`);
  withExamples(withConfirmation(withServer(command)), `lyrebird ${parent.name()} delete old --yes`);
  command.action(async (names: string[], options: Options & DestructiveOptions) => {
    const client = adminClient(terminal, options);
    if (!(await confirm(terminal, options, `delete ${names.join(', ')}: ${kind.impact}`))) return;
    await forEachName(terminal, names, (name) => client.delete(amqpPath(kind.path, name)));
  });
}

function addVhosts(vhost: Command, terminal: Terminal): void {
  addList(vhost, terminal, {
    name: 'vhosts',
    columns: VHOST_COLUMNS,
    path: () => amqpPath('vhosts'),
  });
  const create = vhost
    .command('create <name...>')
    .description('create virtual hosts')
    .option('-d, --description <text>', 'what it is for', '')
    .option('--default-queue-type <type>', 'classic, quorum or stream');
  withExamples(withServer(create), 'lyrebird vhost create staging -d "before production"');
  type CreateOptions = Options & { description: string; defaultQueueType?: string };
  create.action(async (names: string[], options: CreateOptions) => {
    const client = adminClient(terminal, options);
    const type = options.defaultQueueType;
    await forEachName(terminal, names, async (name) => {
      await client.send('PUT', amqpPath('vhosts', name), {
        description: options.description,
        ...(type === undefined ? {} : { default_queue_type: type }),
      });
    });
  });
  addDelete(vhost, terminal, {
    path: 'vhosts',
    impact: 'virtual hosts with all their queues, exchanges, topics and messages',
  });
}

function addUsers(user: Command, terminal: Terminal): void {
  addList(user, terminal, { name: 'users', columns: USER_COLUMNS, path: () => amqpPath('users') });
  const create = user
    .command('create <name>')
    .description(
      'create a user, or give it another password and tags; the password comes from stdin',
    )
    .option(
      '--tag <tag>',
      'administrator, monitoring, policymaker, management; repeatable',
      collect,
    );
  withExamples(
    withServer(create),
    'lyrebird user create app < password-file',
    'lyrebird user create ops --tag administrator < password-file',
  );
  create.action(async (name: string, options: Options & { tag?: string[] }) => {
    const password = await readPassword(terminal);
    const client = adminClient(terminal, options);
    await client.send('PUT', amqpPath('users', name), { password, tags: options.tag ?? [] });
  });
  addDelete(user, terminal, { path: 'users', impact: 'users with their permissions' });
}

/** Never among the arguments, where every process of the machine can read it. */
async function readPassword(terminal: Terminal): Promise<string> {
  const given = terminal.stdinIsTty ? await terminal.ask('Password: ') : await text(terminal.stdin);
  const password = given.replace(/\r?\n$/, '');
  if (password === '') throw usageError('the password is empty');
  return password;
}

interface RightsOptions extends Options, VhostOptions {
  configure: string;
  write: string;
  read: string;
}

function addPermissions(permission: Command, terminal: Terminal): void {
  addList(permission, terminal, {
    name: 'permissions',
    columns: PERMISSION_COLUMNS,
    path: () => amqpPath('permissions'),
  });
  const set = permission
    .command('set <user>')
    .description('let a user configure, write to and read what matches regular expressions')
    .option('--configure <pattern>', 'what it may create and delete', '.*')
    .option('--write <pattern>', 'where it may publish', '.*')
    .option('--read <pattern>', 'what it may consume', '.*');
  withExamples(
    withVhost(withServer(set)),
    'lyrebird permission set app',
    "lyrebird permission set reader --configure '' --write '' --read '^logs\\.'",
  );
  set.action(async (user: string, options: RightsOptions) => {
    const client = adminClient(terminal, options);
    const { configure, write, read } = options;
    await client.send('PUT', amqpPath('permissions', options.vhost, user), {
      configure,
      write,
      read,
    });
  });
  const clear = permission
    .command('clear <user>')
    .description('take all rights in a virtual host away');
  withExamples(withVhost(withServer(clear)), 'lyrebird permission clear app --vhost staging');
  clear.action(async (user: string, options: Options & VhostOptions) => {
    await adminClient(terminal, options).delete(amqpPath('permissions', options.vhost, user));
  });
}

interface PolicyOptions extends Options, VhostOptions {
  operator?: boolean;
  applyTo: string;
  priority: string;
  set?: string[];
}

const policies = (isOperator: boolean | undefined): string =>
  isOperator === true ? 'operator-policies' : 'policies';

function addPolicies(policy: Command, terminal: Terminal): void {
  addList(policy, terminal, {
    name: 'policies',
    columns: POLICY_COLUMNS,
    path: ({ operator }) => amqpPath(policies(operator)),
  }).option('--operator', 'operator policies');
  const set = policy
    .command('set <name> <pattern>')
    .description('give settings to all queues or exchanges whose names match')
    .option('-s, --set <key=value>', 'such as max-length=10000; repeatable', collect)
    .option(
      '--apply-to <what>',
      'all, queues, classic_queues, quorum_queues, streams, exchanges',
      'all',
    )
    .option('--priority <number>', 'the matching one with the highest is in force', '0')
    .option('--operator', 'an operator policy: it bounds what others set');
  withExamples(
    withVhost(withServer(set)),
    "lyrebird policy set limit '^jobs' -s max-length=10000 -s overflow=reject-publish",
  );
  set.action(async (name: string, pattern: string, options: PolicyOptions) => {
    const client = adminClient(terminal, options);
    await client.send('PUT', amqpPath(policies(options.operator), options.vhost, name), {
      pattern,
      definition: typedArguments(parsePairs(options.set, '--set')),
      priority: Number(options.priority),
      'apply-to': options.applyTo,
    });
  });
  const remove = policy
    .command('delete <name...>')
    .alias('rm')
    .description('delete policies')
    .option('--operator', 'operator policies');
  withExamples(withVhost(withServer(remove)), 'lyrebird policy delete limit');
  remove.action(async (names: string[], options: PolicyOptions) => {
    const client = adminClient(terminal, options);
    await forEachName(terminal, names, (name) =>
      client.delete(amqpPath(policies(options.operator), options.vhost, name)),
    );
  });
}
