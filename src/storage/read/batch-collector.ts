import {
  BATCH_HEADER_BYTES,
  BATCH_MAGIC,
  batchBaseOffset,
  batchCrc,
  batchLastOffsetDelta,
  batchMagic,
  batchTotalBytes,
  computeBatchCrc,
} from '../../base/record-batch.ts';
import { crc32cImplementation } from '../../base/crc32c.ts';
import type { Lease, Slice } from '../types.ts';

/** What a read wants, and what it has got so far. */
export interface ReadTarget {
  /** First offset that is still wanted. */
  offset: number;
  /** No batch that begins here or later. */
  readonly endOffset: number;
  readonly bytesMax: number;
  /** The first batch is taken whatever its size. */
  readonly atLeastOne: boolean;
  readonly signal: AbortSignal | null;
  bytes: number;
  readonly slices: Slice[];
}

/** Adds a piece of whole batches; pieces that touch become one slice. */
export function addSlice(
  target: ReadTarget,
  buffer: Buffer,
  start: number,
  end: number,
  lease: Lease | null,
): void {
  const { slices } = target;
  const last = slices.length > 0 ? slices[slices.length - 1]! : null;
  if (last !== null && last.buffer === buffer && last.end === start) {
    slices[slices.length - 1] = { buffer, start: last.start, end, lease };
  } else {
    slices.push({ buffer, start, end, lease });
  }
  target.bytes += end - start;
}

/** A place in a file, and the offset of the batch that begins there. */
export interface FileCursor {
  position: number;
  offset: number;
}

/**
 * How a walk over stored batches ended: at the end of the bytes ('end'), because the read has enough ('full'), at
 * a batch that is not as it was written ('damaged'), or at one that goes on after the bytes ('cut').
 */
export type WalkOutcome = 'end' | 'full' | 'damaged' | 'cut';

/** A checksum of all that is read costs little with native code, and half of the time of a read without. */
const CHECK_CRC = crc32cImplementation === 'native';

/**
 * Goes over the stored batches [start, end), checks them, and adds those that are wanted. The cursor, which
 * stands at start, moves to the batch at which the walk ends.
 */
export function collectStored(
  target: ReadTarget,
  cursor: FileCursor,
  b: Buffer,
  start: number,
  end: number,
  lease: Lease | null,
): WalkOutcome {
  let from = start;
  let at = start;
  let { offset } = cursor;
  let outcome: WalkOutcome = 'end';
  while (at < end) {
    if (end - at < BATCH_HEADER_BYTES) {
      outcome = 'cut';
      break;
    }
    const bytes = batchTotalBytes(b, at);
    if (!isHeaderSound(b, at, offset)) {
      outcome = 'damaged';
      break;
    }
    if (bytes > end - at) {
      outcome = 'cut';
      break;
    }
    const next = offset + batchLastOffsetDelta(b, at) + 1;
    if (next <= target.offset) {
      from = at + bytes;
    } else {
      if (offset >= target.endOffset || !fits(target, at + bytes - from, at === from)) {
        outcome = 'full';
        break;
      }
      if (CHECK_CRC && computeBatchCrc(b, at, bytes) !== batchCrc(b, at)) {
        outcome = 'damaged';
        break;
      }
    }
    offset = next;
    at += bytes;
  }
  if (at > from) addSlice(target, b, from, at, lease);
  cursor.position += at - start;
  cursor.offset = offset;
  return outcome;
}

function fits(target: ReadTarget, bytes: number, first: boolean): boolean {
  if (target.bytes + bytes <= target.bytesMax) return true;
  return first && target.bytes === 0 && target.atLeastOne;
}

/** True when the bytes begin like the stored batch with that base offset. There are at least a header's. */
export function isHeaderSound(b: Buffer, at: number, offset: number): boolean {
  return (
    batchMagic(b, at) === BATCH_MAGIC &&
    batchTotalBytes(b, at) >= BATCH_HEADER_BYTES &&
    batchLastOffsetDelta(b, at) >= 0 &&
    batchBaseOffset(b, at) === offset
  );
}

/**
 * Where the offsets of a damaged batch end: after it when its header can be believed, else with its piece, of which
 * room bytes are left. A length that leaves the piece would hide what follows from every later walk.
 */
export function damageEnd(
  b: Buffer,
  at: number,
  expected: { offset: number; pieceEndOffset: number; room: number },
): number {
  const { offset, pieceEndOffset, room } = expected;
  if (b.length - at < BATCH_HEADER_BYTES || !isHeaderSound(b, at, offset)) return pieceEndOffset;
  if (batchTotalBytes(b, at) > room) return pieceEndOffset;
  return Math.min(offset + batchLastOffsetDelta(b, at) + 1, pieceEndOffset);
}
