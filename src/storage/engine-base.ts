import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Logger } from '../telemetry/logger.ts';
import { BlockCache } from './cache/block-cache.ts';
import { ReadBudget } from './cache/read-budget.ts';
import { TailCache } from './cache/tail-cache.ts';
import { DiskLadder } from './disk-ladder.ts';
import type { FileSystem } from './file-system.ts';
import type { LogState } from './index/log-state.ts';
import { LogTable } from './index/log-table.ts';
import { JournalFiles } from './journal/journal-files.ts';
import { limitsOf } from './local-engine-options.ts';
import type { LocalEngineLimits, LocalEngineOptions } from './local-engine-options.ts';
import { LogTrimmer } from './log-trimmer.ts';
import { ManifestFile } from './manifest/manifest-file.ts';
import { MetaState } from './meta-state.ts';
import { Publisher } from './publisher.ts';
import { SegmentSet } from './segment/segment-set.ts';
import { LocalSnapshotStore } from './snapshot-store.ts';
import type { DiskState } from './types.ts';

export interface EngineEvents {
  readonly onLeaseExpired: (lease: number) => void;
  readonly onDisk: (state: DiskState) => void;
  readonly onMemoryFreed: (bytes: number) => void;
  readonly onDamage: (log: LogState, from: number, to: number) => void;
}

const OPEN_SEGMENTS_MAX = 128;
const SPARSE_INDEX_BYTES_MAX = 8 << 20;
const TAIL_BLOCK_BYTES_MIN = 64 << 10;
const TAIL_BLOCK_BYTES_MAX = 4 << 20;

/** The parts of a LocalEngine that recovery fills: they exist before the journal can be written. */
export class EngineBase {
  readonly limits: LocalEngineLimits;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly folder: string;
  readonly table: LogTable;
  readonly cache: TailCache;
  readonly blocks: BlockCache;
  readonly readBudget: ReadBudget;
  readonly snapshots: LocalSnapshotStore;
  readonly metaState: MetaState;
  readonly files: JournalFiles;
  readonly segments: SegmentSet;
  readonly publisher: Publisher;
  readonly trimmer: LogTrimmer;
  readonly manifest: ManifestFile;
  readonly ladder: DiskLadder;

  constructor(options: LocalEngineOptions, events: EngineEvents) {
    const { fileSystem, clock, random, logger, folder } = options;
    const limits = limitsOf(options);
    const { cacheBytes, blockBytes, blockCacheBytes, recycledFilesMax } = limits;
    this.limits = limits;
    this.fileSystem = fileSystem;
    this.clock = clock;
    this.random = random;
    this.logger = logger;
    this.folder = folder;
    const table = new LogTable();
    this.table = table;
    const share = Math.min(TAIL_BLOCK_BYTES_MAX, cacheBytes >>> 3);
    const tailBlockBytes = Math.max(TAIL_BLOCK_BYTES_MIN, share);
    this.cache = new TailCache({ clock, cacheBytes, blockBytes: tailBlockBytes });
    this.readBudget = new ReadBudget(limits.coldReadBytes);
    const holders = this.readBudget;
    this.blocks = new BlockCache({ clock, blockBytes, cacheBytes: blockCacheBytes, holders });
    this.snapshots = new LocalSnapshotStore();
    const { onLeaseExpired, onMemoryFreed } = events;
    this.metaState = new MetaState({ clock, logger, onLeaseExpired });
    const files = new JournalFiles({ fileSystem, clock, folder, recycledFilesMax });
    this.files = files;
    this.segments = new SegmentSet({
      fileSystem,
      folder,
      openFilesMax: OPEN_SEGMENTS_MAX,
      indexBytesMax: SPARSE_INDEX_BYTES_MAX,
    });
    this.publisher = new Publisher({ table, files, logger });
    this.trimmer = new LogTrimmer({
      table,
      journalFiles: files,
      segments: this.segments,
      onMemoryFreed,
    });
    this.manifest = new ManifestFile({ fileSystem, random, folder });
    this.ladder = new DiskLadder({
      fileSystem,
      logger,
      random,
      folder,
      warn: limits.diskWarn,
      shrink: limits.diskShrink,
      alarm: limits.diskAlarm,
      blocked: limits.diskBlocked,
      reservedBytes: limits.reservedBytes,
      onState: events.onDisk,
    });
  }
}
