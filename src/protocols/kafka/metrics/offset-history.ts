const POINTS_MAX = 64;

/**
 * When the end of a partition was where, as far as scrapes saw it: tells about when the record at an offset was
 * appended. Old points are thinned out, so that the history reaches back as long as the partition is looked at.
 *
 *   end seen:   100        100        250      400
 *   at:         0 s        15 s       30 s     45 s      record 175 came at about 22 s
 */
export class OffsetHistory {
  private offsets: number[] = [];
  private firstSeenMs: number[] = [];
  private lastSeenMs: number[] = [];

  observe(end: number, nowMs: number): void {
    const last = this.offsets.length - 1;
    if (last >= 0 && this.offsets[last] === end) {
      this.lastSeenMs[last] = nowMs;
      return;
    }
    if (this.offsets.length >= POINTS_MAX) this.thinOut();
    this.offsets.push(end);
    this.firstSeenMs.push(nowMs);
    this.lastSeenMs.push(nowMs);
  }

  /**
   * How long ago the record at the offset was appended, in ms; 0 when there is none yet. A record older than the
   * history has at least the age that is told.
   */
  ageMs(offset: number, nowMs: number): number {
    const { offsets, firstSeenMs, lastSeenMs } = this;
    let before = offsets.length - 1;
    if (before < 0 || offset >= (offsets[before] ?? 0)) return 0;
    while (before >= 0 && (offsets[before] ?? 0) > offset) before--;
    if (before < 0) return nowMs - (firstSeenMs[0] ?? nowMs);
    const from = lastSeenMs[before] ?? nowMs;
    const until = firstSeenMs[before + 1] ?? nowMs;
    const low = offsets[before] ?? 0;
    const high = offsets[before + 1] ?? low;
    const share = high > low ? (offset - low) / (high - low) : 0;
    return Math.max(0, nowMs - (from + share * (until - from)));
  }

  /** Keeps the newest and every second of the others. */
  private thinOut(): void {
    const last = this.offsets.length - 1;
    const keep = (_: number, i: number): boolean => i % 2 === last % 2;
    this.offsets = this.offsets.filter(keep);
    this.firstSeenMs = this.firstSeenMs.filter(keep);
    this.lastSeenMs = this.lastSeenMs.filter(keep);
  }
}
