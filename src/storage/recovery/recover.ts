import { LyrebirdError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { FileSystem } from '../file-system.ts';
import type { LogState } from '../index/log-state.ts';
import type { LogTable } from '../index/log-table.ts';
import { FILE_HEADER_BYTES, decodeFileHeader } from '../journal/format.ts';
import { journalFileName, journalFileNumber, newJournalFile } from '../journal/journal-files.ts';
import type { JournalFiles } from '../journal/journal-files.ts';
import type { LocalMetaStore } from '../local-meta-store.ts';
import type { LogTrimmer } from '../log-trimmer.ts';
import type { Publisher } from '../publisher.ts';
import type { ReplayVisitor } from '../types.ts';
import { JournalReplay } from './journal-replay.ts';

export interface RecoverOptions {
  readonly fileSystem: FileSystem;
  readonly logger: Logger;
  readonly random: Random;
  readonly folder: string;
  readonly table: LogTable;
  readonly meta: LocalMetaStore;
  readonly files: JournalFiles;
  readonly publisher: Publisher;
  readonly trimmer: LogTrimmer;
  readonly visitor: ReplayVisitor;
  readonly onDamage: (log: LogState, from: number, to: number) => void;
}

export interface Recovered {
  readonly clusterId: Buffer;
  readonly incarnation: number;
  readonly sequence: number;
  readonly nextFileNumber: number;
  readonly cleanStart: boolean;
}

/** Brings the engine's state back from the files of a data folder. */
export async function recover(options: RecoverOptions): Promise<Recovered> {
  const { fileSystem, folder, logger, random, table, files, publisher, trimmer } = options;
  const names = await fileSystem.list(folder);
  const numbers: number[] = [];
  for (const name of names) {
    const number = journalFileNumber(name);
    if (number !== null) numbers.push(number);
  }
  numbers.sort((a, b) => a - b);
  let clusterId: Buffer | null = null;
  let incarnation = 1;
  const found = [];
  for (const number of numbers) {
    const handle = await fileSystem.open(`${folder}/${journalFileName(number)}`, { create: false });
    const bytes = Buffer.alloc(FILE_HEADER_BYTES);
    await handle.read(bytes, FILE_HEADER_BYTES, 0);
    const header = decodeFileHeader(bytes);
    if (header === 'too-new')
      throw new LyrebirdError('LB2001', 'the journal is of a newer version');
    if (header !== null) {
      clusterId = header.clusterId;
      incarnation = header.incarnation + 1;
    }
    const createdMs = header?.createdMs ?? 0;
    found.push(newJournalFile(number, handle, { createdMs, end: FILE_HEADER_BYTES }));
  }
  clusterId ??= random.bytes(16);
  files.identify(clusterId, incarnation);
  for (const file of found) files.adopt(file);
  const replay = new JournalReplay({
    table,
    publisher,
    logger,
    visitor: options.visitor,
    onTrim: (log, before) => void trimmer.trim(log, before),
    onMeta: (txn) => options.meta.replay(txn),
    onDamage: options.onDamage,
  });
  const first = numbers[0] ?? 1;
  const outcome = await replay.run(found, {
    fileNumber: first,
    position: FILE_HEADER_BYTES,
    sequence: 0,
  });
  const nextFileNumber = (numbers[numbers.length - 1] ?? 0) + 1;
  const { sequence, cut, damaged } = outcome;
  const cleanStart = !cut && !damaged;
  return { clusterId, incarnation, sequence, nextFileNumber, cleanStart };
}
