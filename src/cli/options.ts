import { type Command, Option } from 'commander';
import { AdminClient, DEFAULT_SERVER } from './admin-client.ts';
import { CommandError, EXIT, usageError } from './exit-codes.ts';
import { findContext } from './context-store.ts';
import { OUTPUT_FORMATS, parseOutput } from './output.ts';
import type { Terminal } from './terminal.ts';

/** What withExamples was given, for the reference. */
export const EXAMPLES = new WeakMap<Command, readonly string[]>();

/** Puts the examples before everything else in the help of a command. */
export function withExamples(command: Command, ...examples: readonly string[]): Command {
  EXAMPLES.set(command, examples);
  const lines = examples.map((example) => `  ${example}\n`).join('');
  return command.addHelpText('before', `Examples:\n${lines}`);
}

export function withOutput(command: Command): Command {
  return command
    .addOption(
      new Option('-o, --output <format>', `how to print: ${OUTPUT_FORMATS.join(', ')}=...`)
        .argParser(checkedOutput)
        .default('table'),
    )
    .option('--json', 'the same as -o json');
}

function checkedOutput(text: string): string {
  parseOutput(text);
  return text;
}

export interface ServerOptions {
  readonly server?: string;
  readonly context?: string;
}

/** For commands that talk to a running broker. */
export function withServer(command: Command): Command {
  return withContext(command).option(
    '--server <url>',
    `admin address of the broker (default: LYREBIRD_SERVER, the context's, ${DEFAULT_SERVER})`,
  );
}

/** For commands that reach a broker in any way. */
export function withContext(command: Command): Command {
  return command.option('--context <name>', 'a stored address; see lyrebird context');
}

export function adminClient(terminal: Terminal, options: ServerOptions): AdminClient {
  const { environment } = terminal;
  if (options.server !== undefined) return new AdminClient(options.server);
  const named = options.context !== undefined;
  const fromEnvironment = named ? undefined : environment['LYREBIRD_SERVER'];
  const server = fromEnvironment ?? findContext(environment, options.context)?.server;
  return new AdminClient(server ?? DEFAULT_SERVER);
}

export interface DestructiveOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

export function withConfirmation(command: Command): Command {
  return command
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'only say what would happen');
}

/**
 * Shows what is about to happen and asks. False: leave it, because of --dry-run or the answer. Without a
 * terminal to ask on, it fails and names the flag.
 */
export async function confirm(
  terminal: Terminal,
  options: DestructiveOptions,
  impact: string,
): Promise<boolean> {
  if (options.dryRun === true) {
    terminal.err(`would ${impact}\n`);
    return false;
  }
  if (options.yes === true) return true;
  if (!terminal.stdinIsTty) {
    throw new CommandError(EXIT.refused, `this would ${impact}`, { hint: 'add --yes to do it' });
  }
  const answer = await terminal.ask(`This will ${impact}. Continue? [y/N] `);
  if (/^y(es)?$/i.test(answer.trim())) return true;
  throw new CommandError(EXIT.refused, 'nothing was changed');
}

/** For options that may be given several times. */
export function collect(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

/** `name=value` pairs; a later one wins. */
export function parsePairs(
  pairs: readonly string[] | undefined,
  flag: string,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const pair of pairs ?? []) {
    const equals = pair.indexOf('=');
    if (equals <= 0) throw usageError(`${flag} ${pair}: expected name=value`);
    result[pair.slice(0, equals).trim()] = pair.slice(equals + 1);
  }
  return result;
}

/** An option's value as a whole number of at least min. */
export function parseCount(text: string, flag: string, min = 0): number {
  const value = Number(text.replaceAll('_', ''));
  if (!/^\d[\d_]*$/.test(text) || !Number.isSafeInteger(value) || value < min) {
    throw usageError(`${flag} ${text}: expected a whole number of at least ${min}`);
  }
  return value;
}

/** Partitions as `0,3,5-8`. */
export function parsePartitions(text: string, flag: string): number[] {
  const partitions = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    if (match === null) throw usageError(`${flag} ${text}: expected partitions such as 0,3 or 5-8`);
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last - first > 100_000) throw usageError(`${flag} ${text}: too many partitions`);
    for (let partition = first; partition <= last; partition++) partitions.add(partition);
  }
  return [...partitions].sort((a, b) => a - b);
}

/** Tells by name: globs by default, a regular expression with `-r`. */
export function nameMatcher(
  pattern: string | undefined,
  isRegex: boolean,
): (name: string) => boolean {
  if (pattern === undefined) return () => true;
  const source = isRegex
    ? pattern
    : `^${pattern
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`;
  try {
    const expression = new RegExp(source);
    return (name) => expression.test(name);
  } catch {
    throw usageError(`${pattern} is not a regular expression`);
  }
}
