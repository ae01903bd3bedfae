/** Room for a body is made as its bytes come: a claimed size costs nothing. */
const FIRST_BYTES = 64 * 1024;

export interface ContentTarget {
  readonly exchange: string;
  readonly routingKey: string;
  readonly mandatory: boolean;
}

/** A publish whose frames did not come in one piece. */
export class IncomingContent {
  readonly target: ContentTarget;
  /** The payload of the header frame, once it came. */
  header: Buffer | null = null;
  bodyBytes = 0;
  body: Buffer = EMPTY;
  received = 0;

  constructor(target: ContentTarget) {
    this.target = target;
  }

  get complete(): boolean {
    return this.header !== null && this.received === this.bodyBytes;
  }

  /** Memory it holds. */
  get heldBytes(): number {
    return this.body.length + (this.header?.length ?? 0);
  }

  /** Copies bytes of the body; false when there are more than announced. */
  add(buffer: Buffer, start: number, end: number): boolean {
    const received = this.received + end - start;
    if (received > this.bodyBytes) return false;
    if (received > this.body.length) {
      const room = Math.min(this.bodyBytes, Math.max(received, FIRST_BYTES, this.body.length * 2));
      const grown = Buffer.allocUnsafeSlow(room);
      this.body.copy(grown, 0, 0, this.received);
      this.body = grown;
    }
    buffer.copy(this.body, this.received, start, end);
    this.received = received;
    return true;
  }
}

const EMPTY = Buffer.alloc(0);
