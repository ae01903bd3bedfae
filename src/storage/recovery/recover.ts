import { LyrebirdError } from '../../base/errors.ts';
import type { EngineBase } from '../engine-base.ts';
import type { LogState } from '../index/log-state.ts';
import { FILE_HEADER_BYTES, decodeFileHeader } from '../journal/format.ts';
import { journalFileName, journalFileNumber, newJournalFile } from '../journal/journal-files.ts';
import type { LocalMetaStore } from '../local-meta-store.ts';
import { ManifestLoader, countReferences } from '../manifest/manifest-loader.ts';
import type { ManifestState } from '../manifest/manifest-records.ts';
import {
  SEGMENT_HEADER_BYTES,
  decodeWrittenMs,
  segmentFileNumber,
} from '../segment/segment-format.ts';
import type { ReplayVisitor } from '../types.ts';
import type { ReplayFile } from './group-scanner.ts';
import { JournalReplay } from './journal-replay.ts';
import type { ReplayOutcome } from './journal-replay.ts';
import { rewriteTail } from './rewrite-tail.ts';

export interface RecoverOptions {
  readonly base: EngineBase;
  readonly meta: LocalMetaStore;
  readonly visitor: ReplayVisitor;
  readonly onDamage: (log: LogState, from: number, to: number) => void;
}

export interface Recovered {
  readonly clusterId: Buffer;
  readonly bootId: string | null;
  readonly incarnation: number;
  readonly epoch: number;
  /** Sequence of the newest group. */
  readonly sequence: number;
  readonly nextFileNumber: number;
  readonly cleanStart: boolean;
  /** Journal that the next start would have to replay again. */
  readonly replayedBytes: number;
  /** What the manifest held. */
  readonly start: Pick<ManifestState, 'replay' | 'metaRevision'>;
}

/** Brings the engine's state back from the files of a data folder. Same files, same state. */
export async function recover(options: RecoverOptions): Promise<Recovered> {
  const { fileSystem, folder, files, table, segments, random } = options.base;
  const bootId = (await fileSystem.bootId?.()) ?? null;
  const { state, tornTail } = await loadManifest(options, bootId);
  const names = await fileSystem.list(folder);
  const numbers = numbersOf(names, journalFileNumber);
  const nextFileNumber = Math.max(0, state?.replay.file ?? 0, ...numbers.slice(-1)) + 1;
  if (state === null) {
    await refuseOrphans(options, numbers);
    const clusterId = random.bytes(16);
    const fresh = { clusterId, bootId, incarnation: 1, epoch: 1, sequence: 0, cleanStart: true };
    const replay = { file: nextFileNumber, position: FILE_HEADER_BYTES, sequence: 0 };
    return { ...fresh, nextFileNumber, replayedBytes: 0, start: { replay, metaRevision: 0 } };
  }
  const replayed = await openJournalFiles(options, { numbers, state });
  await openSegments(options, { names, tornTail });
  segments.nextNumber = Math.max(segments.nextNumber, state.nextSegment);
  for (const { log, from, to } of countReferences(table, files, segments)) {
    options.onDamage(log, from, to);
  }
  const outcome = await replay(options, { files: replayed, state });
  const sameBoot = bootId !== null && bootId === state.bootId;
  // What was replayed counts from now on, so it has to survive a power cut from now on.
  const { unproven } = outcome;
  if (unproven !== null && (sameBoot || bootId === null)) await rewriteTail(replayed, unproven);
  for (const { file } of replayed) await file.handle.sync();
  await adoptSpares(options, names);
  const lost = outcome.cut || outcome.damaged;
  // After a crash of the machine (not only of the process), data may be gone that needed no sync to count.
  const cleanStart = !lost && ((state.drained && outcome.groups === 0) || sameBoot);
  return {
    clusterId: Buffer.from(state.clusterId, 'hex'),
    bootId,
    incarnation: state.incarnation + 1,
    epoch: state.epoch + (cleanStart ? 0 : 1),
    sequence: outcome.sequence,
    nextFileNumber,
    cleanStart,
    replayedBytes: outcome.bytes,
    start: { replay: state.replay, metaRevision: state.metaRevision },
  };
}

async function loadManifest(
  options: RecoverOptions,
  bootId: string | null,
): Promise<{ readonly state: ManifestState | null; readonly tornTail: boolean }> {
  const { manifest, table, metaState, snapshots, logger, folder } = options.base;
  const loaded = await manifest.load();
  if (loaded === null) return { state: null, tornTail: false };
  try {
    const loader = new ManifestLoader({ table, metaState, snapshots });
    const state = loader.load(loaded.sections);
    if (state === null) throw new RangeError('the manifest has no state record');
    if (loaded.tornTail) {
      logger.warn('manifest.torn', 'an unfinished checkpoint was ignored', { folder });
    }
    // The cache of a machine that was started anew holds nothing that the disk does not.
    await manifest.secure({ rewrite: bootId === null || bootId === state.bootId });
    return { state, tornTail: loaded.tornTail };
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof SyntaxError)) throw cause;
    const message = `the manifest in ${folder} does not hold what was written; keep a copy of it`;
    throw new LyrebirdError('LB2002', message, { cause });
  }
}

