import { writeInt64 } from '../../base/record-batch.ts';
import type { Block } from '../cache/block.ts';
import type { LogState } from '../index/log-state.ts';
import {
  APPEND_ENTRY_BYTES,
  ENTRY_APPEND,
  ENTRY_META,
  ENTRY_NOTE,
  ENTRY_TRIM,
  FURTHER_LOG_BYTES,
  META_ENTRY_BYTES,
  NOTE_ENTRY_BYTES,
  TRIM_ENTRY_BYTES,
  writeMetaHeader,
  writeNoteHeader,
  writeTrim,
} from './entries.ts';

const INITIAL_ENTRIES = 64;
const INITIAL_BODY_BYTES = 4096;
/** Bodies above this are not kept by an idle group. */
const KEPT_BODY_BYTES = 1 << 20;

/** The other logs of a shared append. */
export interface FurtherTargets {
  readonly logs: readonly LogState[];
  readonly baseOffsets: readonly number[];
  readonly epochs: readonly number[];
}

/** Called when the group of a metadata entry is durable, in order. */
export interface MetaCommit {
  onDurable(): void;
}

/** Bytes of a block that belong to a group, as they go to disk. */
export interface GroupPart {
  readonly block: Block;
  readonly start: number;
  readonly end: number;
}

/**
 * A commit group from its first append until it is committed: its entries as parallel arrays (no object per
 * entry) and the pieces of blocks that hold its bytes. Reused for later groups.
 */
export class CommitGroup {
  sequence: number;
  fileNumber: number;
  /** Location of the group header. */
  location: number;
  /** File position after the group, once sealed. */
  endPosition: number;
  needsSync: boolean;
  /** Some log commits at write: the group does not wait for a sync in flight. */
  hasOs: boolean;
  dataBytes: number;
  tableBytes: number;
  count: number;
  headerBlock: Block | null;
  headerAt: number;
  parts: GroupPart[];

  kinds: Uint8Array;
  logs: (LogState | null)[];
  epochs: Int32Array;
  /** Base offset of an append, `before` of a trim. */
  offsets: Float64Array;
  offsetCounts: Float64Array;
  bytes: Float64Array;
  locations: Float64Array;
  maxTimestamps: Float64Array;
  maxTimestampDeltas: Float64Array;
  further: (FurtherTargets | null)[];
  /** Whom to tell about a metadata entry. */
  metaCommits: (MetaCommit | null)[];
  private bodies: Buffer;
  private bodyBytes: number;

  constructor() {
    this.sequence = 0;
    this.fileNumber = 0;
    this.location = 0;
    this.endPosition = 0;
    this.needsSync = false;
    this.hasOs = false;
    this.dataBytes = 0;
    this.tableBytes = 0;
    this.count = 0;
    this.headerBlock = null;
    this.headerAt = 0;
    this.parts = [];
    this.kinds = new Uint8Array(INITIAL_ENTRIES);
    this.logs = [];
    this.epochs = new Int32Array(INITIAL_ENTRIES);
    this.offsets = new Float64Array(INITIAL_ENTRIES);
    this.offsetCounts = new Float64Array(INITIAL_ENTRIES);
    this.bytes = new Float64Array(INITIAL_ENTRIES);
    this.locations = new Float64Array(INITIAL_ENTRIES);
    this.maxTimestamps = new Float64Array(INITIAL_ENTRIES);
    this.maxTimestampDeltas = new Float64Array(INITIAL_ENTRIES);
    this.further = [];
    this.metaCommits = [];
    this.bodies = Buffer.allocUnsafe(INITIAL_BODY_BYTES);
    this.bodyBytes = 0;
  }

  reset(): void {
    this.needsSync = false;
    this.hasOs = false;
    this.dataBytes = 0;
    this.tableBytes = 0;
    this.count = 0;
    this.headerBlock = null;
    this.parts.length = 0;
    this.logs.length = 0;
    this.further.length = 0;
    this.metaCommits.length = 0;
    this.bodyBytes = 0;
    if (this.bodies.length > KEPT_BODY_BYTES) this.bodies = Buffer.allocUnsafe(INITIAL_BODY_BYTES);
  }

  addAppend(
    log: LogState,
    epoch: number,
    baseOffset: number,
    offsetCount: number,
    location: number,
    bytes: number,
    maxTimestamp: number,
    maxTimestampDelta: number,
    further: FurtherTargets | null,
  ): void {
    const entry = this.next(ENTRY_APPEND, log);
    this.epochs[entry] = epoch;
    this.offsets[entry] = baseOffset;
    this.offsetCounts[entry] = offsetCount;
    this.bytes[entry] = bytes;
    this.locations[entry] = location;
    this.maxTimestamps[entry] = maxTimestamp;
    this.maxTimestampDeltas[entry] = maxTimestampDelta;
    this.tableBytes += APPEND_ENTRY_BYTES;
    this.dataBytes += bytes;
    if (further === null) return;
    this.further[entry] = further;
    this.tableBytes += further.logs.length * FURTHER_LOG_BYTES;
  }

