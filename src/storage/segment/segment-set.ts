import { segmentSourceKey, endRead, whenUnused } from '../cache/block-cache.ts';
import type { ColdSource } from '../cache/block-cache.ts';
import type { FileHandle, FileSystem } from '../file-system.ts';
import type { Extent } from './extent.ts';
import { decodeSparseIndex, segmentFileName } from './segment-format.ts';
import type { SparseIndex } from './segment-format.ts';

interface SegmentFile {
  readonly number: number;
  readonly bytes: number;
  /** Nothing in it was appended later than this. */
  readonly writtenMs: number;
  /** Extents that logs have in it. */
  references: number;
  /** What those take in the file, with their indexes. */
  liveBytes: number;
  /** Its index could not be read: it stays as it is until no log needs it. */
  unreadable: boolean;
  /** Open while it is read, up to a limit of files. */
  source: ColdSource | null;
}

export interface SegmentSetOptions {
  readonly fileSystem: FileSystem;
  readonly folder: string;
  /** Segment files kept open. */
  readonly openFilesMax: number;
  /** Memory for sparse indexes. */
  readonly indexBytesMax: number;
}

/** Where a read of an extent begins: a batch and its offset. */
export interface SeekResult {
  readonly source: ColdSource;
  readonly position: number;
  readonly offset: number;
}

/** The segment files in use: opens them, finds batches in their extents, forgets those that no log needs. */
export class SegmentSet {
  /** Number of the next file to be made. */
  nextNumber: number;
  private readonly options: SegmentSetOptions;
  private readonly files: Map<number, SegmentFile>;
  /** In the order of last use. */
  private readonly openFiles: Map<number, SegmentFile>;
  private readonly indexes: Map<string, SparseIndex>;
  private indexBytes: number;

  constructor(options: SegmentSetOptions) {
    this.nextNumber = 1;
    this.options = options;
    this.files = new Map();
    this.openFiles = new Map();
    this.indexes = new Map();
    this.indexBytes = 0;
  }

  get count(): number {
    return this.files.size;
  }

  get bytes(): number {
    let total = 0;
    for (const file of this.files.values()) total += file.bytes;
    return total;
  }

  has(number: number): boolean {
    return this.files.has(number);
  }

  pathOf(number: number): string {
    return `${this.options.folder}/${segmentFileName(number)}`;
  }

  /** A file that exists; it lives as long as extents refer to it. */
  add(segment: { number: number; bytes: number; writtenMs: number }): void {
    const { number, bytes, writtenMs } = segment;
    const empty = { references: 0, liveBytes: 0, unreadable: false, source: null };
    this.files.set(number, { number, bytes, writtenMs, ...empty });
    if (number >= this.nextNumber) this.nextNumber = number + 1;
  }

  addReference(extent: Extent): void {
    const file = this.files.get(extent.file);
    if (file === undefined) return;
    file.references++;
    file.liveBytes += extent.bytes + extent.indexBytes;
  }

  /** A log needs the extent no more. */
  release(extent: Extent): void {
    const file = this.files.get(extent.file);
    if (file === undefined) return;
    file.references--;
    file.liveBytes -= extent.bytes + extent.indexBytes;
  }

  /** Files that no log refers to. */
  dead(): number[] {
    const numbers: number[] = [];
    for (const file of this.files.values()) if (file.references === 0) numbers.push(file.number);
    return numbers;
  }

  /** When the newest data of a file was appended, at the latest; null when the file is gone. */
  writtenMs(number: number): number | null {
    return this.files.get(number)?.writtenMs ?? null;
  }

  /** Files of which less than that share is needed, emptiest first, with about so many needed bytes together. */
  sparse(liveShare: number, bytesMax: number): number[] {
    const wasteful = [...this.files.values()].filter(
      ({ references, liveBytes, bytes, unreadable }) =>
        references > 0 && !unreadable && liveBytes < bytes * liveShare,
    );
    wasteful.sort((a, b) => a.liveBytes / a.bytes - b.liveBytes / b.bytes);
    const numbers: number[] = [];
    let bytes = 0;
    for (const file of wasteful) {
      if (numbers.length > 0 && bytes + file.liveBytes > bytesMax) break;
      numbers.push(file.number);
      bytes += file.liveBytes;
    }
    return numbers;
  }

  leaveAlone(number: number): void {
    const file = this.files.get(number);
    if (file !== undefined) file.unreadable = true;
  }

  /** Deletes a file. */
  async free(number: number): Promise<void> {
    const file = this.files.get(number);
    if (file === undefined) return;
    this.files.delete(number);
    await this.closeFile(file);
    await this.options.fileSystem.remove(this.pathOf(number));
  }

