import type { Durability, LogId, LogSpec } from '../types.ts';
import { RunIndex } from './run-index.ts';
import type { Extent } from '../segment/extent.ts';
import type { MemoryRuns } from '../cache/memory-runs.ts';

/** Offsets [from, to) that cannot be read because their bytes are damaged or lost. */
export interface DamagedRange {
  readonly from: number;
  readonly to: number;
}

/** Everything the engine keeps about one log. Plain fields: the hot path reads and writes them directly. */
export class LogState {
  readonly id: LogId;
  readonly name: string;
  spec: LogSpec;
  durability: Durability;
  /** First offset that can be read. */
  start: number;
  /** First offset that is not committed at the log's durability. */
  committedEnd: number;
  /** Offset of the next append. */
  pendingEnd: number;
  /** Bytes between start and pendingEnd. */
  bytes: number;
  /** Oldest data: settled, in offset order. Null until the first settling. */
  extents: Extent[] | null;
  /** Newer data: in the journal. Null until the first append. */
  runs: RunIndex | null;
  /** Data of a 'memory' log. */
  memory: MemoryRuns | null;
  damage: DamagedRange[] | null;
  /** Largest timestamp of what is committed and its batch; -1 when empty, NaN when it has to be looked up again. */
  maxTimestamp: number;
  maxTimestampOffset: number;
  advanceCallbacks: (() => void)[] | null;
  /** Its callbacks are queued to be called at the end of the group. */
  advanced: boolean;
  /** Changed since the last checkpoint. */
  dirty: boolean;
  deleted: boolean;
  /** Where the last sequential reader stopped: offset, and the location of the batch that begins there. */
  hintOffset: number;
  hintLocation: number;

  constructor(id: LogId, name: string, spec: LogSpec) {
    this.id = id;
    this.name = name;
    this.spec = spec;
    this.durability = spec.durability;
    this.start = 0;
    this.committedEnd = 0;
    this.pendingEnd = 0;
    this.bytes = 0;
    this.extents = null;
    this.runs = null;
    this.memory = null;
    this.damage = null;
    this.maxTimestamp = -1;
    this.maxTimestampOffset = -1;
    this.advanceCallbacks = null;
    this.advanced = false;
    this.dirty = false;
    this.deleted = false;
    this.hintOffset = -1;
    this.hintLocation = -1;
  }

  ensureRuns(): RunIndex {
    this.runs ??= new RunIndex();
    return this.runs;
  }
}
