import {
  BATCH_HEADER_BYTES,
  batchBaseOffset,
  batchBaseTimestamp,
  batchNextOffset,
  batchRecordCount,
  batchTotalBytes,
} from '../../base/record-batch.ts';
import type { Slice } from '../../storage/types.ts';
import type { Bundle } from './bundle.ts';
import type { EnvelopeReader } from './envelope.ts';
import type { Message } from './message.ts';

const NOTHING = Buffer.alloc(0);

/**
 * Walks the stored messages of a log forwards: over a bundle in memory, also while it grows, or over what a read
 * returned. After seek() or next() the fields describe one record; -1: none.
 */
export class BatchWindow {
  offset = -1;
  timestamp = 0;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  buffer: Buffer = NOTHING;
  /** The bundle it is over, or null. */
  bundle: Bundle | null = null;
  private slices: readonly Slice[] = [];
  private slice = 0;
  /** Start of the next record or batch; end of the slice. */
  private position = 0;
  private end = 0;
  private left = 0;
  private nextOffset = 0;
  private baseTimestamp = 0;

  /** The offset behind everything it holds now; 0: it holds nothing. */
  endOffset = 0;

  openBundle(bundle: Bundle, baseOffset: number): void {
    this.close();
    this.bundle = bundle;
    this.position = BATCH_HEADER_BYTES;
    this.nextOffset = baseOffset;
    this.baseTimestamp = bundle.baseTimestamp;
    this.left = 0;
    this.startOffset = baseOffset;
  }

  /** Retains the slices until it moves on. */
  openSlices(slices: readonly Slice[]): void {
    this.close();
    for (const { lease } of slices) lease?.retain();
    this.slices = slices;
    this.openSlice(0);
    this.startOffset =
      slices.length === 0 ? 0 : batchBaseOffset(slices[0]!.buffer, slices[0]!.start);
    this.endOffset = endOfSlices(slices);
  }

  /** First offset it can still go to. */
  private startOffset = 0;

  /** Moves on to the record with the offset; false when that is not in the window (any more, or yet). */
  seek(offset: number): boolean {
    if (this.offset === offset) {
      if (this.bundle !== null) this.buffer = this.bundle.buffer;
      return true;
    }
    if (offset < this.nextOffset && !this.restart(offset)) return false;
    if (this.bundle === null && offset >= this.endOffset) return false;
    while (this.next()) {
      if (this.offset === offset) return true;
      if (this.offset > offset) return false;
    }
    return false;
  }

  /** Moves on to the next record; false at the end of what there is. */
  next(): boolean {
    const { bundle } = this;
    if (bundle !== null) {
      if (this.nextOffset - this.startOffset >= bundle.count) return false;
      this.buffer = bundle.buffer;
      this.baseTimestamp = bundle.baseTimestamp;
    } else {
      while (this.left === 0) if (!this.nextBatch()) return false;
      this.left--;
    }
    this.parse();
    this.offset = this.nextOffset++;
    return true;
  }

  /** Reads the record it is at into message; false when its envelope makes no sense. */
  read(message: Message, reader: EnvelopeReader): boolean {
    message.body = this.buffer;
    message.bodyStart = this.valueStart;
    message.bodyEnd = this.valueEnd;
    message.publishedMs = this.timestamp;
    return reader.read(this.buffer, this.keyStart, this.keyEnd, message);
  }

  /** Gives everything back. */
  close(): void {
    for (let i = this.slice; i < this.slices.length; i++) this.slices[i]!.lease?.release();
    this.slices = [];
    this.slice = 0;
    this.bundle = null;
    this.buffer = NOTHING;
    this.offset = -1;
    this.position = 0;
    this.end = 0;
    this.left = 0;
    this.nextOffset = 0;
    this.startOffset = 0;
    this.endOffset = 0;
  }

  /** Back to the beginning of a bundle or of the current slice, when the offset is in it. */
  private restart(offset: number): boolean {
    if (offset < this.startOffset) return false;
    this.offset = -1;
    if (this.bundle !== null) {
      this.position = BATCH_HEADER_BYTES;
      this.nextOffset = this.startOffset;
      return true;
    }
    const slice = this.slices[this.slice];
    if (slice === undefined || batchBaseOffset(slice.buffer, slice.start) > offset) return false;
    this.openSlice(this.slice);
    return true;
  }

  private openSlice(index: number): void {
    this.slice = index;
    const slice = this.slices[index];
    this.left = 0;
    if (slice === undefined) {
      this.position = 0;
      this.end = 0;
      return;
    }
    this.buffer = slice.buffer;
    this.position = slice.start;
    this.end = slice.end;
  }

  private nextBatch(): boolean {
    while (this.position >= this.end) {
      const slice = this.slices[this.slice];
      if (slice === undefined) return false;
      slice.lease?.release();
      this.openSlice(this.slice + 1);
    }
    const { buffer, position } = this;
    this.nextOffset = batchBaseOffset(buffer, position);
    this.baseTimestamp = batchBaseTimestamp(buffer, position);
    this.left = batchRecordCount(buffer, position);
    this.position = position + BATCH_HEADER_BYTES;
    return true;
  }

  /** Reads the record at the position; records are as base/records.ts tells. */
  private parse(): void {
    const length = this.varint();
    const recordEnd = this.position + length;
    this.position++;
    this.timestamp = this.baseTimestamp + this.varint();
    this.varint();
    const keyBytes = this.varint();
    this.keyStart = this.position;
    this.keyEnd = this.keyStart + Math.max(0, keyBytes);
    this.position = this.keyEnd;
    const valueBytes = this.varint();
    this.valueStart = this.position;
    this.valueEnd = this.valueStart + Math.max(0, valueBytes);
    this.position = recordEnd;
  }

  private varint(): number {
    const { buffer } = this;
    let byte = buffer[this.position++]!;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 0x7f;
    let scale = 128;
    do {
      byte = buffer[this.position++]!;
      value += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

function endOfSlices(slices: readonly Slice[]): number {
  const last = slices[slices.length - 1];
  if (last === undefined) return 0;
  let end = 0;
  for (let at = last.start; at < last.end; at += batchTotalBytes(last.buffer, at)) {
    end = batchNextOffset(last.buffer, at);
  }
  return end;
}
