import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { BufferPool } from './buffer-pool.ts';
import { InputFeed, ReadArea, type FeedOwner, type InputMemory } from './input-feed.ts';
import type { ConnectionHandler } from './types.ts';

const LARGE = 200 * 1024;

/** Frames of a 4-byte length and that many bytes; keeps a copy of each. */
class FrameCollector implements ConnectionHandler {
  readonly frames: Buffer[] = [];
  /** Pauses after so many frames, once each. */
  onFrame: (() => void) | null = null;
  stopped: () => boolean = () => false;
  private wanted = 0;

  onData(buffer: Buffer, start: number, end: number): number {
    let at = start;
    this.wanted = 4;
    while (end - at >= 4 && !this.stopped()) {
      const size = 4 + buffer.readUInt32BE(at);
      this.wanted = size;
      if (end - at < size) break;
      this.frames.push(Buffer.from(buffer.subarray(at + 4, at + size)));
      at += size;
      this.wanted = 4;
      this.onFrame?.();
    }
    return at - start;
  }

  bytesWanted(): number {
    return this.wanted;
  }

  onDrain(): void {}
  onClose(): void {}
  onShutdown(): void {}
}

class Owner implements FeedOwner {
  inputStopped = false;
  heldBytesMax = 64 * 1024 * 1024;
  refusals = 0;

  inputRefused(): void {
    this.refusals++;
  }
}

function setUp(readBytes = 64 * 1024) {
  const memory: InputMemory = {
    area: new ReadArea(readBytes),
    pool: new BufferPool(1024 * 1024),
    heldBytesMax: 512 * 1024 * 1024,
    heldBytes: 0,
  };
  const owner = new Owner();
  const handler = new FrameCollector();
  handler.stopped = () => owner.inputStopped;
  return { memory, owner, handler, feed: new InputFeed(owner, handler, memory) };
}

function frame(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(4 + size);
  bytes.writeUInt32BE(size);
  for (let i = 0; i < size; i++) bytes[4 + i] = (seed + i * 7) & 0xff;
  return bytes;
}

/** Delivers bytes as the kernel would: into the feed's target, at most `sizes` at a time. */
function read(feed: InputFeed, bytes: Buffer, sizes: Iterable<number>): void {
  let at = 0;
  const iterator = sizes[Symbol.iterator]();
  while (at < bytes.length) {
    const next = iterator.next();
    const limit = next.done === true ? bytes.length : Math.max(1, next.value);
    const target = feed.nextTarget();
    assert(target.length > 0);
    const size = Math.min(limit, target.length, bytes.length - at);
    bytes.copy(target, 0, at, at + size);
    feed.onRead(target, size);
    at += size;
  }
}

