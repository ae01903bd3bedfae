import type { Bounds, LogId, LogSpec, NewLog, StoredLog } from '../types.ts';
import { MemoryRuns } from '../cache/memory-runs.ts';
import { LogState } from './log-state.ts';

/** All logs of an engine. */
export class LogTable {
  private readonly logs: Map<LogId, LogState>;
  /** Changed since the last checkpoint, deleted ones included. */
  private dirtyLogs: LogState[];
  /** Next id to hand out. */
  nextLogId: LogId;

  constructor() {
    this.logs = new Map();
    this.dirtyLogs = [];
    this.nextLogId = 1;
  }

  get size(): number {
    return this.logs.size;
  }

  get(id: LogId): LogState | undefined {
    return this.logs.get(id);
  }

  values(): IterableIterator<LogState> {
    return this.logs.values();
  }

  *stored(): Iterable<StoredLog> {
    for (const log of this.logs.values()) {
      yield { id: log.id, name: log.name, spec: log.spec, bounds: boundsOf(log) };
    }
  }

  /** Creating a log that exists changes nothing. */
  create(log: NewLog): LogState {
    const existing = this.logs.get(log.id);
    if (existing !== undefined) return existing;
    const state = new LogState(log.id, log.name, log.spec);
    if (log.spec.durability === 'memory') state.memory = new MemoryRuns();
    this.logs.set(log.id, state);
    if (log.id >= this.nextLogId) this.nextLogId = log.id + 1;
    this.markDirty(state);
    return state;
  }

  /** A log stays in memory, or on disk, for life; everything else may change. */
  alter(id: LogId, spec: LogSpec): void {
    const log = this.logs.get(id);
    if (log === undefined) return;
    const staysMemory = log.durability === 'memory';
    const durability =
      staysMemory !== (spec.durability === 'memory') ? log.durability : spec.durability;
    log.spec = { ...spec, durability };
    log.durability = durability;
    this.markDirty(log);
  }

  /** Forgets a log; the caller gives its space back. */
  remove(id: LogId): LogState | undefined {
    const log = this.logs.get(id);
    if (log === undefined) return undefined;
    this.logs.delete(id);
    log.deleted = true;
    this.markDirty(log);
    return log;
  }

  markDirty(log: LogState): void {
    if (log.dirty) return;
    log.dirty = true;
    this.dirtyLogs.push(log);
  }

  get dirtyCount(): number {
    return this.dirtyLogs.length;
  }

  /** The logs changed since the last call. */
  takeDirty(): LogState[] {
    const taken = this.dirtyLogs;
    this.dirtyLogs = [];
    for (const log of taken) log.dirty = false;
    return taken;
  }
}

export function boundsOf(log: LogState): Bounds {
  return {
    start: log.start,
    committedEnd: log.committedEnd,
    pendingEnd: log.pendingEnd,
    bytes: log.bytes,
  };
}
