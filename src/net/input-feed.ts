import assert from 'node:assert/strict';
import { BufferPool } from './buffer-pool.ts';
import type { ConnectionHandler } from './types.ts';

/** A handler that wants at least this much gets a buffer of its own, and the kernel writes straight into it. */
const LARGE_FRAME_BYTES = 128 * 1024;
/** A frame's buffer starts no larger than this and doubles while bytes really arrive: a claimed length costs little. */
const FIRST_FRAME_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * The memory all connections of a broker read into. Possible because bytes are presented to the handler inside the
 * read callback; what a handler leaves is copied away, and put back right before the next bytes of its connection:
 *
 *   [ . . . . headroom . . . left-over | new bytes . . . . ]
 *                                      ^ base
 */
export class ReadArea {
  readonly memory: Buffer;
  readonly base: number;
  /** memory from base on: what is given to the kernel. */
  readonly target: Buffer;

  constructor(readBytes: number) {
    this.base = Math.max(readBytes, LARGE_FRAME_BYTES);
    this.memory = Buffer.allocUnsafeSlow(this.base + readBytes);
    this.target = this.memory.subarray(this.base);
  }
}

/** Memory of unconsumed input, over all connections of a broker. */
export interface InputMemory {
  readonly area: ReadArea;
  readonly pool: BufferPool;
  readonly heldBytesMax: number;
  /** Capacity of the buffers that connections hold now. */
  heldBytes: number;
}

/** What the feed asks of its connection. */
export interface FeedOwner {
  /** True while the handler must not be called. */
  readonly inputStopped: boolean;
  /** Most bytes this connection may hold. */
  readonly heldBytesMax: number;
  /** A limit was reached: the feed takes nothing more, the owner closes the connection. */
  inputRefused(): void;
}

/**
 * Brings the bytes of one connection to its handler, however the network cut them: each call presents everything
 * not yet consumed, in one contiguous piece.
 *
 * Between calls the unconsumed bytes are `held` in a pooled buffer. With goal 0 more bytes are read into the shared
 * area and joined there; with a goal they are read directly behind the held ones until that many are there.
 */
export class InputFeed {
  private readonly owner: FeedOwner;
  private readonly handler: ConnectionHandler;
  private readonly memory: InputMemory;
  private held: Buffer | null = null;
  private heldStart = 0;
  private heldEnd = 0;
  /** Present the held bytes when there are this many; 0: after a pause, or joined with the next bytes in the shared area. */
  private goal = 0;
  /** With a goal: read behind the held bytes until there are this many. */
  private fillTo = 0;
  private stopped = false;

  constructor(owner: FeedOwner, handler: ConnectionHandler, memory: InputMemory) {
    this.owner = owner;
    this.handler = handler;
    this.memory = memory;
  }

  get heldBytes(): number {
    return this.heldEnd - this.heldStart;
  }

  /** Where the kernel should put the next bytes; never empty. */
  nextTarget(): Buffer {
    if (this.held === null || this.heldBytes >= this.goal || this.stopped) {
      return this.memory.area.target;
    }
    const held = this.roomInHeld();
    if (held === null) return this.memory.area.target;
    return held.subarray(this.heldEnd, Math.min(held.length, this.heldStart + this.fillTo));
  }

  /** The kernel wrote size bytes to target, which nextTarget returned before this read. */
  onRead(target: Buffer, size: number): void {
    const area = this.memory.area;
    if (target === area.target) {
      this.onChunk(area.memory, area.base, area.base + size);
      return;
    }
    if (this.stopped) return;
    assert(
      this.held !== null && target.byteOffset === this.held.byteOffset + this.heldEnd,
      'held bytes do not move while the kernel may write behind them',
    );
    this.heldEnd += size;
    this.presentHeldWhenEnough();
  }

