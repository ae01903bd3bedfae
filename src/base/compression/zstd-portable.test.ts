import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { CONTENTS } from '../../../test/support/compressible.ts';
import { decompressZstdPortable } from './zstd-portable.ts';

// Made by zstd 1.5 at level 19 from the contents of the same names.
const frames = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/zstd-frames.json', import.meta.url), 'utf8'),
) as Record<string, string>;
const frameOf = (name: string) => Buffer.from(frames[name] ?? '', 'hex');

const MAX_BYTES = 1 << 20;

describe('the portable zstd decoder', () => {
  for (const [name, content] of Object.entries(CONTENTS)) {
    it(`reads ${name}`, () => {
      const output = decompressZstdPortable(frameOf(name), MAX_BYTES);
      assert(typeof output !== 'string', String(output));
      assert(output.equals(content()));
    });
  }

  it('reads several frames and skips those that are not for it', () => {
    const skippable = Buffer.from('502a4d1803000000ffffff', 'hex');
    const one = frameOf('one byte');
    const output = decompressZstdPortable(Buffer.concat([one, skippable, one]), MAX_BYTES);
    assert.equal(output.toString(), 'aa');
    assert.equal(decompressZstdPortable(one.subarray(0, -1), MAX_BYTES), 'corrupt');
  });

  it('stops at the limit', () => {
    for (const name of ['a repeated byte', 'several blocks of few symbols', 'words']) {
      const size = CONTENTS[name]?.().length ?? 0;
      assert.equal(decompressZstdPortable(frameOf(name), size - 1), 'too-large', name);
      assert.notEqual(typeof decompressZstdPortable(frameOf(name), size), 'string', name);
    }
  });

  it('ends where a table of weights takes no bits', () => {
    // Literals whose tree is described by one symbol of probability 1: a naive decoder reads weights for ever.
    const frame = ['28b52ffd2014', '550000', '428101', '04f0031180', '8000'].join('');
    assert.equal(decompressZstdPortable(Buffer.from(frame, 'hex'), MAX_BYTES), 'corrupt');
  });

  it('survives any damage', () => {
    for (const name of ['skewed bytes', 'several blocks of few symbols', 'words']) {
      const frame = frameOf(name);
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
          (changes) => {
            const damaged = Buffer.from(frame);
            for (const [at, byte] of changes) damaged[at] = byte;
            const output = decompressZstdPortable(damaged, MAX_BYTES);
            assert(typeof output === 'string' || output.length <= MAX_BYTES);
          },
        ),
        { numRuns: 300 },
      );
    }
  });
});
