import type { LogState } from '../index/log-state.ts';

/** Moves the log's start and forgets the appends that lie wholly before it; returns the freed bytes. */
export function dropBefore(log: LogState, start: number): number {
  log.start = start;
  if (log.memory === null) return 0;
  const { runs } = log.memory;
  const dropped = runs.find(start);
  let bytes = 0;
  for (let run = 0; run < dropped; run++) bytes += runs.bytes(run);
  log.memory.dropFirst(dropped);
  log.bytes -= bytes;
  return bytes;
}

/** Drops the oldest appends whose newest record is older than the log's retention; returns the freed bytes. */
export function dropExpired(log: LogState, nowMs: number): number {
  if (log.memory === null || log.spec.retentionMs === Infinity) return 0;
  const { runs } = log.memory;
  const oldestMs = nowMs - log.spec.retentionMs;
  let run = 0;
  while (
    run < runs.length &&
    runs.endOffset(run) <= log.committedEnd &&
    runs.maxTimestamp(run) < oldestMs
  ) {
    run++;
  }
  return run === 0 ? 0 : dropBefore(log, runs.endOffset(run - 1));
}

/** Drops the oldest appends while the log is too large, but never the newest one; returns the freed bytes. */
export function dropExcess(log: LogState): number {
  if (log.memory === null || log.bytes <= log.spec.retentionBytes) return 0;
  const { runs } = log.memory;
  let bytes = log.bytes;
  let run = 0;
  while (
    run < runs.length - 1 &&
    runs.endOffset(run) <= log.committedEnd &&
    bytes > log.spec.retentionBytes
  ) {
    bytes -= runs.bytes(run);
    run++;
  }
  return run === 0 ? 0 : dropBefore(log, Math.max(log.start, runs.endOffset(run - 1)));
}
