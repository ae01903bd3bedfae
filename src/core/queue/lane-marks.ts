/** Messages of a page. */
const PAGE = 512;
/** Index behind the marks: how many of the page are settled. */
const SETTLED_COUNT = PAGE;

/** The mark of a settled message. Any other: 0 nothing known, else what packMark made. */
export const SETTLED = 0xffff_ffff;
const BYTES_MASK = 0x1fff_ffff;
const PERSISTENT_BIT = 0x2000_0000;
const RETURNED_BIT = 0x4000_0000;

/** Body bytes and persistence of a message that was handed out, or is known without reading it. */
export function packMark(bytes: number, persistent: boolean): number {
  return (bytes > BYTES_MASK ? BYTES_MASK : bytes) | (persistent ? PERSISTENT_BIT : 0);
}

export const markBytes = (mark: number): number => mark & BYTES_MASK;
export const markPersistent = (mark: number): boolean => (mark & PERSISTENT_BIT) !== 0;
/** It was handed out and came back: it is ready again. */
export const markReturned = (mark: number): boolean => (mark & RETURNED_BIT) !== 0;
export const withReturned = (mark: number, returned: boolean): number =>
  returned ? mark | RETURNED_BIT : mark & ~RETURNED_BIT;

/** Spare pages of all lanes of a broker. */
export class MarkPages {
  /** Shared by all pages of which everything is settled; never written to. */
  readonly full: Uint32Array;
  /** Pages in use. */
  used = 0;
  private readonly spares: Uint32Array[] = [];

  constructor() {
    this.full = new Uint32Array(PAGE + 1).fill(SETTLED);
  }

  take(): Uint32Array {
    this.used++;
    const spare = this.spares.pop();
    if (spare === undefined) return new Uint32Array(PAGE + 1);
    spare.fill(0);
    return spare;
  }

  give(page: Uint32Array): void {
    this.used--;
    if (this.spares.length < 256) this.spares.push(page);
  }
}

/**
 * Four bytes for each message between the lane's floor and the last one touched, in pages that are made when
 * something in them is touched and given back when all of them is settled:
 *
 *   pages:   [ marks ][ full ][ marks ][ none ][ marks ]
 *   offset    ^ floor                            ^ the last one known
 */
export class LaneMarks {
  private readonly pool: MarkPages;
  private pages: (Uint32Array | null)[] = [];
  /** Number (offset / PAGE) of pages[head]. */
  private firstPage = 0;
  private head = 0;

  constructor(pool: MarkPages) {
    this.pool = pool;
  }

  get(offset: number): number {
    const number = Math.floor(offset / PAGE);
    const page = this.pages[this.head + number - this.firstPage];
    if (page === undefined || page === null || number < this.firstPage) return 0;
    return page[offset - number * PAGE]!;
  }

  set(offset: number, mark: number): void {
    const number = Math.floor(offset / PAGE);
    this.pageAt(number)[offset - number * PAGE] = mark;
  }

  /** The offset must not be settled yet. */
  settle(offset: number): void {
    const number = Math.floor(offset / PAGE);
    const page = this.pageAt(number);
    page[offset - number * PAGE] = SETTLED;
    const settled = ++page[SETTLED_COUNT]!;
    if (settled !== PAGE) return;
    this.pages[this.head + number - this.firstPage] = this.pool.full;
    this.pool.give(page);
  }

  /** Settles what is not settled in [from, to) and returns how many that were. */
  settleRange(from: number, to: number): number {
    let settled = 0;
    let offset = from;
    while (offset < to) {
      const number = Math.floor(offset / PAGE);
      const end = Math.min(to, (number + 1) * PAGE);
      const index = this.indexOf(number);
      const page = this.pages[index];
      if (page === this.pool.full) {
        offset = end;
      } else if (end - offset === PAGE) {
        settled += PAGE - (page?.[SETTLED_COUNT] ?? 0);
        if (page) this.pool.give(page);
        this.pages[index] = this.pool.full;
        offset = end;
      } else {
        for (; offset < end; offset++) {
          if (this.get(offset) === SETTLED) continue;
          this.settle(offset);
          settled++;
        }
      }
    }
    return settled;
  }

  /** The first offset from `from` on, but not behind `to`, that is not settled. */
  skipSettled(from: number, to: number): number {
    let offset = from;
    while (offset < to) {
      const number = Math.floor(offset / PAGE);
      const page = number < this.firstPage ? null : this.pages[this.head + number - this.firstPage];
      if (page === undefined || page === null) return offset;
      const end = Math.min(to, (number + 1) * PAGE);
      if (page === this.pool.full) {
        offset = end;
        continue;
      }
      for (; offset < end; offset++) if (page[offset - number * PAGE] !== SETTLED) return offset;
    }
    return to;
  }

  /** Forgets what lies before the offset. */
  dropBefore(offset: number): void {
    const number = Math.floor(offset / PAGE);
    while (this.firstPage < number && this.head < this.pages.length) {
      const page = this.pages[this.head];
      if (page !== null && page !== undefined && page !== this.pool.full) this.pool.give(page);
      this.pages[this.head++] = null;
      this.firstPage++;
    }
    if (this.head === this.pages.length) {
      this.pages.length = 0;
      this.head = 0;
    } else if (this.head > 64 && this.head * 2 > this.pages.length) {
      this.pages.splice(0, this.head);
      this.head = 0;
    }
  }

  /** Gives everything back. */
  clear(): void {
    for (const page of this.pages) {
      if (page !== null && page !== this.pool.full) this.pool.give(page);
    }
    this.pages.length = 0;
    this.head = 0;
  }

  get memoryBytes(): number {
    return this.pages.length * (PAGE * 4 + 8);
  }

  private pageAt(number: number): Uint32Array {
    const index = this.indexOf(number);
    const known = this.pages[index];
    if (known !== null && known !== undefined) return known;
    const page = this.pool.take();
    this.pages[index] = page;
    return page;
  }

  /** Where the page is, the list made long enough for it. */
  private indexOf(number: number): number {
    if (this.head === this.pages.length) {
      this.pages.length = 0;
      this.head = 0;
      this.firstPage = number;
    }
    while (number < this.firstPage) {
      if (this.head === 0) this.pages.unshift(null);
      else this.head--;
      this.firstPage--;
    }
    const index = this.head + number - this.firstPage;
    while (this.pages.length <= index) this.pages.push(null);
    return index;
  }
}
