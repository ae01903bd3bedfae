import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FrameAssembler } from './frame-assembler.ts';

function frame(body: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}

function assemble(chunks: readonly Buffer[]): Buffer[] {
  const frames: Buffer[] = [];
  const assembler = new FrameAssembler((buffer, start, end) => {
    frames.push(Buffer.from(buffer.subarray(start, end)));
  });
  for (const chunk of chunks) assembler.push(chunk);
  return frames;
}

test('frames come out whole however the stream is cut', () => {
  const bodies = fc.array(
    fc.uint8Array({ minLength: 4, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(
      bodies,
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      (frames, cuts) => {
        const stream = Buffer.concat(frames.map(frame));
        const chunks: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const length = cuts[turn % cuts.length] ?? 1;
          chunks.push(stream.subarray(at, at + length));
          at += length;
        }
        assert.deepEqual(assemble(chunks), frames);
      },
    ),
  );
});

test('absurd sizes are refused before memory is taken', () => {
  for (const size of [-1, 0, 3, 0x7fff_ffff]) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(size);
    assert.throws(() => assemble([bytes]), /a frame of/);
    assert.throws(() => assemble([bytes.subarray(0, 2), bytes.subarray(2)]), /a frame of/);
  }
});
