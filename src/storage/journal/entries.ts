import { readInt64, writeInt64 } from '../../base/record-batch.ts';

/**
 * The table of a commit group: one entry after the other, each beginning with its kind. All numbers big endian.
 *
 *   append, 40 bytes + 20 per further log      note, 24 bytes + body       trim, 24 bytes
 *     kind          uint8  @0  (1)               kind    uint8  @0  (2)      kind    uint8  @0 (3)
 *     flags         uint8  @1                    3 bytes 0                   7 bytes 0
 *     furtherLogs   uint16 @2                    epoch   int32  @4           log     int64  @8
 *     epoch         int32  @4                    log     int64  @8           before  int64  @16
 *     log           int64  @8                    bytes   uint32 @16
 *     baseOffset    int64  @16                   0       uint32 @20        metadata, 8 bytes + body
 *     maxTimestamp  int64  @24                   body                        kind    uint8  @0 (4)
 *     offsetCount   uint32 @32                                               3 bytes 0
 *     dataBytes     uint32 @36                                               bytes   uint32 @4
 *     then per further log:                                                  body (JSON, UTF-8)
 *     log int64, baseOffset int64, epoch int32
 *
 * The data of append entries lies in the group's data part in entry order. maxTimestamp and offsetCount repeat
 * what the batches say, so that an index can be built without reading them.
 */
export const ENTRY_APPEND = 1;
export const ENTRY_NOTE = 2;
export const ENTRY_TRIM = 3;
export const ENTRY_META = 4;
export type EntryKind = 1 | 2 | 3 | 4;

export const APPEND_ENTRY_BYTES = 40;
export const FURTHER_LOG_BYTES = 20;
export const NOTE_ENTRY_BYTES = 24;
export const TRIM_ENTRY_BYTES = 24;
export const META_ENTRY_BYTES = 8;

export interface AppendEntry {
  readonly kind: typeof ENTRY_APPEND;
  readonly log: number;
  readonly epoch: number;
  readonly baseOffset: number;
  readonly maxTimestamp: number;
  readonly offsetCount: number;
  readonly dataBytes: number;
  readonly further: readonly FurtherLog[];
}

export interface FurtherLog {
  readonly log: number;
  readonly baseOffset: number;
  readonly epoch: number;
}

export type Entry =
  | AppendEntry
  | { readonly kind: typeof ENTRY_NOTE; readonly log: number; readonly body: Buffer }
  | { readonly kind: typeof ENTRY_TRIM; readonly log: number; readonly before: number }
  | { readonly kind: typeof ENTRY_META; readonly body: Buffer };

export function writeNoteHeader(
  b: Buffer,
  at: number,
  note: { log: number; epoch: number; bytes: number },
): void {
  b.writeUInt32BE(ENTRY_NOTE << 24, at);
  b.writeInt32BE(note.epoch, at + 4);
  writeInt64(b, note.log, at + 8);
  b.writeUInt32BE(note.bytes, at + 16);
  b.writeUInt32BE(0, at + 20);
}

export function writeTrim(b: Buffer, at: number, trim: { log: number; before: number }): void {
  b.writeUInt32BE(ENTRY_TRIM << 24, at);
  b.writeUInt32BE(0, at + 4);
  writeInt64(b, trim.log, at + 8);
  writeInt64(b, trim.before, at + 16);
}

export function writeMetaHeader(b: Buffer, at: number, bytes: number): void {
  b.writeUInt32BE(ENTRY_META << 24, at);
  b.writeUInt32BE(bytes, at + 4);
}

/**
 * Calls back for each entry of a table, in order. Bodies are views of the buffer. Returns false when the bytes
 * are not exactly `count` well-formed entries (entries before the malformed one were delivered).
 */
export function decodeEntries(
  table: Buffer,
  count: number,
  callback: (entry: Entry) => void,
): boolean {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const size = entryBytes(table, at);
    if (size === 0 || at + size > table.length) return false;
    callback(decodeEntry(table, at, size));
    at += size;
  }
  return at === table.length;
}

/** Size of the entry at a position, or 0 when there is none. */
function entryBytes(table: Buffer, at: number): number {
  const rest = table.length - at;
  if (rest < META_ENTRY_BYTES) return 0;
  switch (table[at]) {
    case ENTRY_APPEND:
      return APPEND_ENTRY_BYTES + table.readUInt16BE(at + 2) * FURTHER_LOG_BYTES;
    case ENTRY_NOTE:
      return rest < NOTE_ENTRY_BYTES ? 0 : NOTE_ENTRY_BYTES + table.readUInt32BE(at + 16);
    case ENTRY_TRIM:
      return TRIM_ENTRY_BYTES;
    case ENTRY_META:
      return META_ENTRY_BYTES + table.readUInt32BE(at + 4);
    default:
      return 0;
  }
}

function decodeEntry(table: Buffer, at: number, size: number): Entry {
  const kind = table[at] as EntryKind; // entryBytes has refused every other value
  switch (kind) {
    case ENTRY_APPEND:
      return {
        kind,
        epoch: table.readInt32BE(at + 4),
        log: readInt64(table, at + 8),
        baseOffset: readInt64(table, at + 16),
        maxTimestamp: readInt64(table, at + 24),
        offsetCount: table.readUInt32BE(at + 32),
        dataBytes: table.readUInt32BE(at + 36),
        further: decodeFurther(table, at + APPEND_ENTRY_BYTES, at + size),
      };
    case ENTRY_NOTE: {
      const body = table.subarray(at + NOTE_ENTRY_BYTES, at + size);
      return { kind, log: readInt64(table, at + 8), body };
    }
    case ENTRY_TRIM:
      return { kind, log: readInt64(table, at + 8), before: readInt64(table, at + 16) };
    case ENTRY_META:
      break;
  }
  return { kind, body: table.subarray(at + META_ENTRY_BYTES, at + size) };
}

const NO_FURTHER: readonly FurtherLog[] = [];

function decodeFurther(table: Buffer, from: number, to: number): readonly FurtherLog[] {
  if (from === to) return NO_FURTHER;
  const further: FurtherLog[] = [];
  for (let at = from; at < to; at += FURTHER_LOG_BYTES) {
    further.push({
      log: readInt64(table, at),
      baseOffset: readInt64(table, at + 8),
      epoch: table.readInt32BE(at + 16),
    });
  }
  return further;
}
