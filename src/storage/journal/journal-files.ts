import assert from 'node:assert/strict';
import type { Clock } from '../../base/clock.ts';
import { journalSourceKey, whenUnused } from '../cache/block-cache.ts';
import type { ColdSource } from '../cache/block-cache.ts';
import type { FileHandle, FileSystem } from '../file-system.ts';
import { FILE_HEADER_BYTES, encodeFileHeader } from './format.ts';

/** One file of the journal that is in use. */
export interface JournalFile extends ColdSource {
  readonly number: number;
  readonly createdMs: number;
  /** When it was written last. */
  writtenMs: number;
  /** Position after the last group that counts. */
  end: number;
  /** Bytes of committed batches in here that some log still has. */
  liveBytes: number;
  /** Index entries that refer to it. */
  runs: number;
}

export interface JournalFilesOptions {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly folder: string;
  /** Freed files kept for the next roll. */
  readonly recycledFilesMax: number;
}

export function newJournalFile(
  number: number,
  handle: FileHandle,
  facts: { createdMs: number; writtenMs: number; end: number },
): JournalFile {
  const { createdMs, writtenMs, end } = facts;
  const key = journalSourceKey(number);
  return {
    number,
    key,
    handle,
    createdMs,
    writtenMs,
    end,
    liveBytes: 0,
    runs: 0,
    readsInFlight: 0,
    onUnused: null,
  };
}

const NAME = /^journal-(\d{10})$/;

export const journalFileName = (number: number): string =>
  `journal-${String(number).padStart(10, '0')}`;

/** The number of a journal file's name, or null. */
export function journalFileNumber(name: string): number | null {
  const match = NAME.exec(name);
  return match === null ? null : Number(match[1]);
}

/** The journal's files: makes the next one in advance, finds one by number, takes back freed ones. */
export class JournalFiles {
  private readonly options: JournalFilesOptions;
  private readonly files: Map<number, JournalFile>;
  /** Files on their way to exist, by number. */
  private readonly preparing: Map<number, Promise<JournalFile>>;
  private readonly recycled: string[];
  private identity: { readonly clusterId: Buffer; readonly incarnation: number } | null;

  constructor(options: JournalFilesOptions) {
    this.options = options;
    this.files = new Map();
    this.preparing = new Map();
    this.recycled = [];
    this.identity = null;
  }

  /** What new files are marked with. To be called before the first one is made. */
  identify(clusterId: Buffer, incarnation: number): void {
    this.identity = { clusterId, incarnation };
  }

  /** In number order. */
  list(): JournalFile[] {
    return [...this.files.values()].sort((a, b) => a.number - b.number);
  }

  /** In no particular order. */
  all(): IterableIterator<JournalFile> {
    return this.files.values();
  }

  get(number: number): JournalFile | undefined {
    return this.files.get(number);
  }

  /** Takes over a file that recovery has read. */
  adopt(file: JournalFile): void {
    this.files.set(file.number, file);
  }

  /** A file kept for reuse, by path; false when there are enough. */
  offerRecycled(path: string): boolean {
    if (this.recycled.length >= this.options.recycledFilesMax) return false;
    this.recycled.push(path);
    return true;
  }

  /** Keeps a journal file that is not in use for reuse; false when there are enough. */
  async offerSpare(number: number): Promise<boolean> {
    if (this.recycled.length >= this.options.recycledFilesMax) return false;
    const spare = `${this.options.folder}/spare-${String(number).padStart(10, '0')}`;
    await this.options.fileSystem.rename(this.pathOf(number), spare);
    this.recycled.push(spare);
    return true;
  }

  /** The file with that number, made when it is missing; it may be asked for in advance. */
  prepare(number: number): Promise<JournalFile> {
    const existing = this.files.get(number);
    if (existing !== undefined) return Promise.resolve(existing);
    let pending = this.preparing.get(number);
    if (pending === undefined) {
      pending = this.create(number);
      // Whoever needs the file awaits the promise and sees the error; then it may be tried again.
      pending.catch(() => this.preparing.delete(number));
      this.preparing.set(number, pending);
    }
    return pending;
  }

  /** Forgets a file and keeps it for reuse, or deletes it. */
  async free(number: number): Promise<void> {
    const file = this.files.get(number);
    if (file === undefined) return;
    this.files.delete(number);
    await whenUnused(file);
    await file.handle.close();
    if (await this.offerSpare(number)) return;
    await this.options.fileSystem.remove(this.pathOf(number));
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.preparing.values());
    const open = [...this.files.values()];
    this.files.clear();
    for (const file of open) {
      await whenUnused(file);
      await file.handle.close();
    }
  }

  private async create(number: number): Promise<JournalFile> {
    const { fileSystem, folder, clock } = this.options;
    assert(this.identity !== null, 'the journal knows whose it is');
    const path = this.pathOf(number);
    const spare = this.recycled.pop();
    if (spare !== undefined) await fileSystem.rename(spare, path);
    const handle = await fileSystem.open(path, { create: true });
    const createdMs = clock.wallMs();
    const header = encodeFileHeader({ ...this.identity, fileNumber: number, createdMs });
    await handle.write([header], 0);
    await handle.sync();
    await fileSystem.syncDirectory(folder);
    const file = newJournalFile(number, handle, {
      createdMs,
      writtenMs: createdMs,
      end: FILE_HEADER_BYTES,
    });
    this.files.set(number, file);
    this.preparing.delete(number);
    return file;
  }

  private pathOf(number: number): string {
    return `${this.options.folder}/${journalFileName(number)}`;
  }
}
