import type { Scheduler } from './scheduler.ts';

/** Simulated operations in real time: each takes a turn of the event loop, in the order in which they are asked for. */
export const inTurns: Pick<Scheduler, 'schedule'> = {
  schedule: (_delayMs, _process, callback) => {
    setImmediate(callback);
    return { callback };
  },
};
