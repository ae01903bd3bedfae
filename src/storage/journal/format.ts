import { crc32c } from '../../base/crc32c.ts';
import { readInt64, writeInt64 } from '../../base/record-batch.ts';

/**
 * The fixed parts of a journal file. All numbers are big endian.
 *
 *   file   = file-header group*
 *   group  = group-header data table
 *   data   = record batches of all logs, in the order of their table entries, nothing between them
 *   table  = entries (see entries.ts)
 *
 *   file-header, 64 bytes              group-header, 56 bytes
 *     magic         uint32 @0            magic         uint32 @0
 *     version       uint16 @4            flags         uint16 @4
 *     headerBytes   uint16 @6            headerBytes   uint16 @6
 *     clusterId     16 B   @8            fileNumber    uint32 @8
 *     fileNumber    uint32 @24           incarnation   uint32 @12
 *     incarnation   uint32 @28           sequence      int64  @16
 *     createdMs     int64  @32           syncedThrough int64  @24
 *     reserved      20 B   @40           dataBytes     uint32 @32
 *                                        tableBytes    uint32 @36
 *     crc           uint32 @60           entryCount    uint32 @40
 *                                        tableCrc      uint32 @44
 *                                        reserved      4 B    @48
 *                                        headerCrc     uint32 @52
 *
 * Journal files are recycled, so whatever follows the last group may be an old file's groups: those carry another
 * fileNumber. syncedThrough is the newest group known to be on the platter when this one was sealed; it is what
 * tells a torn tail (not yet promised to anybody) from damage to data that was acknowledged.
 */
export const JOURNAL_FORMAT_VERSION = 1;
export const FILE_HEADER_BYTES = 64;
export const GROUP_HEADER_BYTES = 56;

const FILE_MAGIC = 0x4c59_4a46; // LYJF
const GROUP_MAGIC = 0x4c59_4a47; // LYJG

export interface FileHeader {
  readonly clusterId: Buffer;
  readonly fileNumber: number;
  readonly incarnation: number;
  readonly createdMs: number;
}

export interface GroupHeader {
  readonly fileNumber: number;
  readonly incarnation: number;
  readonly sequence: number;
  readonly syncedThrough: number;
  readonly dataBytes: number;
  readonly tableBytes: number;
  readonly entryCount: number;
  readonly tableCrc: number;
}

export function encodeFileHeader(header: FileHeader): Buffer {
  const out = Buffer.alloc(FILE_HEADER_BYTES);
  out.writeUInt32BE(FILE_MAGIC, 0);
  out.writeUInt16BE(JOURNAL_FORMAT_VERSION, 4);
  out.writeUInt16BE(FILE_HEADER_BYTES, 6);
  header.clusterId.copy(out, 8, 0, 16);
  out.writeUInt32BE(header.fileNumber, 24);
  out.writeUInt32BE(header.incarnation, 28);
  writeInt64(out, header.createdMs, 32);
  out.writeUInt32BE(crc32c(out.subarray(0, 60)), 60);
  return out;
}

/** The header at the start of the buffer, 'too-new' for a later format, or null when it is not one. */
export function decodeFileHeader(b: Buffer): FileHeader | 'too-new' | null {
  if (b.length < FILE_HEADER_BYTES || b.readUInt32BE(0) !== FILE_MAGIC) return null;
  if (crc32c(b.subarray(0, 60)) !== b.readUInt32BE(60)) return null;
  if (b.readUInt16BE(4) > JOURNAL_FORMAT_VERSION) return 'too-new';
  return {
    clusterId: Buffer.from(b.subarray(8, 24)),
    fileNumber: b.readUInt32BE(24),
    incarnation: b.readUInt32BE(28),
    createdMs: readInt64(b, 32),
  };
}

export function encodeGroupHeader(header: GroupHeader, b: Buffer, at: number): void {
  b.writeUInt32BE(GROUP_MAGIC, at);
  b.writeUInt16BE(0, at + 4);
  b.writeUInt16BE(GROUP_HEADER_BYTES, at + 6);
  b.writeUInt32BE(header.fileNumber, at + 8);
  b.writeUInt32BE(header.incarnation, at + 12);
  writeInt64(b, header.sequence, at + 16);
  writeInt64(b, header.syncedThrough, at + 24);
  b.writeUInt32BE(header.dataBytes, at + 32);
  b.writeUInt32BE(header.tableBytes, at + 36);
  b.writeUInt32BE(header.entryCount, at + 40);
  b.writeUInt32BE(header.tableCrc, at + 44);
  b.writeUInt32BE(0, at + 48);
  b.writeUInt32BE(crc32c(b.subarray(at, at + 52)), at + 52);
}

/** The group header at a position, or null when the bytes there are not one (or are cut short). */
export function decodeGroupHeader(b: Buffer, at: number): GroupHeader | null {
  if (at + GROUP_HEADER_BYTES > b.length || b.readUInt32BE(at) !== GROUP_MAGIC) return null;
  if (crc32c(b.subarray(at, at + 52)) !== b.readUInt32BE(at + 52)) return null;
  return {
    fileNumber: b.readUInt32BE(at + 8),
    incarnation: b.readUInt32BE(at + 12),
    sequence: readInt64(b, at + 16),
    syncedThrough: readInt64(b, at + 24),
    dataBytes: b.readUInt32BE(at + 32),
    tableBytes: b.readUInt32BE(at + 36),
    entryCount: b.readUInt32BE(at + 40),
    tableCrc: b.readUInt32BE(at + 44),
  };
}

/** The position of the next group magic at or after `from`, or -1. */
export function findGroupMagic(b: Buffer, from: number): number {
  return b.indexOf(GROUP_MAGIC_BYTES, from);
}

const GROUP_MAGIC_BYTES = Buffer.from('LYJG', 'latin1');

/** Where a byte lies in the journal, as one number that sorts in journal order. */
export const locationOf = (fileNumber: number, position: number): number =>
  fileNumber * 0x1_0000_0000 + position;
export const locationFile = (location: number): number => Math.floor(location / 0x1_0000_0000);
export const locationPosition = (location: number): number => location % 0x1_0000_0000;
