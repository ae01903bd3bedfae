import { crc32c } from '../../base/crc32c.ts';
import { readInt64, writeInt64 } from '../../base/record-batch.ts';
import type { Extent } from './extent.ts';

/**
 * A segment file: extents of one or several logs, settled from the journal. Immutable. All numbers big endian.
 *
 *   file   = header data* index* footer trailer
 *   data   = the record batches of one extent, in offset order, nothing between them
 *   index  = sparse index of one extent: entries of 24 bytes, then crc uint32 of them
 *   footer = one entry of 80 bytes per extent
 *
 *   header, 64 bytes          index entry                      footer entry            trailer, 16 bytes
 *     magic       uint32 @0     baseOffset   int64 @0            log           int64     magic   uint32 @0
 *     version     uint16 @4     position     int64 @8            then the 9 fields       extents uint32 @4
 *     headerBytes uint16 @6     maxTimestamp int64 @16           of Extent but file,     0       uint32 @8
 *     clusterId   16 B   @8                                      each int64, and one     crc     uint32 @12
 *     number      int64  @24                                     that is 0                 (of the footer)
 *     writtenMs   int64  @32
 *     reserved    20 B   @40
 *     crc         uint32 @60
 *
 * writtenMs: nothing in the file was appended later. An index entry names a batch, its place and the largest timestamp from there to the next entry. The manifest
 * says which extents are in use; header and footer are for repair tools.
 */
export const SEGMENT_HEADER_BYTES = 64;
export const INDEX_ENTRY_BYTES = 24;
const FOOTER_ENTRY_BYTES = 80;
const TRAILER_BYTES = 16;
const HEADER_MAGIC = 0x4c59_5346; // LYSF
const TRAILER_MAGIC = 0x4c59_5345; // LYSE
const VERSION = 1;

const NAME = /^segment-(\d{10})$/;

export const segmentFileName = (number: number): string =>
  `segment-${String(number).padStart(10, '0')}`;

/** The number of a segment file's name, or null. */
export function segmentFileNumber(name: string): number | null {
  const match = NAME.exec(name);
  return match === null ? null : Number(match[1]);
}

export function encodeSegmentHeader(header: {
  clusterId: Buffer;
  number: number;
  writtenMs: number;
}): Buffer {
  const out = Buffer.alloc(SEGMENT_HEADER_BYTES);
  out.writeUInt32BE(HEADER_MAGIC, 0);
  out.writeUInt16BE(VERSION, 4);
  out.writeUInt16BE(SEGMENT_HEADER_BYTES, 6);
  header.clusterId.copy(out, 8, 0, 16);
  writeInt64(out, header.number, 24);
  writeInt64(out, header.writtenMs, 32);
  out.writeUInt32BE(crc32c(out.subarray(0, 60)), 60);
  return out;
}

/** What the header says about the age of the data, or null when it is not one. */
export function decodeWrittenMs(b: Buffer): number | null {
  if (b.length < SEGMENT_HEADER_BYTES || b.readUInt32BE(0) !== HEADER_MAGIC) return null;
  return crc32c(b.subarray(0, 60)) === b.readUInt32BE(60) ? readInt64(b, 32) : null;
}

/** A sparse index: three numbers per entry (base offset, position, largest timestamp up to the next entry). */
export type SparseIndex = Float64Array;

export function encodeSparseIndex(entries: readonly number[]): Buffer {
  const out = Buffer.allocUnsafe(entries.length * 8 + 4);
  for (let i = 0; i < entries.length; i++) writeInt64(out, entries[i]!, i * 8);
  const crcAt = entries.length * 8;
  out.writeUInt32BE(crc32c(out.subarray(0, crcAt)), crcAt);
  return out;
}

/** Null when the bytes are not as they were written. */
export function decodeSparseIndex(b: Buffer): SparseIndex | null {
  const crcAt = b.length - 4;
  if (crcAt < INDEX_ENTRY_BYTES || crcAt % INDEX_ENTRY_BYTES !== 0) return null;
  if (crc32c(b.subarray(0, crcAt)) !== b.readUInt32BE(crcAt)) return null;
  const index = new Float64Array(crcAt / 8);
  for (let i = 0; i < index.length; i++) index[i] = readInt64(b, i * 8);
  return index;
}

export function encodeFooter(
  extents: readonly { readonly log: number; readonly extent: Extent }[],
): Buffer {
  const footerBytes = extents.length * FOOTER_ENTRY_BYTES;
  const out = Buffer.alloc(footerBytes + TRAILER_BYTES);
  let at = 0;
  for (const { log, extent } of extents) {
    const fields = [
      log,
      extent.position,
      extent.bytes,
      extent.baseOffset,
      extent.endOffset,
      extent.maxTimestamp,
      extent.maxTimestampOffset,
      extent.indexPosition,
      extent.indexBytes,
      0,
    ];
    for (const field of fields) {
      writeInt64(out, field, at);
      at += 8;
    }
  }
  out.writeUInt32BE(TRAILER_MAGIC, at);
  out.writeUInt32BE(extents.length, at + 4);
  out.writeUInt32BE(crc32c(out.subarray(0, footerBytes)), at + 12);
  return out;
}

/** The extents that the footer at the end of a segment file names, or null when it is not one. */
export function decodeFooter(
  file: Buffer,
  number: number,
): { readonly log: number; readonly extent: Extent }[] | null {
  const trailerAt = file.length - TRAILER_BYTES;
  if (trailerAt < 0 || file.readUInt32BE(trailerAt) !== TRAILER_MAGIC) return null;
  const start = trailerAt - file.readUInt32BE(trailerAt + 4) * FOOTER_ENTRY_BYTES;
  if (start < 0) return null;
  if (crc32c(file.subarray(start, trailerAt)) !== file.readUInt32BE(trailerAt + 12)) return null;
  const extents = [];
  for (let at = start; at < trailerAt; at += FOOTER_ENTRY_BYTES) {
    const extent: Extent = {
      file: number,
      position: readInt64(file, at + 8),
      bytes: readInt64(file, at + 16),
      baseOffset: readInt64(file, at + 24),
      endOffset: readInt64(file, at + 32),
      maxTimestamp: readInt64(file, at + 40),
      maxTimestampOffset: readInt64(file, at + 48),
      indexPosition: readInt64(file, at + 56),
      indexBytes: readInt64(file, at + 64),
    };
    extents.push({ log: readInt64(file, at), extent });
  }
  return extents;
}
