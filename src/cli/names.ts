import { suggest } from '../config/suggest.ts';
import { CommandError, EXIT } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/** Adds to a "not found" which name was meant, if one is near; list is asked only then. */
export async function withSuggestion<T>(
  name: string,
  work: () => Promise<T>,
  list: () => Promise<readonly string[]>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CommandError) || error.exitCode !== EXIT.notFound) throw error;
    const meant = suggest(name, await list().catch(() => []));
    if (meant === null || meant === name) throw error;
    throw new CommandError(error.exitCode, error.message, {
      code: error.code,
      hint: `did you mean ${meant}?`,
      cause: error,
    });
  }
}

/**
 * Does the same to each name. What fails does not keep the others from being done: it is printed, and the command
 * ends as done in part. When nothing was done, with the first failure.
 */
export async function forEachName(
  terminal: Terminal,
  names: readonly string[],
  work: (name: string) => Promise<void>,
): Promise<void> {
  const failures: CommandError[] = [];
  for (const name of names) {
    try {
      await work(name);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      failures.push(error);
    }
  }
  const [first] = failures;
  if (first === undefined) return;
  if (failures.length === names.length) throw first;
  for (const { message } of failures) terminal.err(`${message}\n`);
  throw new CommandError(EXIT.partial, `${failures.length} of ${names.length} failed`);
}
