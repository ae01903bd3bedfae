import type { DamagedRange } from '../index/log-state.ts';
import type { RunIndex } from '../index/run-index.ts';
import { restoreSpec } from '../meta-codec.ts';
import type { StoredSpec } from '../meta-codec.ts';
import type { StoredMetaEntry } from '../meta-state.ts';
import type { Extent } from '../segment/extent.ts';
import type { LogId, LogSpec } from '../types.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/**
 * The body of a manifest section: records, each beginning with a uint8 kind. Later records win. Big endian; text
 * and bytes are preceded by a uint32 length.
 *
 *   1 state            text (JSON of ManifestState)
 *   2 log definition   id int64, name text, spec text (JSON, limits that are Infinity are null)
 *   3 log data         id int64, start int64, end int64,
 *                      keepRunsFrom int64: runs at locations before it are in extents now, or gone
 *                      damage: count uint32, then from int64, to int64
 *                      extents: uint8 0 = as before, 1 = replaced by: count uint32, then 9 fields (see writeExtent)
 *                      runs added: count uint32, then 6 float64 each, little endian, as in RunIndex
 *   4 log deleted      id int64
 *   5 key              key text, value text, createRevision int64, modRevision int64, lease int64
 *   6 key deleted      key text
 *   7 snapshot         id int64, bytes
 *   8 snapshot deleted id int64
 */
export interface ManifestState {
  /** 32 hexadecimal digits. */
  readonly clusterId: string;
  readonly incarnation: number;
  /** Counts starts after which committed data may have been lost. */
  readonly epoch: number;
  /** The engine was drained after this checkpoint: nothing follows it. */
  readonly drained: boolean;
  /** Which start of the machine wrote this; null where the system does not tell. */
  readonly bootId: string | null;
  /** Replay begins here. */
  readonly replay: { readonly file: number; readonly position: number; readonly sequence: number };
  /** First journal file of the newest start. Files before it are complete: what lies behind their end was cut. */
  readonly openFile: number;
  readonly journal: readonly {
    readonly number: number;
    readonly end: number;
    readonly createdMs: number;
    readonly writtenMs: number;
  }[];
  readonly nextLogId: LogId;
  readonly nextSegment: number;
  readonly metaRevision: number;
}

/** Receives the records of a section. Buffers are views of it. */
export interface ManifestVisitor {
  onState(state: ManifestState): void;
  onLog(id: LogId, name: string, spec: LogSpec): void;
  onLogData(data: LogData): void;
  onLogDeleted(id: LogId): void;
  onKey(entry: StoredMetaEntry): void;
  onKeyDeleted(key: string): void;
  onSnapshot(log: LogId, bytes: Buffer): void;
  onSnapshotDeleted(log: LogId): void;
}

export interface LogData {
  readonly id: LogId;
  readonly start: number;
  readonly end: number;
  readonly keepRunsFrom: number;
  readonly damage: readonly DamagedRange[];
  /** Null: as before. */
  readonly extents: readonly Extent[] | null;
  /** Six float64 per run. */
  readonly runs: Float64Array;
}

const STATE = 1;
const LOG = 2;
const LOG_DATA = 3;
const LOG_DELETED = 4;
const KEY = 5;
const KEY_DELETED = 6;
const SNAPSHOT = 7;
const SNAPSHOT_DELETED = 8;

const RUN_BYTES = 48;
const RUNS_AT_ONCE = 1024;
const BIG_ENDIAN_HOST = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

export function writeState(out: ByteWriter, state: ManifestState): void {
  out.uint8(STATE);
  out.text(JSON.stringify(state));
}

export function writeLog(out: ByteWriter, id: LogId, name: string, spec: LogSpec): void {
  out.uint8(LOG);
  out.int64(id);
  out.text(name);
  out.text(JSON.stringify(spec));
}

export function writeLogData(
  out: ByteWriter,
  data: Omit<LogData, 'runs'>,
  runs: { readonly index: RunIndex; readonly first: number; readonly end: number } | null,
): void {
  out.uint8(LOG_DATA);
  out.int64(data.id);
  out.int64(data.start);
  out.int64(data.end);
  out.int64(data.keepRunsFrom);
  out.uint32(data.damage.length);
  for (const range of data.damage) {
    out.int64(range.from);
    out.int64(range.to);
  }
  out.uint8(data.extents === null ? 0 : 1);
  if (data.extents !== null) {
    out.uint32(data.extents.length);
    for (const extent of data.extents) writeExtent(out, extent);
  }
  out.uint32(runs === null ? 0 : runs.end - runs.first);
  if (runs === null) return;
  for (let first = runs.first; first < runs.end; first += RUNS_AT_ONCE) {
    const end = Math.min(first + RUNS_AT_ONCE, runs.end);
    const { buffer } = runs.index.packed(first, end);
    out.raw(littleEndian(new Uint8Array(buffer)));
  }
}

