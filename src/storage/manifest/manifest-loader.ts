import { damageAt } from '../index/damage.ts';
import type { LogState } from '../index/log-state.ts';
import type { LogTable } from '../index/log-table.ts';
import { locationFile } from '../journal/format.ts';
import type { JournalFiles } from '../journal/journal-files.ts';
import type { MetaState, StoredMetaEntry } from '../meta-state.ts';
import type { SegmentSet } from '../segment/segment-set.ts';
import type { LocalSnapshotStore } from '../snapshot-store.ts';
import type { LogId, LogSpec } from '../types.ts';
import { ByteReader } from './byte-reader.ts';
import { readRecords } from './manifest-records.ts';
import type { LogData, ManifestState, ManifestVisitor } from './manifest-records.ts';

export interface ManifestLoaderOptions {
  readonly table: LogTable;
  readonly metaState: MetaState;
  readonly snapshots: LocalSnapshotStore;
}

/** Builds the engine's state from the sections of a manifest. */
export class ManifestLoader implements ManifestVisitor {
  private readonly options: ManifestLoaderOptions;
  private readonly keys: Map<string, StoredMetaEntry>;
  private state: ManifestState | null;

  constructor(options: ManifestLoaderOptions) {
    this.options = options;
    this.keys = new Map();
    this.state = null;
  }

  /** Null when the sections say nothing. Throws RangeError or SyntaxError when they are not what was written. */
  load(sections: readonly Buffer[]): ManifestState | null {
    for (const section of sections) readRecords(new ByteReader(section), this);
    const { table, metaState } = this.options;
    if (this.state === null) return null;
    metaState.restore(this.keys.values(), this.state.metaRevision);
    table.nextLogId = Math.max(table.nextLogId, this.state.nextLogId);
    for (const log of table.values()) completeLog(log);
    // All this is in the manifest: nothing of it has changed since.
    table.takeDirty();
    table.takeDefinitions();
    return this.state;
  }

  onState(state: ManifestState): void {
    this.state = state;
  }

  onLog(id: LogId, name: string, spec: LogSpec): void {
    const { table } = this.options;
    if (table.get(id) === undefined) table.create({ id, name, spec });
    else table.alter(id, spec);
  }

  onLogData(data: LogData): void {
    const log = this.options.table.get(data.id);
    if (log === undefined) return;
    log.start = data.start;
    log.committedEnd = data.end;
    log.pendingEnd = data.end;
    log.damage = data.damage.length === 0 ? null : [...data.damage];
    if (data.extents !== null) log.extents = data.extents.length === 0 ? null : [...data.extents];
    if (data.runs.length > 0) log.ensureRuns().pushPacked(data.runs);
    const { runs } = log;
    if (runs !== null) runs.dropFirst(runs.findLocation(data.keepRunsFrom));
  }

  onLogDeleted(id: LogId): void {
    this.options.table.remove(id);
    this.options.snapshots.restore(id, null);
  }

  onKey(entry: StoredMetaEntry): void {
    this.keys.set(entry.key, entry);
  }

  onKeyDeleted(key: string): void {
    this.keys.delete(key);
  }

  onSnapshot(log: LogId, bytes: Buffer): void {
    this.options.snapshots.restore(log, Buffer.from(bytes));
  }

  onSnapshotDeleted(log: LogId): void {
    this.options.snapshots.restore(log, null);
  }
}

/** Derives what a section does not say: sizes, the largest timestamp, and a start that matches what is there. */
function completeLog(log: LogState): void {
  const { extents, runs } = log;
  const first =
    extents?.[0]?.baseOffset ?? (runs !== null && runs.length > 0 ? runs.baseOffset(0) : null);
  // A trim after the checkpoint's position may have taken runs before they were written down.
  if (first === null) {
    if (log.damage === null) log.start = log.committedEnd;
  } else if (
    first > log.start &&
    (log.damage === null || damageAt(log.damage, log.start) === null)
  ) {
    log.start = first;
  }
  if (runs !== null) runs.dropFirst(runs.find(log.start));
  if (extents !== null) {
    const kept = extents.filter((extent) => extent.endOffset > log.start);
    log.extents = kept.length === 0 ? null : kept;
  }
  let bytes = 0;
  for (const extent of log.extents ?? []) bytes += extent.bytes;
  const count = runs?.length ?? 0;
  for (let run = 0; run < count; run++) bytes += runs!.bytes(run);
  log.bytes = bytes;
  log.maxTimestamp = bytes > 0 ? NaN : -1;
  log.maxTimestampOffset = bytes > 0 ? log.start : -1;
}

/** Counts what logs have in the files that exist. Returns the logs that refer to files that do not. */
export function countReferences(
  table: LogTable,
  journalFiles: JournalFiles,
  segments: SegmentSet,
): readonly MissingData[] {
  const missing: MissingData[] = [];
  for (const log of table.values()) {
    const { runs, extents } = log;
    for (const extent of extents ?? []) {
      if (segments.has(extent.file)) segments.addReference(extent);
      else missing.push({ log, from: extent.baseOffset, to: extent.endOffset });
    }
    if (runs === null) continue;
    for (let run = 0; run < runs.length; run++) {
      const file = journalFiles.get(locationFile(runs.location(run)));
      if (file === undefined) {
        missing.push({ log, from: runs.baseOffset(run), to: runs.endOffset(run) });
      } else {
        file.liveBytes += runs.bytes(run);
        file.runs++;
      }
    }
  }
  return missing;
}

export interface MissingData {
  readonly log: LogState;
  readonly from: number;
  readonly to: number;
}