/** A journal without a manifest: not what a crash leaves, so nothing here may be guessed or overwritten. */
async function refuseOrphans(options: RecoverOptions, numbers: readonly number[]): Promise<void> {
  if (numbers.length === 0) return;
  const { folder, manifest } = options.base;
  await manifest.close();
  const message = `the data folder ${folder} has a journal but no manifest; restore it from a copy`;
  throw new LyrebirdError('LB2002', message, { details: { folder } });
}

/** Opens the journal files that are in use; resolves with those to be replayed. */
async function openJournalFiles(
  options: RecoverOptions,
  found: { numbers: readonly number[]; state: ManifestState },
): Promise<ReplayFile[]> {
  const { fileSystem, clock, folder, files, logger } = options.base;
  const { state } = found;
  const known = new Map(state.journal.map((file) => [file.number, file]));
  const replayed: ReplayFile[] = [];
  for (const number of found.numbers) {
    const path = `${folder}/${journalFileName(number)}`;
    const toReplay = number >= state.replay.file;
    if (!toReplay && !known.has(number)) {
      // The manifest needs it no more: freeing it was interrupted.
      if (!(await files.offerSpare(number))) await fileSystem.remove(path);
      continue;
    }
    const handle = await fileSystem.open(path, { create: false });
    const header = Buffer.alloc(FILE_HEADER_BYTES);
    await handle.read(header, FILE_HEADER_BYTES, 0);
    const decoded = decodeFileHeader(header);
    if (decoded === 'too-new') {
      await handle.close();
      throw new LyrebirdError('LB2001', `${path} was written by a newer version`);
    }
    const { createdMs = decoded?.createdMs ?? 0, end = FILE_HEADER_BYTES } =
      known.get(number) ?? {};
    // Nobody knows when what is replayed was appended, but not later than now.
    const writtenMs = toReplay ? clock.wallMs() : (known.get(number)?.writtenMs ?? createdMs);
    const file = newJournalFile(number, handle, { createdMs, writtenMs, end });
    files.adopt(file);
    // Files of earlier starts end where they were found to end then.
    const limit = number < state.openFile ? end : Infinity;
    if (toReplay) replayed.push({ file, limit });
  }
  for (const number of known.keys()) {
    if (files.get(number) !== undefined || number >= state.replay.file) continue;
    logger.error('journal.missing', 'a journal file is missing', { number, folder });
  }
  return replayed;
}

async function openSegments(
  options: RecoverOptions,
  found: { names: readonly string[]; tornTail: boolean },
): Promise<void> {
  const { fileSystem, folder, segments, table, logger } = options.base;
  const used = new Set<number>();
  for (const { extents } of table.values())
    for (const extent of extents ?? []) used.add(extent.file);
  for (const number of numbersOf(found.names, segmentFileNumber)) {
    const path = segments.pathOf(number);
    if (used.has(number)) {
      segments.add(await examineSegment(options, number));
      continue;
    }
    segments.nextNumber = Math.max(segments.nextNumber, number + 1);
    // Settling or freeing it was interrupted. Should the manifest's end have been lost to damage instead, the
    // file may be all that is left of its data: then it is kept out of the way.
    if (!found.tornTail) {
      await fileSystem.remove(path);
      continue;
    }
    await fileSystem.rename(path, `${folder}/unused-segment-${number}`);
    logger.warn('segment.unused', 'a segment that no log refers to was put aside', { path });
  }
}

async function examineSegment(
  options: RecoverOptions,
  number: number,
): Promise<{ number: number; bytes: number; writtenMs: number }> {
  const { fileSystem, segments, clock } = options.base;
  const handle = await fileSystem.open(segments.pathOf(number), { create: false });
  try {
    const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
    await handle.read(header, SEGMENT_HEADER_BYTES, 0);
    const writtenMs = decodeWrittenMs(header) ?? clock.wallMs();
    return { number, bytes: await handle.size(), writtenMs };
  } finally {
    await handle.close();
  }
}

function replay(
  options: RecoverOptions,
  from: { files: readonly ReplayFile[]; state: ManifestState },
): Promise<ReplayOutcome> {
  const { table, publisher, logger, trimmer } = options.base;
  const { visitor, meta, onDamage } = options;
  const { file: fileNumber, position, sequence } = from.state.replay;
  const journalReplay = new JournalReplay({
    table,
    publisher,
    logger,
    visitor,
    onTrim: (log, before) => void trimmer.trim(log, before),
    onMeta: (txn) => meta.replay(txn),
    onDamage,
  });
  return journalReplay.run(from.files, { fileNumber, position, sequence });
}

/** Takes back the files that were kept for reuse. */
async function adoptSpares(options: RecoverOptions, names: readonly string[]): Promise<void> {
  const { fileSystem, folder, files } = options.base;
  for (const name of names) {
    if (!name.startsWith('spare-')) continue;
    const path = `${folder}/${name}`;
    if (!files.offerRecycled(path)) await fileSystem.remove(path);
  }
}

function numbersOf(
  names: readonly string[],
  parse: (name: string) => number | null,
): readonly number[] {
  const numbers: number[] = [];
  for (const name of names) {
    const number = parse(name);
    if (number !== null) numbers.push(number);
  }
  return numbers.sort((a, b) => a - b);
}
