import { LyrebirdError } from '../../../base/errors.ts';
import { parseArguments } from './arguments.ts';
import { formatReply } from './format.ts';
import { CTL_EXIT, CtlError, type CtlContext, type Verb } from './verb.ts';
import { ACCESS_VERBS } from './verbs/access.ts';
import { CONNECTION_VERBS } from './verbs/connections.ts';
import { DEFINITION_VERBS } from './verbs/definitions.ts';
import { EVALUATION_VERBS } from './verbs/evaluate.ts';
import { LISTING_VERBS } from './verbs/listings.ts';
import { NODE_VERBS } from './verbs/node.ts';
import { POLICY_VERBS } from './verbs/policies.ts';
import { QUEUE_VERBS } from './verbs/queues.ts';
import { USER_VERBS } from './verbs/users.ts';
import { VHOST_VERBS } from './verbs/vhosts.ts';

export interface CtlResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const VERBS = new Map<string, Verb>(
  [
    ...ACCESS_VERBS,
    ...CONNECTION_VERBS,
    ...DEFINITION_VERBS,
    ...EVALUATION_VERBS,
    ...LISTING_VERBS,
    ...NODE_VERBS,
    ...POLICY_VERBS,
    ...QUEUE_VERBS,
    ...USER_VERBS,
    ...VHOST_VERBS,
  ].map((verb) => [verb.name, verb]),
);

/** Carries out a command of rabbitmqctl, and answers as it would. Never rejects. */
export async function runCtl(
  context: CtlContext,
  given: readonly string[],
  input: string | null,
): Promise<CtlResult> {
  try {
    const { verb: name, args, options } = parseArguments(given);
    if (name === null || name === 'help' || options.flags.has('help')) return help(args[0] ?? null);
    const verb = VERBS.get(name);
    if (verb === undefined) {
      throw new CtlError(CTL_EXIT.usage, `Command '${name}' not found.\n\n${usages()}`);
    }
    const { min, max } = verb.arguments;
    if (args.length < min || args.length > max) {
      const fault = args.length < min ? 'not enough arguments.' : 'too many arguments.';
      throw new CtlError(
        CTL_EXIT.usage,
        `Error (argument validation): ${fault}\nArguments given:\n\t${given.join(' ')}\n\nUsage\n\n${usageOf(verb)}`,
      );
    }
    const reply = await verb.run({ ...context, options, args, input });
    return { exitCode: CTL_EXIT.ok, stdout: formatReply(reply, options), stderr: '' };
  } catch (error) {
    return failure(error, given);
  }
}

function failure(error: unknown, given: readonly string[]): CtlResult {
  if (error instanceof CtlError) {
    const isQuiet = given.some((word) => ['-q', '--quiet', '-s', '--silent'].includes(word));
    const stdout = error.banner === null || isQuiet ? '' : `${error.banner}\n`;
    const prefix = error.exitCode === CTL_EXIT.usage && error.banner === null ? '' : 'Error:\n';
    return { exitCode: error.exitCode, stdout, stderr: `${prefix}${error.message}\n` };
  }
  if (error instanceof LyrebirdError) {
    return { exitCode: CTL_EXIT.unavailable, stdout: '', stderr: `Error:\n${error.message}\n` };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { exitCode: CTL_EXIT.software, stdout: '', stderr: `Error:\n${message}\n` };
}

function help(name: string | null): CtlResult {
  const verb = name === null ? undefined : VERBS.get(name);
  const stdout = verb === undefined ? `${usages()}\n` : `Usage\n\n${usageOf(verb)}\n`;
  return { exitCode: CTL_EXIT.ok, stdout, stderr: '' };
}

function usages(): string {
  const all = [...VERBS.values()].map((verb) => `   ${verb.name} ${verb.usage}`.trimEnd());
  return [
    'Usage',
    '',
    'rabbitmqctl [--node <node>] [--timeout <timeout>] [--quiet] <command> [<command options>]',
    '',
    'Available commands:',
    '',
    ...all.sort(),
  ].join('\n');
}

function usageOf({ name, usage }: Verb): string {
  return `rabbitmqctl [--node <node>] [--quiet] ${name} ${usage}`.trimEnd();
}
