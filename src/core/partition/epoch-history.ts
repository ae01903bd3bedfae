/** Starts of epochs kept per partition; an epoch counts up only after an unclean start. Older ones are dropped. */
const EPOCHS_MAX = 256;

/** At which offset each leader epoch of a partition began; lets a client find where its copy parted from ours. */
export class EpochHistory {
  private readonly epochs: number[] = [];
  private readonly starts: number[] = [];

  get size(): number {
    return this.epochs.length;
  }

  /** The newest epoch, or -1. */
  get latest(): number {
    return this.epochs.at(-1) ?? -1;
  }

  epochAt(index: number): number {
    return this.epochs[index]!;
  }

  startAt(index: number): number {
    return this.starts[index]!;
  }

  /** The epoch begins at the offset, unless it, or a later one, has begun before. True when that is news. */
  begin(epoch: number, startOffset: number): boolean {
    if (epoch <= this.latest) return false;
    // An epoch in which nothing was appended has no offsets of its own.
    if (this.starts.at(-1) === startOffset) {
      this.epochs.pop();
      this.starts.pop();
    }
    this.epochs.push(epoch);
    this.starts.push(startOffset);
    if (this.epochs.length > EPOCHS_MAX) {
      this.epochs.shift();
      this.starts.shift();
    }
    return true;
  }

  /**
   * The largest known epoch <= the asked one and the offset behind its last record (logEnd for the newest), or null
   * for an epoch that never was. For one before all that are known: itself, ending where the first known begins.
   */
  endOffset(epoch: number, logEnd: number): { epoch: number; endOffset: number } | null {
    if (epoch < 0 || epoch > this.latest) return null;
    let index = this.epochs.length - 1;
    while (index >= 0 && this.epochs[index]! > epoch) index--;
    if (index < 0) return { epoch, endOffset: this.starts[0]! };
    return { epoch: this.epochs[index]!, endOffset: this.starts[index + 1] ?? logEnd };
  }
}
