import { readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { CommandBody, CommandResult } from '../../admin/api.ts';
import { adminClient, withExamples } from '../options.ts';
import { CommandError, EXIT, ForeignExit } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';

const STDIN_MARK = '-';
/** These take a password from the standard input when it is not among the arguments. */
const PASSWORD_VERBS = ['add_user', 'change_password', 'authenticate_user'];

/** RabbitMQ's command line: what it is given goes to the broker as it is, what comes back is printed as it is. */
export function rabbitmqctlCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('rabbitmqctl')
    .description(
      "RabbitMQ's commands: list_queues, add_user, set_policy, ...; rabbitmqctl help lists them",
    )
    .argument('[args...]', 'as rabbitmqctl takes them; -n NODE is accepted and has no effect')
    .allowUnknownOption()
    .passThroughOptions();
  withExamples(
    command,
    'lyrebird rabbitmqctl list_queues name messages consumers',
    'lyrebird rabbitmqctl add_user app secret',
    "lyrebird rabbitmqctl set_policy --priority 1 limit '^jobs' '{\"max-length\":10000}'",
    'lyrebird rabbitmqctl export_definitions - > definitions.json',
  );
  command.action((args: string[]) => rabbitmqctl(terminal, args));
}

async function rabbitmqctl(terminal: Terminal, args: readonly string[]): Promise<void> {
  const words = plainWords(args);
  const body: CommandBody = { args, input: await inputFor(terminal, words) };
  const client = adminClient(terminal, {});
  const result = await client.send<CommandResult>('POST', '/commands/rabbitmqctl', body);
  const [verb, file = STDIN_MARK] = words;
  if (verb === 'export_definitions' && file !== STDIN_MARK && result.exitCode === 0) {
    writeFileSync(file, result.stdout);
    if (!args.includes('-q'))
      terminal.out(`Exporting definitions in JSON to a file at "${file}" ...\n`);
  } else {
    terminal.out(result.stdout);
  }
  terminal.err(result.stderr);
  if (result.exitCode !== 0) throw new ForeignExit(result.exitCode);
}

/** The verb and its arguments: enough to know which file it means. */
function plainWords(args: readonly string[]): readonly string[] {
  const withValue = ['-n', '--node', '-p', '--vhost', '-t', '--timeout', '--formatter', '--format'];
  return args.filter((word, i) => {
    const before = args[i - 1];
    return !(word.startsWith('-') && word !== STDIN_MARK) && !withValue.includes(before ?? '');
  });
}

async function inputFor(terminal: Terminal, words: readonly string[]): Promise<string | null> {
  const [verb = '', ...rest] = words;
  if (verb === 'import_definitions') {
    const [file = STDIN_MARK] = rest;
    return file === STDIN_MARK ? text(terminal.stdin) : readInput(file);
  }
  const wantsPassword = PASSWORD_VERBS.includes(verb) && rest.length === 1;
  return wantsPassword && !terminal.stdinIsTty ? text(terminal.stdin) : null;
}

function readInput(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(EXIT.failure, `${file} cannot be read: ${why}`, { cause });
  }
}
