/**
 * (deadline, offset, mark) in typed arrays, earliest deadline first, at equal ones the smallest offset: 20 bytes for each.
 * Deadlines are ms since the Unix epoch.
 */
export class DeadlineHeap {
  private times: Float64Array;
  private offsets: Float64Array;
  private marks: Uint32Array;
  private count = 0;

  constructor() {
    this.times = new Float64Array(16);
    this.offsets = new Float64Array(16);
    this.marks = new Uint32Array(16);
  }

  get length(): number {
    return this.count;
  }

  get memoryBytes(): number {
    return this.times.byteLength * 2 + this.marks.byteLength;
  }

  /** Of the earliest; only when there is one. */
  get time(): number {
    return this.times[0]!;
  }

  get offset(): number {
    return this.offsets[0]!;
  }

  get mark(): number {
    return this.marks[0]!;
  }

  push(time: number, offset: number, mark: number): void {
    if (this.count === this.times.length) this.resize(this.count * 2);
    let at = this.count++;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.isBefore(time, offset, parent)) break;
      this.move(parent, at);
      at = parent;
    }
    this.put(at, time, offset, mark);
  }

  /** Removes the earliest; only when there is one. */
  pop(): void {
    this.count--;
    this.sink(0, this.times[this.count]!, this.offsets[this.count]!, this.marks[this.count]!);
    if (this.count === 0 && this.times.length > 4096) this.resize(16);
  }

  /** Keeps those for which keep says so. */
  filter(keep: (offset: number) => boolean): void {
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      if (keep(this.offsets[i]!)) this.move(i, kept++);
    }
    this.count = kept;
    for (let at = (kept >>> 1) - 1; at >= 0; at--) {
      this.sink(at, this.times[at]!, this.offsets[at]!, this.marks[at]!);
    }
    if (this.times.length > 4096 && kept * 4 < this.times.length)
      this.resize(Math.max(16, kept * 2));
  }

  private sink(from: number, time: number, offset: number, mark: number): void {
    let at = from;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= this.count) break;
      if (
        child + 1 < this.count &&
        this.isBefore(this.times[child + 1]!, this.offsets[child + 1]!, child)
      ) {
        child++;
      }
      if (this.isBefore(time, offset, child)) break;
      this.move(child, at);
      at = child;
    }
    this.put(at, time, offset, mark);
  }

  private isBefore(time: number, offset: number, other: number): boolean {
    const otherTime = this.times[other]!;
    return time < otherTime || (time === otherTime && offset < this.offsets[other]!);
  }

  private move(from: number, to: number): void {
    this.put(to, this.times[from]!, this.offsets[from]!, this.marks[from]!);
  }

  private put(at: number, time: number, offset: number, mark: number): void {
    this.times[at] = time;
    this.offsets[at] = offset;
    this.marks[at] = mark;
  }

  private resize(capacity: number): void {
    const times = new Float64Array(capacity);
    const offsets = new Float64Array(capacity);
    const marks = new Uint32Array(capacity);
    times.set(this.times.subarray(0, this.count));
    offsets.set(this.offsets.subarray(0, this.count));
    marks.set(this.marks.subarray(0, this.count));
    this.times = times;
    this.offsets = offsets;
    this.marks = marks;
  }
}
