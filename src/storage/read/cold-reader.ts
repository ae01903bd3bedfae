import { BATCH_HEADER_BYTES, batchBaseOffset, batchTotalBytes } from '../../base/record-batch.ts';
import { LyrebirdError } from '../../base/errors.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Block } from '../cache/block.ts';
import type { BlockCache, ColdSource } from '../cache/block-cache.ts';
import type { ReadBudget } from '../cache/read-budget.ts';
import type { TailCache } from '../cache/tail-cache.ts';
import { stampBatches } from '../index/batch-walk.ts';
import { damageAt } from '../index/damage.ts';
import type { LogState } from '../index/log-state.ts';
import { RUN_SHARED } from '../index/run-index.ts';
import { locationFile, locationOf, locationPosition } from '../journal/format.ts';
import type { JournalFiles } from '../journal/journal-files.ts';
import type { Extent } from '../segment/extent.ts';
import type { SegmentSet } from '../segment/segment-set.ts';
import type { ReadResult } from '../types.ts';
import { lonelyRuns, readLonelyRuns } from './lonely-runs.ts';
import type { LonelyRun } from './lonely-runs.ts';
import { collectStored, damageEnd, isHeaderSound } from './batch-collector.ts';
import type { FileCursor, ReadTarget } from './batch-collector.ts';

export interface ColdReaderOptions {
  readonly blocks: BlockCache;
  readonly budget: ReadBudget;
  readonly cache: TailCache;
  readonly journalFiles: JournalFiles;
  readonly segments: SegmentSet;
  readonly logger: Logger;
  /** Stored bytes are not what was written: offsets [from, to) of the log cannot be read. */
  readonly onDamage: (log: LogState, from: number, to: number) => void;
  /** The engine was closed, and its files with it. */
  readonly closed: () => boolean;
}

/** A contiguous piece of one log in a file, from a batch on. */
interface Piece {
  readonly source: ColdSource;
  readonly position: number;
  readonly end: number;
  readonly baseOffset: number;
  readonly endOffset: number;
  /** Location of byte 0 of the file: for a segment one that no journal file has. */
  readonly origin: number;
  /** The extent it is of, when it is settled. */
  readonly extent: Extent | null;
  /** The stored body carries another log's offsets: these are to be stamped on a copy. Else null. */
  readonly restamp: { readonly epoch: number } | null;
}

const RETRIES_MAX = 3;

/** Reads what memory does not have, from journal and segment files, through the block cache. */
export class ColdReader {
  private readonly options: ColdReaderOptions;
  private inFlight: number;
  private onIdle: (() => void) | null;

  constructor(options: ColdReaderOptions) {
    this.options = options;
    this.inFlight = 0;
    this.onIdle = null;
  }

