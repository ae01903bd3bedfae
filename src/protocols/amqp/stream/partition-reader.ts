import {
  CONTROL_BIT,
  batchAttributes,
  batchNextOffset,
  batchTotalBytes,
} from '../../../base/record-batch.ts';
import { openRecords, type RecordCursor } from '../../../base/records.ts';
import type { DataWaiter, PartitionView } from '../../../core/types.ts';
import type { Lease, ReadResult, Slice } from '../../../storage/types.ts';
import type { Logger } from '../../../telemetry/logger.ts';

/** Asked of the log at once; a larger batch comes whole. */
const READ_BYTES = 64 * 1024;
const NO_SLICES: readonly Slice[] = [];

export interface ReaderOptions {
  readonly logger: Logger;
  /** A compressed batch that would become larger is passed over. */
  readonly decompressedBytesMax: number;
  /** There may be more records than when next() said that there are none. Never called from within next(). */
  readonly onMore: () => void;
}

/**
 * The records of a partition from an offset on, one after the other. Between turns of the event loop it holds one batch
 * at most, as a copy: a reader that is not asked keeps nothing from being freed or reused.
 */
export class PartitionReader implements DataWaiter {
  readonly partition: PartitionView;
  /** Of the next record. */
  offset: number;
  /** Where next() stands. */
  record: RecordCursor | null = null;
  /** Protects the record's bytes beyond this turn; null: they are copied, or stay as long as they are referred to. */
  lease: Lease | null = null;
  private readonly options: ReaderOptions;
  private slices = NO_SLICES;
  private slice = 0;
  /** In the slice: the batch that is being read, and the one behind it. */
  private batchAt = 0;
  private batchEnd = 0;
  /** First offset behind the batch that is being read. */
  private batchNext = 0;
  private reading = false;
  private waiting = false;
  private closed = false;

  constructor(partition: PartitionView, offset: number, options: ReaderOptions) {
    this.partition = partition;
    this.offset = offset;
    this.options = options;
  }

  /** Goes to the next record. False: there is none now, and onMore() will be called. */
  next(): boolean {
    while (!this.closed && !this.reading && !this.waiting) {
      const { record } = this;
      if (record !== null && record.next()) {
        if (record.offset < this.offset) continue;
        this.offset = record.offset + 1;
        return true;
      }
      // The last offsets of a batch may have no records.
      if (record !== null) this.offset = Math.max(this.offset, this.batchNext);
      this.record = this.lease = null;
      if (!this.openBatch()) this.read();
    }
    return false;
  }

  /** The turn is over: what is left of the batch is copied, the rest is read again when it is wanted. */
  pause(): void {
    const { record, slices } = this;
    if (slices === NO_SLICES) return;
    const slice = slices[this.slice];
    if (record !== null && slice !== undefined && record.buffer === slice.buffer) {
      const copy = Buffer.from(slice.buffer.subarray(this.batchAt, this.batchEnd));
      this.record = this.open(copy, 0);
    }
    this.lease = null;
    this.slices = NO_SLICES;
  }

  onData(): void {
    this.waiting = false;
    this.options.onMore();
  }

  close(): void {
    this.closed = true;
    if (this.waiting) this.partition.removeWaiter(this);
    this.waiting = false;
    this.record = this.lease = null;
    this.slices = NO_SLICES;
  }

  /** Opens the next batch of what was read; false: there is none. */
  private openBatch(): boolean {
    for (;;) {
      const slice = this.slices[this.slice];
      if (slice === undefined) return false;
      const { buffer } = slice;
      const at = this.batchEnd;
      if (at >= slice.end) {
        this.slice++;
        this.batchEnd = this.slices[this.slice]?.start ?? 0;
        continue;
      }
      this.batchAt = at;
      this.batchEnd = at + batchTotalBytes(buffer, at);
      this.batchNext = batchNextOffset(buffer, at);
      if (this.batchNext <= this.offset) continue;
      const isControl = (batchAttributes(buffer, at) & CONTROL_BIT) !== 0;
      const record = isControl ? null : this.open(buffer, at);
      if (record === null) {
        this.offset = this.batchNext;
        continue;
      }
      this.record = record;
      this.lease = record.buffer === buffer ? slice.lease : null;
      return true;
    }
  }

  private open(buffer: Buffer, at: number): RecordCursor | null {
    const record = openRecords(buffer, at, this.options.decompressedBytesMax);
    if (typeof record !== 'string') return record;
    this.warn('a batch cannot be decompressed and is passed over', { defect: record });
    return null;
  }

  private read(): void {
    const { partition } = this;
    this.slices = NO_SLICES;
    const result = partition.read(this.offset, {
      maxBytes: READ_BYTES,
      atLeastOneBatch: true,
      isolation: 'committed',
    });
    if (!(result instanceof Promise)) {
      this.accept(result);
      return;
    }
    this.reading = true;
    result.then(
      (late) => this.readLate(late),
      (error: unknown) => {
        this.reading = false;
        if (this.closed) return;
        // Tried again when the log grows.
        this.warn('reading failed', { err: error });
        this.wait();
      },
    );
  }

  private readLate(result: ReadResult): void {
    this.reading = false;
    if (this.closed) return;
    // Nothing was there when the log was read; meanwhile something may have come.
    const grew = this.partition.highWatermark > this.offset;
    if (!(grew && result.status === 'ok' && result.bytes === 0)) this.accept(result);
    this.options.onMore();
    this.pause();
  }

  private accept(result: ReadResult): void {
    switch (result.status) {
      case 'ok':
        if (result.bytes === 0) {
          this.wait();
          return;
        }
        this.slices = result.slices;
        this.slice = 0;
        this.batchEnd = result.slices[0]?.start ?? 0;
        return;
      case 'out-of-range':
        // What was kept too long is gone.
        if (this.offset < result.start) this.offset = result.start;
        else this.offset = Math.min(this.offset, result.committedEnd);
        if (this.offset === result.committedEnd) this.wait();
        return;
      case 'corrupt':
        this.warn('a damaged range is passed over', { resumeOffset: result.resumeOffset });
        this.offset = Math.max(result.resumeOffset, this.offset + 1);
        return;
      case 'unknown-log':
        // The topic was deleted: its consumers are about to be told.
        this.closed = true;
    }
  }

  private wait(): void {
    this.waiting = true;
    this.partition.addWaiter(this);
  }

  private warn(message: string, details: Record<string, unknown>): void {
    const { partition, options } = this;
    options.logger.warn('amqp.stream-unreadable', message, {
      topic: partition.topic.name,
      partition: partition.index,
      offset: this.offset,
      ...details,
    });
  }
}
