import type { Bounds, LogId, LogSpec, NewLog, StoredLog } from '../types.ts';
import { MemoryRuns } from '../cache/memory-runs.ts';
import { LogState } from './log-state.ts';

/** All logs of an engine. */
export class LogTable {
  private readonly logs: Map<LogId, LogState>;
  /** Their data changed since the last checkpoint. */
  private dirtyLogs: LogState[];
  /** Created or altered since the last checkpoint. */
  private definedLogs: Set<LogState>;
  private deletedIds: LogId[];
  /** Next id to hand out. */
  nextLogId: LogId;

  constructor() {
    this.logs = new Map();
    this.dirtyLogs = [];
    this.definedLogs = new Set();
    this.deletedIds = [];
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
    this.definedLogs.add(state);
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
    this.definedLogs.add(log);
  }

  /** Forgets a log; the caller gives its space back. */
  remove(id: LogId): LogState | undefined {
    const log = this.logs.get(id);
    if (log === undefined) return undefined;
    this.logs.delete(id);
    log.deleted = true;
    this.definedLogs.delete(log);
    this.deletedIds.push(id);
    return log;
  }

  markDirty(log: LogState): void {
    if (log.dirty) return;
    log.dirty = true;
    this.dirtyLogs.push(log);
  }

  /** True when anything changed since the last checkpoint. */
  get changed(): boolean {
    const { dirtyLogs, definedLogs, deletedIds } = this;
    return dirtyLogs.length > 0 || definedLogs.size > 0 || deletedIds.length > 0;
  }

  /** The logs whose data changed since the last call. */
  takeDirty(): LogState[] {
    const taken = this.dirtyLogs;
    this.dirtyLogs = [];
    for (const log of taken) log.dirty = false;
    return taken;
  }

  /** The logs created, altered and deleted since the last call. */
  takeDefinitions(): { readonly defined: Iterable<LogState>; readonly deleted: readonly LogId[] } {
    const taken = { defined: this.definedLogs, deleted: this.deletedIds };
    this.definedLogs = new Set();
    this.deletedIds = [];
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
