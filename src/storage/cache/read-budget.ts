import { RingBuffer } from '../../base/ring-buffer.ts';

interface Waiting {
  readonly bytes: number;
  readonly go: () => void;
}

/**
 * Bounds the memory of all cold reads together: of those under way, and of blocks that answers hold until they are
 * sent. A read beyond it waits for its turn. One read may always be under way: whoever holds blocks may be waiting
 * for another read before it lets go of them.
 */
export class ReadBudget {
  /** Reads that had to wait so far. */
  waits: number;
  private readonly bytesMax: number;
  private readonly waiting: RingBuffer<Waiting>;
  private inFlight: number;
  /** Asked for by reads that are under way. */
  private asked: number;
  /** In blocks that somebody holds. */
  private held: number;

  constructor(bytesMax: number) {
    this.waits = 0;
    this.bytesMax = bytesMax;
    this.waiting = new RingBuffer(16);
    this.inFlight = 0;
    this.asked = 0;
    this.held = 0;
  }

  get bytes(): number {
    return this.asked + this.held;
  }

  /** Resolves when the read may begin: at once, or after those that came before. end() has to follow. */
  begin(bytes: number): Promise<void> | null {
    if (this.waiting.length === 0 && this.fits(bytes)) {
      this.start(bytes);
      return null;
    }
    this.waits++;
    return new Promise((go) => this.waiting.push({ bytes, go }));
  }

  end(bytes: number): void {
    this.inFlight--;
    this.asked -= bytes;
    this.admit();
  }

  /** A block came to be held by somebody. */
  hold(bytes: number): void {
    this.held += bytes;
  }

  /** Nobody holds the block any more. */
  letGo(bytes: number): void {
    this.held -= bytes;
    if (this.waiting.length > 0) this.admit();
  }

  private fits(bytes: number): boolean {
    return this.inFlight === 0 || this.bytes + bytes <= this.bytesMax;
  }

  private start(bytes: number): void {
    this.inFlight++;
    this.asked += bytes;
  }

  private admit(): void {
    let next = this.waiting.peek();
    while (next !== undefined && this.fits(next.bytes)) {
      this.waiting.shift();
      this.start(next.bytes);
      next.go();
      next = this.waiting.peek();
    }
  }
}
