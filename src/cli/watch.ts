import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { parseDuration } from '../config/units.ts';
import { CommandError, EXIT, usageError } from './exit-codes.ts';
import { interruptible } from './interrupt.ts';
import { isForPeople, type OutputOptions } from './output.ts';
import type { Terminal } from './terminal.ts';

export interface WatchOptions extends OutputOptions {
  readonly watch?: string;
}

const INTERVAL_MS_MIN = 100;
const CLEAR_SCREEN = '\u001b[H\u001b[2J\u001b[3J';

export function withWatch(command: Command): Command {
  return command.option('--watch <interval>', 'print again and again, such as every 2s');
}

/**
 * Prints once, or with --watch until it is interrupted. On a terminal each print takes the place of the one before. A
 * broker that cannot be reached for a while ends it only when that is so at the first time.
 */
export async function watched(
  terminal: Terminal,
  options: WatchOptions,
  print: () => Promise<void>,
): Promise<void> {
  if (options.watch === undefined) return print();
  const intervalMs = parseDuration(options.watch);
  if (intervalMs === null || intervalMs < INTERVAL_MS_MIN) {
    throw usageError(`--watch ${options.watch}: expected a duration of at least 100ms`);
  }
  const clears = terminal.stdoutIsTty && isForPeople(options);
  await interruptible(async (signal) => {
    for (let round = 0; !signal.aborted; round++) {
      if (clears) terminal.out(CLEAR_SCREEN);
      try {
        await print();
      } catch (error) {
        if (round === 0 || !isPassing(error)) throw error;
        terminal.err(`${error.message}\n`);
      }
      await terminal.drained();
      await sleep(intervalMs, undefined, { signal }).catch(() => {});
    }
  });
  throw new CommandError(EXIT.interrupted, '');
}

function isPassing(error: unknown): error is CommandError {
  if (!(error instanceof CommandError)) return false;
  return error.exitCode === EXIT.unreachable || error.exitCode === EXIT.timeout;
}