  /** Bytes [start, end) arrived in a buffer that is valid during the call. */
  onChunk(buffer: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.stopped) {
      if (this.owner.inputStopped) {
        this.hold(buffer, at, end);
        return;
      }
      if (this.held === null) {
        this.present(buffer, at, end);
        return;
      }
      if (this.goal > 0) at = this.fillHeld(buffer, at, end);
      else if (this.heldBytes > this.memory.area.base) this.presentHeldWhenEnough();
      else at = this.joinHeld(buffer, at, end);
    }
  }

  /** Presents held bytes again, after a pause ended. */
  again(): void {
    if (this.held !== null && !this.stopped) this.presentHeldWhenEnough();
  }

  /** Presents nothing more. */
  stop(): void {
    this.stopped = true;
  }

  /** Gives all memory back. The kernel must not write to any target any more. */
  release(): void {
    this.stopped = true;
    this.dropHeld();
  }

  /** Presents bytes of a buffer that is not held, and holds what is left. */
  private present(buffer: Buffer, start: number, end: number): void {
    const used = this.offer(buffer, start, end);
    if (this.stopped || start + used === end) return;
    this.hold(buffer, start + used, end);
    this.chooseGoal();
  }

  private presentHeldWhenEnough(): void {
    const held = this.held;
    if (held === null || this.heldBytes < this.goal || this.owner.inputStopped) return;
    const used = this.offer(held, this.heldStart, this.heldEnd);
    if (this.stopped) return;
    this.heldStart += used;
    if (this.heldStart === this.heldEnd) this.dropHeld();
    else this.chooseGoal();
  }

  private offer(buffer: Buffer, start: number, end: number): number {
    const used = this.handler.onData(buffer, start, end);
    assert(used >= 0 && used <= end - start, 'a handler consumes what it was given, at most');
    return used;
  }

  /** After a call that left bytes: does the handler wait for a large frame? */
  private chooseGoal(): void {
    if (this.held === null || this.stopped) return;
    if (this.owner.inputStopped) {
      // A pause made it leave them: there may be whole frames among them, however many there are.
      this.goal = 0;
      return;
    }
    const wanted = this.handler.bytesWanted();
    const heldBytes = this.heldBytes;
    if (wanted > heldBytes && wanted >= LARGE_FRAME_BYTES) {
      this.goal = wanted;
      this.fillTo = wanted;
    } else if (heldBytes > this.memory.area.base) {
      // More than fits before the shared area, and any byte more may be enough.
      this.goal = heldBytes + 1;
      this.fillTo = heldBytes + this.memory.area.base;
    } else {
      this.goal = 0;
    }
  }

  /** Copies as much of [at, end) behind the held bytes as is asked for; returns where it stopped. */
  private fillHeld(buffer: Buffer, at: number, end: number): number {
    if (this.heldBytes < this.fillTo) {
      const held = this.roomInHeld();
      if (held === null) return end;
      const size = Math.min(held.length - this.heldEnd, this.fillTo - this.heldBytes, end - at);
      buffer.copy(held, this.heldEnd, at, at + size);
      this.heldEnd += size;
      at += size;
    }
    this.presentHeldWhenEnough();
    return at;
  }

  /** Puts the held bytes right before the new ones in the shared area and presents both; returns where it stopped. */
  private joinHeld(buffer: Buffer, at: number, end: number): number {
    const held = this.held;
    const { memory, base } = this.memory.area;
    const left = this.heldBytes;
    assert(held !== null && left <= base);
    let size = end - at;
    if (buffer !== memory) {
      size = Math.min(size, memory.length - base);
      buffer.copy(memory, base, at, at + size);
    }
    held.copy(memory, base - left, this.heldStart, this.heldEnd);
    this.dropHeld();
    this.present(memory, base - left, base + size);
    return at + size;
  }

  /** Adds [start, end) to the held bytes. */
  private hold(buffer: Buffer, start: number, end: number): void {
    const size = end - start;
    const held = this.ensureHeld(this.heldBytes + size);
    if (held === null) return;
    buffer.copy(held, this.heldEnd, start, end);
    this.heldEnd += size;
  }

  /** The held buffer with room for more, but not at once for all that a peer claims to send. */
  private roomInHeld(): Buffer | null {
    const step = Math.max(2 * this.heldBytes, FIRST_FRAME_BUFFER_BYTES);
    return this.ensureHeld(Math.min(this.fillTo, step));
  }

  /** Makes the held buffer large enough for size bytes from heldStart on. Null: a limit forbids it. */
  private ensureHeld(size: number): Buffer | null {
    const old = this.held;
    if (old !== null && this.heldStart + size <= old.length) return old;
    const heldBytes = this.heldBytes;
    if (old !== null && size <= old.length) {
      old.copyWithin(0, this.heldStart, this.heldEnd);
    } else {
      const { memory, owner } = this;
      const more = BufferPool.roundUp(size) - (old?.length ?? 0);
      if (size > owner.heldBytesMax || memory.heldBytes + more > memory.heldBytesMax) {
        this.stopped = true;
        owner.inputRefused();
        return null;
      }
      const grown = memory.pool.take(size);
      memory.heldBytes += more;
      if (old !== null) {
        old.copy(grown, 0, this.heldStart, this.heldEnd);
        memory.pool.give(old);
      }
      this.held = grown;
    }
    this.heldStart = 0;
    this.heldEnd = heldBytes;
    return this.held;
  }

  private dropHeld(): void {
    if (this.held !== null) {
      this.memory.heldBytes -= this.held.length;
      this.memory.pool.give(this.held);
    }
    this.held = null;
    this.heldStart = 0;
    this.heldEnd = 0;
    this.goal = 0;
    this.fillTo = 0;
  }
}
