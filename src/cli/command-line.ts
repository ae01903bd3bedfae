import { Command, CommanderError } from 'commander';
import { LyrebirdError } from '../base/errors.ts';
import { benchCommand } from './commands/bench.ts';
import { completionCommand } from './commands/completion.ts';
import { configCommands } from './commands/config.ts';
import { contextCommands } from './commands/context.ts';
import { bindingCommands, exchangeCommands } from './commands/exchange.ts';
import { explainCommand } from './commands/explain.ts';
import { groupCommands } from './commands/group.ts';
import { pubCommand } from './commands/pub.ts';
import { queueCommands } from './commands/queue.ts';
import { rabbitmqctlCommand } from './commands/rabbitmqctl.ts';
import { startCommand } from './commands/start.ts';
import { statusCommand } from './commands/status.ts';
import { subCommand } from './commands/sub.ts';
import { topicCommands } from './commands/topic.ts';
import { versionCommand } from './commands/version.ts';
import { vhostCommands } from './commands/vhost.ts';
import { CommandError, EXIT, ForeignExit } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';
import { packageVersion } from '../server/version.ts';

/** All commands. What a command needs beyond its flags is imported when it runs. */
export function buildProgram(terminal: Terminal): Command {
  const program = new Command('lyrebird')
    .description('One message broker that speaks Kafka; see lyrebird start')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showSuggestionAfterError(true)
    .showHelpAfterError('(--help tells more)')
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
    })
    .enablePositionalOptions()
    .exitOverride()
    .addHelpText(
      'before',
      'Examples:\n' +
        '  lyrebird start --memory\n' +
        "  lyrebird topic create orders -p 3 && lyrebird pub orders 'hello' && lyrebird sub orders -o start -e\n",
    );
  startCommand(program, terminal);
  statusCommand(program, terminal);
  topicCommands(program, terminal);
  groupCommands(program, terminal);
  queueCommands(program, terminal);
  exchangeCommands(program, terminal);
  bindingCommands(program, terminal);
  vhostCommands(program, terminal);
  pubCommand(program, terminal);
  subCommand(program, terminal);
  benchCommand(program, terminal);
  contextCommands(program, terminal);
  configCommands(program, terminal);
  rabbitmqctlCommand(program, terminal);
  explainCommand(program, terminal);
  completionCommand(program, terminal);
  versionCommand(program, terminal);
  program.command('reference', { hidden: true }).action(async () => {
    const { commandReference } = await import('./reference.ts');
    terminal.out(commandReference(program));
  });
  return program;
}

/** Runs one command and resolves with the exit code. Errors of the world are one line on the standard error. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await buildProgram(terminal).parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return report(error, terminal);
  }
}

function report(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) {
    // Help and version end the command through an error of code 0; usage errors were printed already.
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
  if (error instanceof CommandError) {
    if (error.message !== '') terminal.err(errorLine(error.code, error.message));
    if (error.hint !== null) terminal.err(`  ${error.hint}\n`);
    return error.exitCode;
  }
  if (error instanceof ForeignExit) return error.exitCode;
  if (error instanceof LyrebirdError) {
    terminal.err(errorLine(error.code, error.message));
    return EXIT.failure;
  }
  terminal.err(
    `error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return EXIT.failure;
}

function errorLine(code: string | null, message: string): string {
  const label = code === null ? 'error' : `error[${code}]`;
  return `${label}: ${message.replaceAll(/\s*\n\s*/g, ' ')}\n`;
}