  /** Where to look for the batch with that offset: at a batch at or before it. */
  async seek(extent: Extent, offset: number): Promise<SeekResult> {
    const { source, index } = await this.load(extent);
    if (index === null) return { source, position: extent.position, offset: extent.baseOffset };
    const entry = findEntry(index, offset);
    return { source, position: index[entry * 3 + 1]!, offset: index[entry * 3]! };
  }

  /** The first offset after the given one at which the index names a batch; the extent's end when none follows. */
  async nextKnownOffset(extent: Extent, offset: number): Promise<number> {
    const { index } = await this.load(extent);
    if (index === null) return extent.endOffset;
    const next = findEntry(index, offset) + 1;
    return next * 3 < index.length ? index[next * 3]! : extent.endOffset;
  }

  /** An offset at or before the first batch from `from` on whose max timestamp is at or after the given one. */
  async seekTime(extent: Extent, timestamp: number, from: number): Promise<number | null> {
    const { index } = await this.load(extent);
    if (index === null) return Math.max(extent.baseOffset, from);
    for (let entry = findEntry(index, from); entry * 3 < index.length; entry++) {
      if (index[entry * 3 + 2]! >= timestamp) return Math.max(index[entry * 3]!, from);
    }
    return null;
  }

  async close(): Promise<void> {
    for (const file of this.openFiles.values()) await this.closeFile(file);
    this.files.clear();
  }

  /** An extent's file and sparse index; the index is null when it cannot be read. */
  async load(extent: Extent): Promise<{ source: ColdSource; index: SparseIndex | null }> {
    const source = await this.open(extent.file);
    const key = `${extent.file}/${extent.indexPosition}`;
    let index = this.indexes.get(key) ?? null;
    if (index !== null) {
      this.indexes.delete(key);
      this.indexes.set(key, index);
      return { source, index };
    }
    const bytes = Buffer.allocUnsafe(extent.indexBytes);
    index = (await readFully(source, bytes, extent.indexPosition))
      ? decodeSparseIndex(bytes)
      : null;
    if (index !== null) this.keepIndex(key, index);
    return { source, index };
  }

  private keepIndex(key: string, index: SparseIndex): void {
    if (this.indexes.has(key)) return;
    this.indexes.set(key, index);
    this.indexBytes += index.byteLength;
    for (const [oldest, old] of this.indexes) {
      if (this.indexBytes <= this.options.indexBytesMax) break;
      this.indexes.delete(oldest);
      this.indexBytes -= old.byteLength;
    }
  }

  private async open(number: number): Promise<ColdSource> {
    const file = this.files.get(number);
    if (file === undefined) throw new Error(`segment file ${number} is gone`);
    if (file.source === null) {
      const path = this.pathOf(number);
      const handle = await this.options.fileSystem.open(path, { create: false });
      // Somebody else may have opened or freed it meanwhile.
      if (file.source !== null || this.files.get(number) !== file) await handle.close();
      if (this.files.get(number) !== file) throw new Error(`segment file ${number} is gone`);
      file.source ??= newSource(number, handle);
    }
    this.openFiles.delete(number);
    this.openFiles.set(number, file);
    if (this.openFiles.size > this.options.openFilesMax) this.closeOldest();
    return file.source;
  }

  private closeOldest(): void {
    for (const file of this.openFiles.values()) {
      if (file.source !== null && file.source.readsInFlight > 0) continue;
      void this.closeFile(file).catch(() => {}); // closing a file that was only read loses nothing
      return;
    }
  }

  private async closeFile(file: SegmentFile): Promise<void> {
    const { source } = file;
    file.source = null;
    this.openFiles.delete(file.number);
    if (source === null) return;
    await whenUnused(source);
    await source.handle.close();
  }
}

/** False when the bytes cannot be read: without its index, an extent is walked from its beginning. */
async function readFully(source: ColdSource, into: Buffer, position: number): Promise<boolean> {
  source.readsInFlight++;
  try {
    return (await source.handle.read(into, into.length, position)) === into.length;
  } catch {
    return false;
  } finally {
    endRead(source);
  }
}

function newSource(number: number, handle: FileHandle): ColdSource {
  return { key: segmentSourceKey(number), handle, readsInFlight: 0, onUnused: null };
}

/** The last entry at or before the offset; the first when all are after it. */
function findEntry(index: SparseIndex, offset: number): number {
  let low = 0;
  let high = index.length / 3;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (index[middle * 3]! <= offset) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}