  /** Resolves when no read is in flight. */
  idle(): Promise<void> {
    if (this.inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.onIdle = resolve;
    });
  }

  /** Rejects with LB2005 when the engine is closed before the data is there. */
  async read(log: LogState, target: ReadTarget): Promise<ReadResult> {
    this.inFlight++;
    const { budget, blocks } = this.options;
    // Its first and its last block are rarely wanted as a whole.
    const bytes = target.bytesMax + 2 * blocks.blockBytes;
    const turn = budget.begin(bytes);
    try {
      if (turn !== null) await turn;
      return await this.readWithRetries(log, target);
    } finally {
      budget.end(bytes);
      this.inFlight--;
      if (this.inFlight === 0) this.onIdle?.();
    }
  }

  private async readWithRetries(log: LogState, target: ReadTarget): Promise<ReadResult> {
    const { offset } = target;
    for (let attempt = 1; ; attempt++) {
      const retained: Block[] = [];
      try {
        return await this.tryRead(log, target, retained);
      } catch (error) {
        // A file may be freed while a read waits for it: what it held is elsewhere by now, or trimmed.
        if (this.options.closed()) throw closedError();
        if (attempt === RETRIES_MAX) return this.unreadable(log, offset, error);
        target.slices.length = 0;
        target.bytes = 0;
        target.offset = offset;
      } finally {
        for (const block of retained) block.release();
      }
    }
  }

  private async tryRead(log: LogState, target: ReadTarget, retained: Block[]): Promise<ReadResult> {
    const from = target.offset;
    const sequential = log.hintOffset === from;
    while (target.offset < target.endOffset && target.signal?.aborted !== true) {
      if (from < log.start) {
        return { status: 'out-of-range', start: log.start, committedEnd: log.committedEnd };
      }
      const lonely = this.findLonely(log, target);
      if (lonely.length > 0) {
        if (await this.readLonely(log, target, lonely)) continue;
        break;
      }
      // Settling may move the log's data between two pieces: each is looked up when it is its turn.
      const piece = await this.locate(log, target.offset, target.slices.length > 0);
      if (piece === null) break;
      const more =
        piece.restamp === null
          ? await this.readPiece(log, piece, target, retained)
          : await this.readRestamped(log, piece, target);
      if (!more) break;
      target.offset = piece.endOffset;
      if (sequential) this.readAhead(piece);
    }
    if (target.slices.length === 0 && log.damage !== null) {
      const damage = damageAt(log.damage, from);
      if (damage !== null) return { status: 'corrupt', resumeOffset: damage.to };
    }
    return { status: 'ok', slices: target.slices, bytes: target.bytes };
  }

  /** The next runs, when they lie so far apart that each is read on its own. */
  private findLonely(log: LogState, target: ReadTarget): readonly LonelyRun[] {
    const { journalFiles, cache, blocks } = this.options;
    const { runs } = log;
    if (runs === null || runs.length === 0 || target.offset < runs.baseOffset(0)) return [];
    const first = runs.find(target.offset);
    if (first === runs.length) return [];
    const location = runs.location(first);
    const file = journalFiles.get(locationFile(location));
    if (file === undefined || cache.find(location) !== null) return [];
    if (blocks.has(file, Math.floor(locationPosition(location) / blocks.blockBytes))) return [];
    const { blockBytes } = blocks;
    return lonelyRuns(runs, first, { bytesMax: target.bytesMax - target.bytes, blockBytes });
  }

  /** Collects from such runs; true when the read may go on. */
  private async readLonely(
    log: LogState,
    target: ReadTarget,
    lonely: readonly LonelyRun[],
  ): Promise<boolean> {
    const { journalFiles, onDamage } = this.options;
    const buffer = await readLonelyRuns(journalFiles, lonely);
    for (const { start, end, baseOffset, endOffset } of lonely) {
      const cursor = { position: start, offset: baseOffset };
      const outcome = collectStored(target, cursor, buffer, start, end, null);
      if (outcome === 'full') return false;
      if (outcome !== 'end') {
        const { offset, position } = cursor;
        const room = end - position;
        const to = damageEnd(buffer, position, { offset, pieceEndOffset: endOffset, room });
        onDamage(log, offset, to);
        return false;
      }
      target.offset = endOffset;
    }
    return true;
  }

  /** Where the batch with that offset lies; null at the end, and when the rest had better come from memory. */
  private async locate(log: LogState, offset: number, started: boolean): Promise<Piece | null> {
    const { journalFiles, segments, cache } = this.options;
    const { runs, extents } = log;
    if (runs !== null && runs.length > 0 && offset >= runs.baseOffset(0)) {
      const run = runs.find(offset);
      if (run === runs.length) return null;
      const location = runs.location(run);
      if (started && cache.find(location) !== null) return null;
      const source = journalFiles.get(locationFile(location));
      if (source === undefined) throw new Error('a journal file is gone');
      const position = locationPosition(location);
      const shared = (runs.flags(run) & RUN_SHARED) !== 0;
      return {
        source,
        position,
        end: position + runs.bytes(run),
        baseOffset: runs.baseOffset(run),
        endOffset: runs.endOffset(run),
        origin: location - position,
        extent: null,
        restamp: shared ? { epoch: runs.sharedEpoch(run) } : null,
      };
    }
    const extent = extents?.find((candidate) => candidate.endOffset > offset);
    if (extent === undefined) return null;
    const start = await segments.seek(extent, offset);
    return {
      source: start.source,
      position: start.position,
      end: extent.position + extent.bytes,
      baseOffset: start.offset,
      endOffset: extent.endOffset,
      origin: -locationOf(extent.file + 1, 0),
      extent,
      restamp: null,
    };
  }

  /** Collects from a piece; true when the read may go on with the next one. */
  private async readPiece(
    log: LogState,
    piece: Piece,
    target: ReadTarget,
    retained: Block[],
  ): Promise<boolean> {
    const { blocks } = this.options;
    const { blockBytes } = blocks;
    const sequential = log.hintOffset === target.offset;
    const cursor = cursorInto(piece, log, target);
    while (cursor.position < piece.end) {
      const index = Math.floor(cursor.position / blockBytes);
      const origin = index * blockBytes;
      const end = Math.min(piece.end - origin, blockBytes);
      const block = await blocks.load(piece.source, index, end);
      retained.push(block);
      const start = cursor.position - origin;
      const have = Math.min(end, block.used);
      let outcome = collectStored(target, cursor, block.buffer, start, have, block);
      if (outcome === 'cut') {
        const batch = await this.readStraddling(piece, cursor);
        if (batch === null) outcome = 'damaged';
        else outcome = collectStored(target, cursor, batch, 0, batch.length, null);
      }
      if (outcome === 'end' && have === end) continue;
      if (outcome === 'full') {
        log.hintOffset = cursor.offset;
        log.hintLocation = piece.origin + cursor.position;
        if (sequential) blocks.prefetch(piece.source, index + 1);
      } else {
        const header = block.buffer.subarray(0, have);
        await this.reportDamage(log, piece, cursor, header);
      }
      return false;
    }
    return true;
  }

  /** The batch at the cursor is not as it was written; its block lies in the buffer as far as it could be read. */
  private async reportDamage(
    log: LogState,
    piece: Piece,
    cursor: FileCursor,
    block: Buffer,
  ): Promise<void> {
    const { offset, position } = cursor;
    const { endOffset: pieceEndOffset, extent } = piece;
    const at = position % this.options.blocks.blockBytes;
    let to = damageEnd(block, at, { offset, pieceEndOffset, room: piece.end - position });
    if (to === pieceEndOffset && extent !== null) {
      // Where its header cannot be believed, the sparse index knows a batch behind it.
      to = await this.options.segments.nextKnownOffset(extent, offset);
    }
    this.options.onDamage(log, offset, to);
  }

  /** The one batch at the cursor, which ends in a later block; null when its header cannot be believed. */
  private async readStraddling(piece: Piece, cursor: FileCursor): Promise<Buffer | null> {
    const room = piece.end - cursor.position;
    if (room < BATCH_HEADER_BYTES) return null;
    const header = Buffer.allocUnsafe(BATCH_HEADER_BYTES);
    await this.copyOut(piece.source, cursor.position, header);
    if (!isHeaderSound(header, 0, cursor.offset) || batchTotalBytes(header, 0) > room) return null;
    const batch = Buffer.allocUnsafeSlow(batchTotalBytes(header, 0));
    await this.copyOut(piece.source, cursor.position, batch);
    return batch;
  }

  /** Collects from a shared body: a copy with the log's own offsets. */
  private async readRestamped(log: LogState, piece: Piece, target: ReadTarget): Promise<boolean> {
    const copy = Buffer.allocUnsafeSlow(piece.end - piece.position);
    await this.copyOut(piece.source, piece.position, copy);
    const body: ReadTarget = { ...target, offset: 0, endOffset: Infinity, bytes: 0, slices: [] };
    const stored = { position: 0, offset: batchBaseOffset(copy, 0) };
    const all = { ...body, bytesMax: Infinity };
    if (collectStored(all, stored, copy, 0, copy.length, null) !== 'end') {
      this.options.onDamage(log, piece.baseOffset, piece.endOffset);
      return false;
    }
    stampBatches(copy, 0, copy.length, piece.baseOffset, piece.restamp!.epoch);
    const own = { position: 0, offset: piece.baseOffset };
    return collectStored(target, own, copy, 0, copy.length, null) === 'end';
  }

  /** Fills out from a position of a file, through the block cache. */
  private async copyOut(source: ColdSource, position: number, out: Buffer): Promise<void> {
    const { blocks } = this.options;
    const { blockBytes } = blocks;
    let done = 0;
    while (done < out.length) {
      const index = Math.floor((position + done) / blockBytes);
      const start = position + done - index * blockBytes;
      const bytes = Math.min(out.length - done, blockBytes - start);
      const block = await blocks.load(source, index, start + bytes);
      // What a file that became shorter lacks is zero: no batch, so its reader finds it damaged.
      const have = Math.max(0, Math.min(bytes, block.used - start));
      block.buffer.copy(out, done, start, start + have);
      if (have < bytes) out.fill(0, done + have, done + bytes);
      block.release();
      done += bytes;
    }
  }

  /** A reader that goes on where it stopped will want the next block. */
  private readAhead(piece: Piece): void {
    const { blocks } = this.options;
    blocks.prefetch(piece.source, Math.floor(piece.end / blocks.blockBytes) + 1);
  }

  private unreadable(log: LogState, offset: number, error: unknown): ReadResult {
    const { logger } = this.options;
    const facts = { log: log.name, offset, error };
    logger.error('storage.read.failed', 'reading stored data failed', facts);
    const extent = log.extents?.find((candidate) => candidate.endOffset > offset);
    if (extent !== undefined) return { status: 'corrupt', resumeOffset: extent.endOffset };
    const run = log.runs?.find(offset) ?? 0;
    const known = log.runs !== null && run < log.runs.length;
    return { status: 'corrupt', resumeOffset: known ? log.runs!.endOffset(run) : log.committedEnd };
  }
}

/** Where to begin in a piece: where the last sequential read stopped, or at its first batch. */
function cursorInto(piece: Piece, log: LogState, target: ReadTarget): FileCursor {
  if (log.hintOffset === target.offset) {
    const position = log.hintLocation - piece.origin;
    if (position > piece.position && position < piece.end)
      return { position, offset: target.offset };
  }
  return { position: piece.position, offset: piece.baseOffset };
}

function closedError(): LyrebirdError {
  return new LyrebirdError('LB2005', 'the storage engine was closed');
}
