import type { Clock } from '../../base/clock.ts';
import type { ColdSource } from '../cache/block-cache.ts';
import type { FileHandle } from '../file-system.ts';
import { ExtentBuilder } from './extent-builder.ts';
import type { WrittenExtent } from './extent-builder.ts';
import { LocationHeap } from './location-heap.ts';
import { SEGMENT_HEADER_BYTES, encodeFooter, encodeSparseIndex } from './segment-format.ts';
import { bufferBytesOf } from './settle-plan.ts';
import type { PlannedFile } from './settle-plan.ts';
import { SourceReader } from './source-reader.ts';

export interface SegmentWriterOptions {
  readonly clock: Clock;
  /** Where runs are read from. */
  readonly sourceOf: (file: number) => ColdSource | undefined;
  /** Asked between steps: true to give up. */
  readonly aborted: () => boolean;
}

/** A segment file in the making: open, with its header. */
export interface OpenSegment {
  readonly number: number;
  readonly handle: FileHandle;
  readonly planned: PlannedFile;
}

/** One extent on its way to its file: what was copied and not written yet lies in a piece of the arena. */
interface Output {
  readonly builder: ExtentBuilder;
  readonly handle: FileHandle;
  readonly start: number;
  readonly size: number;
  used: number;
  /** Where in the file that goes. */
  position: number;
  /** Of the next run. */
  location: number;
}

/** Written bytes after which the files are synced: less at once keeps the journal's own syncs from waiting long. */
const SYNC_BYTES = 16 << 20;
/** Bytes checked before the event loop gets its turn. */
const BYTES_PER_TURN = 1 << 20;

/**
 * Copies runs into segment files, sorted by log, and checks every batch on the way. The sources are read once, in
 * their own order; each extent collects its runs until a piece of some size can be written.
 */
export class SegmentWriter {
  private readonly options: SegmentWriterOptions;
  private readonly reader: SourceReader;
  private arena: Buffer;
  private sinceTurn: number;
  private sinceSync: number;

  constructor(options: SegmentWriterOptions) {
    this.options = options;
    this.reader = new SourceReader(options.sourceOf);
    this.arena = Buffer.alloc(0);
    this.sinceTurn = 0;
    this.sinceSync = 0;
  }

  /** Writes everything but the headers; resolves, per file, with its extents and size. Not yet synced. */
  async write(
    files: readonly OpenSegment[],
  ): Promise<{ readonly extents: readonly WrittenExtent[]; readonly bytes: number }[]> {
    const { outputs, ends } = this.prepare(files);
    const heap = new LocationHeap(outputs);
    let output = heap.first;
    while (output !== undefined) {
      await this.copyRun(output);
      const { builder } = output;
      if (builder.done) {
        await this.flush(output);
        heap.dropFirst();
      } else {
        output.location = builder.location;
        heap.moved();
      }
      if (this.sinceSync >= SYNC_BYTES) await this.sync(files);
      output = heap.first;
    }
    const written = [];
    let first = 0;
    for (const [i, file] of files.entries()) {
      const end = first + file.planned.length;
      const builders = outputs.slice(first, end).map(({ builder }) => builder);
      written.push(await finish(file, builders, ends[i]!));
      first = end;
    }
    return written;
  }

  /** Lays out the files; also says where their data ends. */
  private prepare(files: readonly OpenSegment[]): { outputs: Output[]; ends: number[] } {
    const outputs: Output[] = [];
    const ends: number[] = [];
    let start = 0;
    for (const { handle, planned } of files) {
      let position = SEGMENT_HEADER_BYTES;
      for (const extent of planned) {
        const builder = new ExtentBuilder(extent, position);
        const size = bufferBytesOf(extent);
        const { location } = builder;
        outputs.push({ builder, handle, start, size, used: 0, position, location });
        start += size;
        position += extent.bytes;
      }
      ends.push(position);
    }
    if (this.arena.length < start) this.arena = Buffer.allocUnsafeSlow(start);
    return { outputs, ends };
  }

  private async copyRun(output: Output): Promise<void> {
    const { builder, location } = output;
    const { bytes } = builder;
    if (!this.reader.has(location, bytes)) {
      if (this.options.aborted()) throw new Error('settling was given up');
      await this.reader.load(location, bytes);
    }
    if (output.used + bytes > output.size) await this.flush(output);
    if (bytes > output.size) {
      await this.writeAlone(output, bytes);
    } else {
      const at = output.start + output.used;
      this.reader.copy(location, bytes, this.arena, at);
      builder.checkRun(this.arena, at, output.position - output.start);
      output.used += bytes;
    }
    this.sinceTurn += bytes;
    if (this.sinceTurn >= BYTES_PER_TURN) await this.nextTurn();
  }

  /** A run that is larger than what its extent collects. */
  private async writeAlone(output: Output, bytes: number): Promise<void> {
    const run = Buffer.allocUnsafeSlow(bytes);
    this.reader.copy(output.location, bytes, run, 0);
    output.builder.checkRun(run, 0, output.position);
    await output.handle.write([run], output.position);
    output.position += bytes;
    this.sinceSync += bytes;
  }

  private async flush(output: Output): Promise<void> {
    const { handle, start, used, position } = output;
    if (used === 0) return;
    await handle.write([this.arena.subarray(start, start + used)], position);
    output.position += used;
    output.used = 0;
    this.sinceSync += used;
  }

  private async sync(files: readonly OpenSegment[]): Promise<void> {
    this.sinceSync = 0;
    for (const { handle } of files) await handle.sync();
  }

  private nextTurn(): Promise<void> {
    this.sinceTurn = 0;
    return new Promise((resolve) => {
      this.options.clock.defer(resolve);
    });
  }
}

/** Writes indexes and footer behind the data. */
async function finish(
  file: OpenSegment,
  builders: readonly ExtentBuilder[],
  dataEnd: number,
): Promise<{ readonly extents: readonly WrittenExtent[]; readonly bytes: number }> {
  const extents: WrittenExtent[] = [];
  const tail: Buffer[] = [];
  let at = dataEnd;
  for (const builder of builders) {
    const index = encodeSparseIndex(builder.sparse);
    const place = { file: file.number, indexPosition: at, indexBytes: index.length };
    extents.push(builder.finish(place));
    tail.push(index);
    at += index.length;
  }
  const footer = encodeFooter(
    extents.map(({ planned, extent }) => ({ log: planned.log.id, extent })),
  );
  tail.push(footer);
  await file.handle.write([Buffer.concat(tail)], dataEnd);
  return { extents, bytes: at + footer.length };
}
