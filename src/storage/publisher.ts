import type { Logger } from '../telemetry/logger.ts';
import type { LogState } from './index/log-state.ts';
import type { LogTable } from './index/log-table.ts';
import { RUN_SHARED, packSharedEpoch } from './index/run-index.ts';
import type { CommitGroup } from './journal/commit-group.ts';
import { ENTRY_APPEND } from './journal/entries.ts';
import { locationFile } from './journal/format.ts';
import type { JournalFiles } from './journal/journal-files.ts';

/** Makes committed appends visible: into the log's index, its committed end, and to those who watch it. */
export class Publisher {
  private readonly table: LogTable;
  private readonly files: JournalFiles;
  private readonly logger: Logger;
  private readonly advanced: LogState[];

  constructor(options: { table: LogTable; files: JournalFiles; logger: Logger }) {
    this.table = options.table;
    this.files = options.files;
    this.logger = options.logger;
    this.advanced = [];
  }

  /** The group was written: logs that ask for no more than that see it now. */
  publishWritten(group: CommitGroup): void {
    if (group.hasOs) this.publish(group, false);
  }

  /** The group was synced. */
  publishDurable(group: CommitGroup): void {
    this.publish(group, true);
  }

  /** A written group waits for its sync, but the log does not ask for that any more. */
  publishLog(group: CommitGroup, log: LogState): void {
    for (let entry = 0; entry < group.count; entry++) {
      if (group.kinds[entry] === ENTRY_APPEND) this.publishAppend(group, entry, false, log);
    }
  }

  /** A run of a log is committed. */
  addRun(
    log: LogState,
    baseOffset: number,
    location: number,
    bytes: number,
    offsetCount: number,
    flags: number,
    maxTimestamp: number,
    maxTimestampDelta: number,
    sharedEpoch: number,
  ): void {
    const last =
      flags & RUN_SHARED ? packSharedEpoch(maxTimestampDelta, sharedEpoch) : maxTimestampDelta;
    log.ensureRuns().push(baseOffset, location, bytes, offsetCount, flags, maxTimestamp, last);
    log.committedEnd = baseOffset + offsetCount;
    if (maxTimestamp > log.maxTimestamp || log.maxTimestampOffset === -1) {
      log.maxTimestamp = maxTimestamp;
      log.maxTimestampOffset = baseOffset + maxTimestampDelta;
    }
    const file = this.files.get(locationFile(location));
    if (file !== undefined) {
      file.liveBytes += bytes;
      file.runs++;
    }
    this.table.markDirty(log);
  }

  /** The log's bounds moved: its watchers are told with the next notify(). */
  advance(log: LogState): void {
    if (log.advanced || log.advanceCallbacks === null) return;
    log.advanced = true;
    this.advanced.push(log);
  }

  /** Calls everybody who watches a log whose bounds moved. */
  notify(): void {
    for (let i = 0; i < this.advanced.length; i++) {
      const log = this.advanced[i]!;
      log.advanced = false;
      const callbacks = log.advanceCallbacks;
      if (callbacks === null) continue;
      for (let c = 0; c < callbacks.length; c++) this.call(callbacks[c]!);
    }
    this.advanced.length = 0;
  }

  private publish(group: CommitGroup, synced: boolean): void {
    for (let entry = 0; entry < group.count; entry++) {
      if (group.kinds[entry] === ENTRY_APPEND) this.publishAppend(group, entry, synced, null);
    }
  }

  /** Publishes an append for all its logs, or for one of them. */
  private publishAppend(
    group: CommitGroup,
    entry: number,
    synced: boolean,
    only: LogState | null,
  ): void {
    const log = group.logs[entry]!;
    if (only === null || only === log) {
      this.publishEntry(group, entry, log, group.offsets[entry]!, -1, synced);
    }
    const further = group.further[entry]!;
    if (further === null) return;
    for (let i = 0; i < further.logs.length; i++) {
      const other = further.logs[i]!;
      if (only !== null && only !== other) continue;
      this.publishEntry(group, entry, other, further.baseOffsets[i]!, i, synced);
    }
  }

  private publishEntry(
    group: CommitGroup,
    entry: number,
    log: LogState,
    baseOffset: number,
    furtherIndex: number,
    synced: boolean,
  ): void {
    if (log.deleted || baseOffset < log.committedEnd) return;
    // An entry of a group that needs no sync has no later chance, whatever its log asks for by now.
    if (!synced && group.needsSync && log.durability === 'fsync') return;
    const shared = furtherIndex >= 0;
    this.addRun(
      log,
      baseOffset,
      group.locations[entry]!,
      group.bytes[entry]!,
      group.offsetCounts[entry]!,
      shared ? RUN_SHARED : 0,
      group.maxTimestamps[entry]!,
      group.maxTimestampDeltas[entry]!,
      shared ? group.further[entry]!.epochs[furtherIndex]! : 0,
    );
    this.advance(log);
  }

  private call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.logger.error('storage.listener', 'an advance callback threw', { error });
    }
  }
}
