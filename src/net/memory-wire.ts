import type { Wire, WireInfo, WireListener } from './wire.ts';

export const MEMORY_WIRE_INFO: WireInfo = {
  remoteAddress: '127.0.0.1',
  remotePort: 50000,
  localAddress: '127.0.0.1',
  localPort: 9092,
  tls: null,
};

/**
 * A wire without a network, for tests of handlers and of the connection itself: the test plays the peer. Everything
 * it reports comes in a later microtask, as a socket would in a later turn.
 */
export class MemoryWire implements Wire {
  /** What the connection sent, in order. */
  readonly received: Buffer[] = [];
  /** One entry per send: how many pieces it had. */
  readonly sends: number[] = [];
  ended = false;
  destroyed = false;
  reading = true;
  /** While false, the peer takes no output: done callbacks wait. */
  peerReads = true;

  private readonly listener: WireListener;
  private readonly unread: Buffer[] = [];
  private readonly unconfirmed: (() => void)[] = [];
  private peerEnded = false;
  private closed = false;

  constructor(listener: WireListener) {
    this.listener = listener;
  }

  /** All output so far. */
  get output(): Buffer {
    return Buffer.concat(this.received);
  }

  /** The peer sends bytes; they arrive once the connection reads. */
  push(bytes: Buffer): void {
    this.unread.push(Buffer.from(bytes));
    queueMicrotask(() => this.deliver());
  }

  /** The peer ends its side. */
  pushEnd(): void {
    this.peerEnded = true;
    queueMicrotask(() => this.deliver());
  }

  /** The peer reads again. */
  takeOutput(): void {
    this.peerReads = true;
    for (const done of this.unconfirmed.splice(0)) queueMicrotask(done);
  }

  send(pieces: readonly Buffer[], done: () => void): void {
    this.sends.push(pieces.length);
    for (const piece of pieces) this.received.push(Buffer.from(piece));
    if (this.peerReads) queueMicrotask(done);
    else this.unconfirmed.push(done);
  }

  startReading(): void {
    this.reading = true;
    queueMicrotask(() => this.deliver());
  }

  stopReading(): void {
    this.reading = false;
  }

  end(): void {
    this.ended = true;
    if (this.peerEnded) this.destroy();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    setImmediate(() => {
      this.closed = true;
      this.listener.onWireClosed();
    });
  }

  private deliver(): void {
    while (this.reading && !this.closed && !this.destroyed && this.unread.length > 0) {
      const bytes = this.unread.shift();
      if (bytes === undefined) return;
      const target = this.listener.nextTarget();
      const size = bytes.copy(target);
      if (size < bytes.length) this.unread.unshift(bytes.subarray(size));
      this.listener.onRead(target, size);
    }
    if (this.peerEnded && this.unread.length === 0 && !this.destroyed) {
      if (this.ended) this.destroy();
      else this.listener.onPeerEnd();
    }
  }
}
