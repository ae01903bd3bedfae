import type { ColdSource } from '../cache/block-cache.ts';
import type { Extent } from './extent.ts';

/** The segment files in use. */
export class SegmentSet {
  /** Where to look for the batch with that offset: a batch at or before it, in the extent's file. */
  seek(
    extent: Extent,
    offset: number,
  ): Promise<{ source: ColdSource; position: number; offset: number }> {
    return Promise.reject(new Error(`no segment ${extent.file} for ${offset}`));
  }

  /** A log needs the extent no more. */
  release(_extent: Extent): void {}
}
