import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Extent } from '../segment/extent.ts';
import type { SegmentSet } from '../segment/segment-set.ts';
import type { DamagedRange, LogState } from '../index/log-state.ts';
import type { LogTable } from '../index/log-table.ts';
import { locationFile, locationOf, locationPosition } from '../journal/format.ts';
import type { JournalFile, JournalFiles } from '../journal/journal-files.ts';
import type { Journal } from '../journal/journal.ts';
import type { MetaState } from '../meta-state.ts';
import type { LocalSnapshotStore } from '../snapshot-store.ts';
import type { LogId } from '../types.ts';
import { ByteWriter } from './byte-writer.ts';
import type { ManifestFile } from './manifest-file.ts';
import {
  writeKey,
  writeKeyDeleted,
  writeLog,
  writeLogData,
  writeLogDeleted,
  writeSnapshot,
  writeSnapshotDeleted,
  writeState,
} from './manifest-records.ts';
import type { ManifestState } from './manifest-records.ts';

export interface CheckpointerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly journal: Journal;
  readonly files: JournalFiles;
  readonly segments: SegmentSet;
  readonly table: LogTable;
  readonly metaState: MetaState;
  readonly snapshots: LocalSnapshotStore;
  readonly manifest: ManifestFile;
  readonly identity: Pick<
    ManifestState,
    'clusterId' | 'incarnation' | 'epoch' | 'bootId' | 'openFile'
  >;
  /** What the manifest held at the start. */
  readonly start: Pick<ManifestState, 'replay' | 'metaRevision'>;
  /** Calls everybody who saves snapshots. */
  readonly beforeCheckpoint: () => void;
  readonly onCheckpoint: () => void;
  /** A journal or segment file is about to be freed. */
  readonly onFileFreed: (file: { journal: number } | { segment: number }) => void;
}

/** A log's state as of the checkpoint's position. */
interface CapturedLog {
  readonly log: LogState;
  readonly end: number;
  readonly extents: readonly Extent[] | null;
  readonly damage: readonly DamagedRange[] | null;
}

/** Everything that has to be of one moment: the end of a commit group. */
interface Capture {
  readonly full: boolean;
  /** Where the journal goes on after the checkpoint. */
  readonly location: number;
  readonly sequence: number;
  readonly logs: readonly CapturedLog[];
  readonly snapshots: readonly { readonly log: LogId; readonly bytes: Buffer | null }[];
  /** Nothing that is captured refers to these. */
  readonly deadFiles: readonly JournalFile[];
  readonly deadSegments: readonly number[];
}

/** A section is written in pieces of about this size. */
const PIECE_BYTES = 256 << 10;
/** Logs encoded before the event loop gets its turn. */
const LOGS_PER_TURN = 2_000;

/**
 * Takes checkpoints: writes to the manifest what changed up to the end of a commit group, so that recovery may
 * begin there, and then frees the files that nothing refers to any more.
 *
 * State that only a group can change is captured at once when the group is sealed. What is encoded later, while
 * other groups commit, is either cut at the checkpoint's location (runs) or may safely be newer (metadata, which
 * replay skips by its revision).
 */
export class Checkpointer {
  private readonly options: CheckpointerOptions;
  private failed: boolean;
  checkpoints: number;
  /** Where the last checkpoint was taken. */
  location: number;
  sequence: number;

  constructor(options: CheckpointerOptions) {
    this.options = options;
    this.failed = false;
    this.checkpoints = 0;
    const { replay } = options.start;
    this.location = locationOf(replay.file, replay.position);
    this.sequence = replay.sequence;
  }

  /**
   * Notes that the engine was started. Recovery goes on beginning where it did: the state machines have not been
   * able to save what they were just told. But where the journal ended is fixed now, so what was cut stays cut.
   */
  async noteStart(): Promise<void> {
    const { manifest, start } = this.options;
    const out = new ByteWriter(1024);
    this.encodeState(out, { ...start, drained: false, dead: new Set() });
    if (manifest.isNew) await manifest.writeFull([out.view()]);
    else await manifest.append([out.view()]);
  }

  /** Never called twice at once. drained: nothing will follow. Rejects when the checkpoint could not be written. */
  async take(kind: { drained: boolean }): Promise<void> {
    const capture = this.capture();
    try {
      await this.options.journal.sync();
      const body = this.encode(capture, kind.drained);
      if (capture.full) await this.options.manifest.writeFull(body);
      else await this.options.manifest.append(body);
    } catch (error) {
      // What was captured is in no manifest: the next one has to have everything.
      this.failed = true;
      throw error;
    }
    this.failed = false;
    this.checkpoints++;
    this.location = capture.location;
    this.sequence = capture.sequence;
    await this.free(capture);
  }

