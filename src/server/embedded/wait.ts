import { setTimeout as sleep } from 'node:timers/promises';
import { LyrebirdError } from '../../base/errors.ts';

const POLL_MS = 5;
const TIMEOUT_MS = 10_000;

export interface WaitOptions {
  /** Default 10 s; then the wait rejects with LB3003. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Waits for a condition; says what was the case when it never came. */
export async function waitUntil(
  condition: () => boolean,
  describe: () => string,
  { timeoutMs = TIMEOUT_MS, signal }: WaitOptions,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() >= deadlineMs) {
      throw new LyrebirdError('LB3003', `after ${timeoutMs} ms: ${describe()}`);
    }
    await sleep(POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
}
