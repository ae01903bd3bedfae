import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { batchTotalBytes } from '../record-batch.ts';
import { CODEC, compressGzip, decompress } from './index.ts';
import { decompressLz4Block } from './lz4.ts';

const fixtures = JSON.parse(
  readFileSync(new URL('../../../test/fixtures/record-batches.json', import.meta.url), 'utf8'),
) as Record<string, string>;
/** The records of a batch that the Java client compressed. */
function compressedRecords(codec: string): Buffer {
  const batch = Buffer.from(fixtures[codec] ?? '', 'hex');
  return batch.subarray(61, batchTotalBytes(batch, 0));
}

const MAX_BYTES = 1 << 20;

function bytesOf(...hex: string[]): Buffer {
  return Buffer.from(hex.join(''), 'hex');
}
const plain = compressedRecords('none');

describe('decompress', () => {
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const input = compressedRecords(codec);

    it(`reads ${codec}`, () => {
      const output = decompress(CODEC[codec], input, MAX_BYTES);
      assert(typeof output !== 'string');
      assert(output.equals(plain));
    });

    it(`makes at most the given bytes from ${codec}`, () => {
      assert.equal(decompress(CODEC[codec], input, plain.length - 1), 'too-large');
      assert.notEqual(typeof decompress(CODEC[codec], input, plain.length), 'string');
    });

    it(`survives damaged ${codec}`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(input.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
          fc.nat(input.length),
          (changes, length) => {
            const damaged = Buffer.from(input.subarray(0, length === 0 ? input.length : length));
            for (const [at, byte] of changes) if (at < damaged.length) damaged[at] = byte;
            const output = decompress(CODEC[codec], damaged, MAX_BYTES);
            assert(typeof output === 'string' || output.length <= MAX_BYTES);
          },
        ),
        { numRuns: 2000 },
      );
    });

    it(`survives garbage said to be ${codec}`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
          decompress(CODEC[codec], Buffer.from(garbage), MAX_BYTES);
        }),
        { numRuns: 2000 },
      );
    });
  }

  it('refuses codecs that do not exist', () => {
    assert.equal(decompress(5, plain, MAX_BYTES), 'unknown-codec');
  });

  it('reads back what compressGzip made', () => {
    assert.deepEqual(decompress(CODEC.gzip, compressGzip(plain), MAX_BYTES), plain);
  });
});

describe('snappy', () => {
  const raw = (...hex: string[]) => decompress(CODEC.snappy, bytesOf(...hex), MAX_BYTES);

  it('reads every kind of element', () => {
    // 4 literals, then copies of each kind that reach back 4 bytes; the last two overlap themselves.
    const output = raw('1c', '0c61626364', '0104', '1e0400', '2f04000000');
    assert.equal(output.toString(), 'abcd'.repeat(7));
  });

  it('takes literals whose length stands in further bytes', () => {
    const literal = 'x'.repeat(300);
    const bytes = Buffer.concat([Buffer.from('ac02f42b01', 'hex'), Buffer.from(literal)]);
    assert.equal(decompress(CODEC.snappy, bytes, MAX_BYTES).toString(), literal);
  });

  it('refuses offsets before the start, sizes that do not fit and absurd lengths', () => {
    assert.equal(raw('080061', '0504'), 'corrupt'); // offset 4 after one byte
    assert.equal(raw('080061', '0500'), 'corrupt'); // offset 0
    assert.equal(raw('0400', '61'), 'corrupt'); // shorter than it says
    assert.equal(raw('010461', '62'), 'corrupt'); // longer than it says
    assert.equal(raw('ffffff7f', '0061'), 'too-large');
    assert.equal(raw('ffff0f', '0061'), 'corrupt'); // 256 KiB out of two bytes
    assert.equal(raw('ffffffffff'), 'corrupt');
    assert.equal(raw(''), 'corrupt');
  });

  it('reads xerial frames of several blocks, and refuses torn ones', () => {
    const header = '82534e41505059000000000100000001';
    const block = '00000006040c61626364';
    assert.equal(raw(header + block + block).toString(), 'abcdabcd');
    assert.equal(raw(header + block + block.slice(0, -2)), 'corrupt');
    assert.equal(raw(header + block + '7fffffff'), 'corrupt');
    assert.equal(raw(header + block + '00'), 'corrupt');
    assert.equal(raw(header).length, 0);
  });
});

describe('lz4', () => {
  it('reads raw blocks', () => {
    // "abcd", a match of 12 that reaches back 4, "end"
    const block = bytesOf('4861626364', '0400', '30656e64');
    assert.equal(decompressLz4Block(block, 100).toString(), 'abcd'.repeat(4) + 'end');
    assert.equal(decompressLz4Block(block, 18), 'too-large');
    assert.equal(decompressLz4Block(block.subarray(0, 9), 100), 'corrupt');
  });

  it('reads several frames, stored blocks, and skips frames that are not for it', () => {
    const stored = ['04224d18', '6040', '82', '03000080', '616263', '00000000'];
    const skippable = ['502a4d18', '02000000', 'ffff'];
    const input = bytesOf(...stored, ...skippable, ...stored);
    assert.equal(decompress(CODEC.lz4, input, MAX_BYTES).toString(), 'abcabc');
    assert.equal(decompress(CODEC.lz4, input.subarray(0, -1), MAX_BYTES), 'corrupt');
  });
});
