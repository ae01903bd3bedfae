import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as check, maxSafeNat, property, uint8Array } from 'fast-check';
import {
  decodeFooter,
  decodeSparseIndex,
  encodeFooter,
  encodeSegmentHeader,
  encodeSparseIndex,
  segmentFileName,
  segmentFileNumber,
} from './segment-format.ts';

const EXTENT = {
  file: 12,
  position: 64,
  bytes: 2 ** 33,
  baseOffset: 5,
  endOffset: 2 ** 41,
  maxTimestamp: 1_700_000_000_000,
  maxTimestampOffset: 9,
  indexPosition: 2 ** 33 + 64,
  indexBytes: 28,
};

describe('segment format', () => {
  it('round trips a sparse index and refuses any change of it', () => {
    const triple = array(maxSafeNat(), { minLength: 3, maxLength: 3 });
    check(
      property(array(triple, { minLength: 1, maxLength: 20 }), (triples) => {
        const entries = triples.flat();
        const bytes = encodeSparseIndex(entries);
        assert.deepEqual([...decodeSparseIndex(bytes)!], entries);
        bytes[entries.length] = bytes[entries.length]! ^ 1;
        assert.equal(decodeSparseIndex(bytes), null);
      }),
    );
    const whole = encodeSparseIndex([0, 64, -1]);
    for (let end = 0; end < whole.length; end++) {
      assert.equal(decodeSparseIndex(whole.subarray(0, end)), null);
    }
  });

  it('finds the extents again by the footer', () => {
    const extents = [
      { log: 3, extent: EXTENT },
      { log: 2 ** 40, extent: { ...EXTENT, maxTimestamp: -1 } },
    ];
    const footer = encodeFooter(extents);
    const file = Buffer.concat([Buffer.alloc(500, 7), footer]);
    assert.deepEqual(decodeFooter(file, 12), extents);
    for (let end = 0; end < file.length; end++) {
      assert.equal(decodeFooter(file.subarray(0, end), 12), null);
    }
    file[510] = file[510]! ^ 1;
    assert.equal(decodeFooter(file, 12), null);
  });

  it('takes garbage for no footer', () => {
    check(
      property(uint8Array({ maxLength: 300 }), (garbage) => {
        assert.equal(decodeFooter(Buffer.from(garbage), 1), null);
      }),
    );
  });

  it('names its files', () => {
    assert.equal(segmentFileNumber(segmentFileName(42)), 42);
    assert.equal(segmentFileNumber('segment-42'), null);
    assert.equal(segmentFileNumber('unused-segment-0000000042'), null);
    const header = { clusterId: Buffer.alloc(16), number: 1, writtenMs: 5 };
    assert.equal(encodeSegmentHeader(header).length, 64);
  });
});