export function writeLogDeleted(out: ByteWriter, id: LogId): void {
  out.uint8(LOG_DELETED);
  out.int64(id);
}

export function writeKey(out: ByteWriter, entry: StoredMetaEntry): void {
  out.uint8(KEY);
  out.text(entry.key);
  out.text(entry.value);
  out.int64(entry.createRevision);
  out.int64(entry.modRevision);
  out.int64(entry.lease);
}

export function writeKeyDeleted(out: ByteWriter, key: string): void {
  out.uint8(KEY_DELETED);
  out.text(key);
}

export function writeSnapshot(out: ByteWriter, log: LogId, bytes: Buffer): void {
  out.uint8(SNAPSHOT);
  out.int64(log);
  out.bytes(bytes);
}

export function writeSnapshotDeleted(out: ByteWriter, log: LogId): void {
  out.uint8(SNAPSHOT_DELETED);
  out.int64(log);
}

/** Most logs have one of a few specs: each is parsed once, and kept in memory once. */
class SpecParser {
  private readonly known = new Map<string, LogSpec>();

  parse(text: string): LogSpec {
    let spec = this.known.get(text);
    if (spec === undefined) {
      spec = restoreSpec(JSON.parse(text) as StoredSpec); // checksummed: writeLog wrote it
      this.known.set(text, spec);
    }
    return spec;
  }
}

/** Delivers all records. Throws RangeError or SyntaxError when the bytes are not records. */
export function readRecords(reader: ByteReader, visitor: ManifestVisitor): void {
  const specs = new SpecParser();
  while (!reader.atEnd) {
    const kind = reader.uint8();
    switch (kind) {
      case STATE:
        visitor.onState(JSON.parse(reader.text()) as ManifestState); // checksummed: writeState wrote it
        break;
      case LOG: {
        const id = reader.int64();
        const name = reader.text();
        visitor.onLog(id, name, specs.parse(reader.text()));
        break;
      }
      case LOG_DATA:
        visitor.onLogData(readLogData(reader));
        break;
      case LOG_DELETED:
        visitor.onLogDeleted(reader.int64());
        break;
      case KEY:
        visitor.onKey({
          key: reader.text(),
          value: reader.text(),
          createRevision: reader.int64(),
          modRevision: reader.int64(),
          lease: reader.int64(),
        });
        break;
      case KEY_DELETED:
        visitor.onKeyDeleted(reader.text());
        break;
      case SNAPSHOT: {
        const id = reader.int64();
        visitor.onSnapshot(id, reader.bytes());
        break;
      }
      case SNAPSHOT_DELETED:
        visitor.onSnapshotDeleted(reader.int64());
        break;
      default:
        throw new RangeError(`no manifest record has the kind ${kind}`);
    }
  }
}

function readLogData(reader: ByteReader): LogData {
  const id = reader.int64();
  const start = reader.int64();
  const end = reader.int64();
  const keepRunsFrom = reader.int64();
  const damage: DamagedRange[] = [];
  for (let left = reader.uint32(); left > 0; left--) {
    damage.push({ from: reader.int64(), to: reader.int64() });
  }
  let extents: Extent[] | null = null;
  if (reader.uint8() === 1) {
    extents = [];
    for (let left = reader.uint32(); left > 0; left--) extents.push(readExtent(reader));
  }
  const runs = reader.uint32();
  const bytes = Buffer.from(littleEndian(reader.raw(runs * RUN_BYTES)));
  // A copy at an aligned address: views of float64 need one.
  const packed = new Float64Array(runs * 6);
  new Uint8Array(packed.buffer).set(bytes);
  return { id, start, end, keepRunsFrom, damage, extents, runs: packed };
}

function writeExtent(out: ByteWriter, extent: Extent): void {
  out.int64(extent.file);
  out.int64(extent.position);
  out.int64(extent.bytes);
  out.int64(extent.baseOffset);
  out.int64(extent.endOffset);
  out.int64(extent.maxTimestamp);
  out.int64(extent.maxTimestampOffset);
  out.int64(extent.indexPosition);
  out.int64(extent.indexBytes);
}

function readExtent(reader: ByteReader): Extent {
  return {
    file: reader.int64(),
    position: reader.int64(),
    bytes: reader.int64(),
    baseOffset: reader.int64(),
    endOffset: reader.int64(),
    maxTimestamp: reader.int64(),
    maxTimestampOffset: reader.int64(),
    indexPosition: reader.int64(),
    indexBytes: reader.int64(),
  };
}

/** The bytes in little endian: themselves on nearly every machine. */
function littleEndian(bytes: Uint8Array): Uint8Array {
  return BIG_ENDIAN_HOST ? Buffer.from(bytes).swap64() : bytes;
}