  /**
   * Makes the last entry longer by an append that directly follows it; false when it is not one of the same log,
   * would be larger than bytesMax, or lies elsewhere.
   */
  extendLast(
    log: LogState,
    epoch: number,
    offsetCount: number,
    location: number,
    bytes: number,
    maxTimestamp: number,
    maxTimestampDelta: number,
    bytesMax: number,
  ): boolean {
    const entry = this.count - 1;
    if (entry < 0 || this.logs[entry] !== log || this.kinds[entry] !== ENTRY_APPEND) return false;
    const before = this.bytes[entry]!;
    if (before + bytes > bytesMax || this.locations[entry]! + before !== location) return false;
    if (this.epochs[entry] !== epoch || this.further[entry] !== null) return false;
    if (maxTimestamp > this.maxTimestamps[entry]!) {
      this.maxTimestamps[entry] = maxTimestamp;
      this.maxTimestampDeltas[entry] = this.offsetCounts[entry]! + maxTimestampDelta;
    }
    this.bytes[entry] = before + bytes;
    this.offsetCounts[entry] = this.offsetCounts[entry]! + offsetCount;
    this.dataBytes += bytes;
    return true;
  }

  addNote(log: LogState, epoch: number, note: Buffer): void {
    const entry = this.next(ENTRY_NOTE, log);
    this.epochs[entry] = epoch;
    this.addBody(entry, note);
    this.tableBytes += NOTE_ENTRY_BYTES + note.length;
  }

  addTrim(log: LogState, before: number): void {
    const entry = this.next(ENTRY_TRIM, log);
    this.offsets[entry] = before;
    this.tableBytes += TRIM_ENTRY_BYTES;
  }

  addMeta(body: Buffer, commit: MetaCommit): void {
    const entry = this.next(ENTRY_META, null);
    this.metaCommits[entry] = commit;
    this.addBody(entry, body);
    this.tableBytes += META_ENTRY_BYTES + body.length;
  }

  /** Writes the table; there is room for tableBytes. */
  encodeTable(out: Buffer, start: number): void {
    let at = start;
    for (let entry = 0; entry < this.count; entry++) {
      const kind = this.kinds[entry]!;
      if (kind === ENTRY_APPEND) {
        at = this.encodeAppend(out, at, entry);
      } else if (kind === ENTRY_NOTE) {
        const bytes = this.bytes[entry]!;
        const note = { log: this.logs[entry]!.id, epoch: this.epochs[entry]!, bytes };
        writeNoteHeader(out, at, note);
        at = this.copyBody(out, at + NOTE_ENTRY_BYTES, entry);
      } else if (kind === ENTRY_TRIM) {
        writeTrim(out, at, { log: this.logs[entry]!.id, before: this.offsets[entry]! });
        at += TRIM_ENTRY_BYTES;
      } else {
        writeMetaHeader(out, at, this.bytes[entry]!);
        at = this.copyBody(out, at + META_ENTRY_BYTES, entry);
      }
    }
  }

  private encodeAppend(out: Buffer, start: number, entry: number): number {
    const further = this.further[entry]!;
    const furtherLogs = further === null ? 0 : further.logs.length;
    out.writeUInt32BE((ENTRY_APPEND << 24) | furtherLogs, start);
    out.writeInt32BE(this.epochs[entry]!, start + 4);
    writeInt64(out, this.logs[entry]!.id, start + 8);
    writeInt64(out, this.offsets[entry]!, start + 16);
    writeInt64(out, this.maxTimestamps[entry]!, start + 24);
    out.writeUInt32BE(this.offsetCounts[entry]!, start + 32);
    out.writeUInt32BE(this.bytes[entry]!, start + 36);
    let at = start + APPEND_ENTRY_BYTES;
    if (further === null) return at;
    for (let i = 0; i < furtherLogs; i++) {
      writeInt64(out, further.logs[i]!.id, at);
      writeInt64(out, further.baseOffsets[i]!, at + 8);
      out.writeInt32BE(further.epochs[i]!, at + 16);
      at += FURTHER_LOG_BYTES;
    }
    return at;
  }

  private addBody(entry: number, body: Buffer): void {
    const needed = this.bodyBytes + body.length;
    if (needed > this.bodies.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.bodies.length * 2));
      this.bodies.copy(grown, 0, 0, this.bodyBytes);
      this.bodies = grown;
    }
    body.copy(this.bodies, this.bodyBytes);
    this.locations[entry] = this.bodyBytes;
    this.bytes[entry] = body.length;
    this.bodyBytes = needed;
  }

  private copyBody(out: Buffer, at: number, entry: number): number {
    const from = this.locations[entry]!;
    const bytes = this.bytes[entry]!;
    this.bodies.copy(out, at, from, from + bytes);
    return at + bytes;
  }

  private next(kind: number, log: LogState | null): number {
    if (this.count === this.kinds.length) this.grow();
    const entry = this.count++;
    this.kinds[entry] = kind;
    this.logs.push(log);
    this.further.push(null);
    this.metaCommits.push(null);
    return entry;
  }

  private grow(): void {
    const size = this.kinds.length * 2;
    this.kinds = grown(this.kinds, new Uint8Array(size));
    this.epochs = grown(this.epochs, new Int32Array(size));
    this.offsets = grown(this.offsets, new Float64Array(size));
    this.offsetCounts = grown(this.offsetCounts, new Float64Array(size));
    this.bytes = grown(this.bytes, new Float64Array(size));
    this.locations = grown(this.locations, new Float64Array(size));
    this.maxTimestamps = grown(this.maxTimestamps, new Float64Array(size));
    this.maxTimestampDeltas = grown(this.maxTimestampDeltas, new Float64Array(size));
  }
}

function grown<T extends Uint8Array | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
