import { batchBaseSequence } from '../../base/record-batch.ts';
import type { LogEngine, LogId } from '../../storage/types.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { BUNDLE_MARK } from '../message/bundle.ts';
import { LaneImage, isQueueNote } from './lane-image.ts';
import type { MarkPages } from './lane-marks.ts';

/** Rebuilds lanes while the engine is opened: from their last snapshots, and what was journalled after those. */
export class LaneReplay {
  private readonly engine: LogEngine;
  private readonly logger: Logger;
  private readonly pages: MarkPages;
  private readonly images = new Map<LogId, LaneImage>();

  constructor(options: { engine: LogEngine; logger: Logger; pages: MarkPages }) {
    this.engine = options.engine;
    this.logger = options.logger;
    this.pages = options.pages;
  }

  onBatches(log: LogId, buffer: Buffer, start: number, end: number): boolean {
    if (batchBaseSequence(buffer, start) !== BUNDLE_MARK) return false;
    this.image(log).append(buffer, start, end);
    return true;
  }

  onNote(log: LogId, note: Buffer): boolean {
    if (!isQueueNote(note)) return false;
    this.apply(log, this.image(log), note);
    return true;
  }

  /** The lane as it was; call it once for each log. */
  take(log: LogId): LaneImage {
    const image = this.image(log);
    this.images.delete(log);
    return image;
  }

  /** Forgets the lanes that nobody took: their queues are gone. */
  clear(): void {
    this.images.clear();
  }

  private image(log: LogId): LaneImage {
    const known = this.images.get(log);
    if (known !== undefined) return known;
    const image = new LaneImage(this.pages);
    const snapshot = this.engine.snapshots.load(log);
    if (snapshot !== null) this.apply(log, image, snapshot);
    this.images.set(log, image);
    return image;
  }

  private apply(log: LogId, image: LaneImage, note: Buffer): void {
    if (image.apply(note)) return;
    this.logger.error('queue.note-unreadable', 'a note about a queue cannot be read', { log });
  }
}
