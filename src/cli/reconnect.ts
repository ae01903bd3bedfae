import { setTimeout as sleep } from 'node:timers/promises';
import { LyrebirdError } from '../base/errors.ts';
import { formatDuration, parseDuration } from '../config/units.ts';
import { usageError } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

const FIRST_DELAY_MS = 100;
const DELAY_MS_MAX = 3000;

/** Answers that a broker gives while it starts, stops or hands partitions over. */
const PASSING = new Set([
  'BROKER_NOT_AVAILABLE',
  'CONNECTION_FORCED',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'LEADER_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'NOT_COORDINATOR',
  'NOT_LEADER_OR_FOLLOWER',
  'UNKNOWN_LEADER_EPOCH',
]);

/** True when the same may succeed with a new connection. */
export function isOutage(error: unknown): error is LyrebirdError {
  if (!(error instanceof LyrebirdError)) return false;
  if (error.code === 'LB6001' || error.code === 'LB6002') return true;
  const { name } = error.details;
  return error.code === 'LB6003' && typeof name === 'string' && PASSING.has(name);
}

export function parseReconnect(text: string): number {
  const ms = text === '0' ? 0 : parseDuration(text);
  if (ms === null) throw usageError(`--reconnect ${text}: expected a duration, or 0`);
  return ms;
}

/**
 * After an outage: repeats an attempt, waiting 100 ms and twice as long each time up to 3 s, until it succeeds or
 * the time is over. False: the signal aborted first.
 */
export async function reconnect(
  attempt: () => Promise<void>,
  options: {
    readonly outage: LyrebirdError;
    readonly withinMs: number;
    readonly signal: AbortSignal;
    readonly terminal: Terminal;
  },
): Promise<boolean> {
  const { withinMs, signal, terminal } = options;
  if (withinMs === 0) throw options.outage;
  const startedMs = performance.now();
  terminal.err(`${options.outage.message}; trying again for ${formatDuration(withinMs)}\n`);
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, DELAY_MS_MAX)) {
    const leftMs = withinMs - (performance.now() - startedMs);
    await sleep(Math.min(delayMs, Math.max(0, leftMs)), undefined, { signal }).catch(() => {});
    if (signal.aborted) return false;
    try {
      await attempt();
      terminal.err('connected again\n');
      return true;
    } catch (error) {
      if (!isOutage(error)) throw error;
      if (performance.now() - startedMs >= withinMs) {
        throw new LyrebirdError('LB6001', `${error.message}, for ${formatDuration(withinMs)}`, {
          cause: error,
        });
      }
    }
  }
}