  private capture(): Capture {
    const { journal, files, segments, table, snapshots, manifest, beforeCheckpoint, onCheckpoint } =
      this.options;
    beforeCheckpoint();
    journal.seal();
    const location = journal.endLocation;
    const { sequence } = journal;
    onCheckpoint();
    const full = this.failed || manifest.needsFull;
    const dirty = table.takeDirty();
    const logs: CapturedLog[] = [];
    for (const log of full ? table.values() : dirty) {
      if (log.deleted) continue;
      const { pendingEnd: end, extents, damage } = log;
      logs.push({ log, end, extents, damage });
    }
    const changed = snapshots.takeDirty();
    const saved = [];
    for (const log of full ? snapshots.keys() : changed) {
      saved.push({ log, bytes: snapshots.load(log) });
    }
    const deadFiles = files.list().filter((file) => isDead(file, location));
    const deadSegments = segments.dead();
    return { full, location, sequence, logs, snapshots: saved, deadFiles, deadSegments };
  }

  private async *encode(capture: Capture, drained: boolean): AsyncGenerator<Buffer, void> {
    const { table, metaState } = this.options;
    const { full, location, sequence } = capture;
    const out = new ByteWriter();
    const changes = metaState.takeChanges();
    const { defined, deleted } = table.takeDefinitions();
    const replay = { file: locationFile(location), position: locationPosition(location), sequence };
    const dead = new Set(capture.deadFiles.filter((file) => file.liveBytes === 0));
    this.encodeState(out, { replay, metaRevision: changes.revision, drained, dead });
    for (const log of full ? table.values() : defined) writeLog(out, log.id, log.name, log.spec);
    if (full) {
      for (const entry of metaState.all()) writeKey(out, entry);
    } else {
      for (const entry of changes.puts) writeKey(out, entry);
      for (const key of changes.deletes) writeKeyDeleted(out, key);
    }
    for (const { log, bytes } of capture.snapshots) {
      if (bytes === null) writeSnapshotDeleted(out, log);
      else writeSnapshot(out, log, bytes);
    }
    for (let i = 0; i < capture.logs.length; i++) {
      if (i % LOGS_PER_TURN === LOGS_PER_TURN - 1) await this.nextTurn();
      if (out.length >= PIECE_BYTES) {
        yield out.view();
        out.clear();
      }
      encodeLog(out, capture.logs[i]!, location, this.lastLocation(full));
    }
    for (const id of full ? [] : deleted) writeLogDeleted(out, id);
    yield out.view();
  }

  private encodeState(
    out: ByteWriter,
    now: Pick<ManifestState, 'replay' | 'metaRevision' | 'drained'> & {
      readonly dead: ReadonlySet<JournalFile>;
    },
  ): void {
    const { table, files, segments, identity } = this.options;
    const journal = [];
    for (const file of files.list()) {
      const { number, end, createdMs, writtenMs } = file;
      if (!now.dead.has(file)) journal.push({ number, end, createdMs, writtenMs });
    }
    writeState(out, {
      ...identity,
      drained: now.drained,
      replay: now.replay,
      journal,
      nextLogId: table.nextLogId,
      nextSegment: segments.nextNumber,
      metaRevision: now.metaRevision,
    });
  }

  /** Runs before this are in the manifest already. */
  private lastLocation(full: boolean): number {
    return full ? 0 : this.location;
  }

  private nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.options.clock.defer(resolve);
    });
  }

  /** Frees what neither the manifest nor memory refers to. */
  private async free(capture: Capture): Promise<void> {
    const { files, segments, logger, onFileFreed } = this.options;
    try {
      for (const file of capture.deadFiles) {
        if (file.liveBytes !== 0) continue;
        onFileFreed({ journal: file.number });
        await files.free(file.number);
      }
      for (const number of capture.deadSegments) {
        onFileFreed({ segment: number });
        await segments.free(number);
      }
    } catch (error) {
      // The manifest does not name the file any more: the next start removes what is left of it.
      logger.warn('storage.free', 'a file could not be freed', { error });
    }
  }
}

function isDead(file: JournalFile, location: number): boolean {
  return file.liveBytes === 0 && file.number < locationFile(location);
}

function encodeLog(
  out: ByteWriter,
  captured: CapturedLog,
  location: number,
  lastLocation: number,
): void {
  const { log, end, extents, damage } = captured;
  if (log.deleted || log.memory !== null) return; // memory logs begin anew
  const { runs } = log;
  const data = {
    id: log.id,
    // A trim since the capture has dropped runs already: its start belongs to what is left of them.
    start: Math.min(log.start, end),
    end,
    keepRunsFrom: runs !== null && runs.length > 0 ? runs.location(0) : location,
    damage: damage ?? [],
    extents: extents ?? [],
  };
  if (runs === null || runs.length === 0) {
    writeLogData(out, data, null);
    return;
  }
  const first = runs.findLocation(lastLocation);
  const until = Math.max(first, runs.findLocation(location));
  writeLogData(out, data, { index: runs, first, end: until });
}