describe('InputFeed', () => {
  it('presents the same frames whatever the reads and pauses were', () => {
    const frameSize = fc.oneof(
      { weight: 8, arbitrary: fc.nat(600) },
      { weight: 2, arbitrary: fc.integer({ min: LARGE - 3, max: 3 * LARGE }) },
    );
    const piece = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: LARGE }));
    fc.assert(
      fc.property(
        fc.array(frameSize, { maxLength: 12 }),
        fc.array(fc.tuple(piece, fc.boolean()), { minLength: 1, maxLength: 200 }),
        fc.nat(5),
        (frameSizes, pieces, pauseEvery) => {
          const { feed, owner, handler, memory } = setUp();
          const frames = frameSizes.map((size, index) => frame(size, index));
          const bytes = Buffer.concat(frames);
          handler.onFrame = () => {
            if (pauseEvery > 0 && handler.frames.length % pauseEvery === 0)
              owner.inputStopped = true;
          };
          let at = 0;
          for (let i = 0; at < bytes.length; i++) {
            const [limit, byEvent] = pieces[i % pieces.length]!;
            const size = Math.min(limit, bytes.length - at);
            const chunk = Buffer.from(bytes.subarray(at, at + size));
            if (byEvent) feed.onChunk(chunk, 0, size);
            else read(feed, chunk, []);
            at += size;
            while (owner.inputStopped) {
              owner.inputStopped = false;
              feed.again();
            }
          }
          assert.deepEqual(
            handler.frames,
            frames.map((f) => f.subarray(4)),
          );
          feed.release();
          assert.equal(memory.heldBytes, 0);
          assert.equal(memory.pool.takenBytes, 0);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('reads a large frame straight into one buffer and presents it whole', () => {
    const { feed, handler } = setUp();
    let calls = 0;
    const onData = handler.onData.bind(handler);
    handler.onData = (buffer, start, end) => {
      calls++;
      return onData(buffer, start, end);
    };
    const bytes = frame(LARGE, 1);
    read(feed, bytes.subarray(0, 1000), []);
    const target = feed.nextTarget();
    assert.equal(target.length, bytes.length - 1000);
    read(feed, bytes.subarray(1000), [50_000, 50_000]);
    assert.equal(calls, 2);
    assert.deepEqual(handler.frames, [bytes.subarray(4)]);
    assert.equal(feed.heldBytes, 0);
  });

  it('allocates for a claimed length only as bytes arrive', () => {
    const { feed, memory } = setUp();
    const header = Buffer.alloc(4);
    header.writeUInt32BE(60 * 1024 * 1024);
    read(feed, header, []);
    feed.nextTarget();
    assert.ok(memory.heldBytes <= 4 * 1024 * 1024);
  });

  it('refuses what exceeds the limit of a connection or of all together', () => {
    const one = setUp();
    one.owner.heldBytesMax = 1024 * 1024;
    const header = Buffer.alloc(4);
    header.writeUInt32BE(2 * 1024 * 1024);
    read(one.feed, header, []);
    assert.equal(one.feed.nextTarget(), one.memory.area.target);
    assert.equal(one.owner.refusals, 1);

    const all = setUp();
    Object.assign(all.memory, { heldBytesMax: 512 });
    read(all.feed, header, []);
    assert.equal(all.owner.refusals, 1);
    assert.equal(all.memory.heldBytes, 0);
  });

  it('keeps what arrives during a pause, and presents it when asked again', () => {
    const { feed, owner, handler } = setUp();
    const bytes = Buffer.concat([frame(10, 1), frame(20, 2)]);
    owner.inputStopped = true;
    feed.onChunk(bytes, 0, bytes.length);
    feed.again();
    assert.equal(handler.frames.length, 0);
    owner.inputStopped = false;
    feed.again();
    assert.equal(handler.frames.length, 2);
  });

  it('presents all that a pause left, more than fits before the shared area', () => {
    const { feed, owner, handler } = setUp();
    const bytes = Buffer.concat([frame(0, 0), frame(0, 1), frame(LARGE, 2)]);
    handler.onFrame = () => {
      owner.inputStopped = true;
    };
    read(feed, bytes, []);
    for (let frames = 1; frames <= 3; frames++) {
      assert.equal(handler.frames.length, frames);
      owner.inputStopped = false;
      feed.again();
    }
    assert.equal(feed.heldBytes, 0);
    feed.release();
  });

  it('presents what a pause left before what comes after it, without being asked again', () => {
    const { feed, owner, handler } = setUp();
    const bytes = Buffer.concat([frame(0, 0), frame(LARGE, 1), frame(8, 2)]);
    handler.onFrame = () => {
      owner.inputStopped = handler.frames.length === 1;
    };
    read(feed, bytes.subarray(0, -4), []);
    owner.inputStopped = false;
    feed.onChunk(bytes, bytes.length - 4, bytes.length);
    assert.equal(handler.frames.length, 3);
    feed.release();
  });

  it('serves a handler that leaves more than fits before the shared area', () => {
    const { feed, memory, owner } = setUp();
    let seen = 0;
    const line: ConnectionHandler = {
      onData: (buffer, start, end) => {
        seen = end - start;
        const newline = buffer.indexOf(10, start);
        return newline >= 0 && newline < end ? end - start : 0;
      },
      bytesWanted: () => 0,
      onDrain: () => {},
      onClose: () => {},
      onShutdown: () => {},
    };
    const lines = new InputFeed(owner, line, memory);
    const bytes = Buffer.alloc(900_000, 'x');
    bytes[bytes.length - 1] = 10;
    read(lines, bytes, []);
    assert.equal(seen, bytes.length);
    assert.equal(lines.heldBytes, 0);
    feed.release();
  });
});
