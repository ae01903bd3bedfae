import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { FileSystem } from './file-system.ts';

const MIB = 1 << 20;

/** The limits of a LocalEngine. Sizes in bytes, times in ms; shares of the disk between 0 and 1. */
export interface LocalEngineLimits {
  /** The oldest journal files are settled into segments while the journal is larger than this. */
  readonly journalBytes: number;
  /** A journal file is followed by the next one at this size. */
  readonly journalFileBytes: number;
  /** Journal files older than this are settled even when the journal is small. */
  readonly journalFileAgeMs: number;
  /** Index entries of the journal are settled away above this many bytes of memory. */
  readonly indexBytesMax: number;
  /** A commit group is closed at this size even while others are in flight. */
  readonly groupBytes: number;
  /** Groups up to this size are written without handing them to another thread; 0: none. */
  readonly writeNowBytes: number;
  /** Appends to one log that follow each other in a group become one index entry up to this size. */
  readonly runBytesMax: number;
  /** Memory that keeps the newest data for readers. */
  readonly cacheBytes: number;
  /** Memory that keeps older data read from disk. */
  readonly blockCacheBytes: number;
  /** Cold data is read in blocks of this size. */
  readonly blockBytes: number;
  /** Cold reads under way, and what their answers hold until they are sent, take no more than this together. */
  readonly coldReadBytes: number;
  /** writable() is false while more than this waits to be committed. */
  readonly pendingBytesMax: number;
  /** All memory logs together; appends to them are refused above. */
  readonly memoryLogBytes: number;
  /** A checkpoint is taken after this much journal, or after checkpointMs when anything changed. */
  readonly checkpointBytes: number;
  readonly checkpointMs: number;
  /** Freed journal files kept for reuse. */
  readonly recycledFilesMax: number;
  /** Shares of the disk in use at which its state becomes warn, shrink, alarm and blocked. */
  readonly diskWarn: number;
  readonly diskShrink: number;
  readonly diskAlarm: number;
  readonly diskBlocked: number;
  readonly diskCheckMs: number;
  /** A file of this size is kept, to be given up when the disk is full: acknowledgements and deletions go on. */
  readonly reservedBytes: number;
  readonly retentionCheckMs: number;
}

export const LOCAL_ENGINE_DEFAULTS: LocalEngineLimits = {
  journalBytes: 4096 * MIB,
  journalFileBytes: 128 * MIB,
  journalFileAgeMs: Infinity,
  indexBytesMax: 32 * MIB,
  groupBytes: 4 * MIB,
  writeNowBytes: 64 * 1024,
  runBytesMax: 128 * 1024,
  cacheBytes: 128 * MIB,
  blockCacheBytes: 32 * MIB,
  blockBytes: MIB,
  coldReadBytes: 64 * MIB,
  pendingBytesMax: 64 * MIB,
  memoryLogBytes: 256 * MIB,
  checkpointBytes: 64 * MIB,
  checkpointMs: 30_000,
  recycledFilesMax: 4,
  diskWarn: 0.7,
  diskShrink: 0.75,
  diskAlarm: 0.8,
  diskBlocked: 0.9,
  diskCheckMs: 5_000,
  reservedBytes: 16 * MIB,
  retentionCheckMs: 30_000,
};

export interface LocalEngineOptions extends Partial<LocalEngineLimits> {
  /** The data folder: made when missing, locked while open. */
  readonly folder: string;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeId?: number;
}

export function limitsOf(options: LocalEngineOptions): LocalEngineLimits {
  const limits: Record<string, number> = {};
  for (const [name, fallback] of Object.entries(LOCAL_ENGINE_DEFAULTS)) {
    const given = options[name as keyof LocalEngineLimits];
    limits[name] = given ?? (fallback as number);
  }
  return limits as unknown as LocalEngineLimits; // every key of the defaults was copied
}
