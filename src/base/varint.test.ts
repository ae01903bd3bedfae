import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { VarintReader, varintBytes, writeVarint } from './varint.ts';

function encode(value: number): Buffer {
  const buffer = Buffer.alloc(10);
  return buffer.subarray(0, writeVarint(buffer, value, 0));
}

describe('varints', () => {
  it('have the bytes that the format says', () => {
    const examples: [number, string][] = [
      [0, '00'],
      [-1, '01'],
      [1, '02'],
      [63, '7e'],
      [-64, '7f'],
      [64, '8001'],
      [2_147_483_647, 'feffffff0f'],
      [-2_147_483_648, 'ffffffff0f'],
    ];
    for (const [value, hex] of examples) assert.equal(encode(value).toString('hex'), hex);
  });

  it('of 32 bits come back', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        const bytes = encode(value);
        assert.equal(bytes.length, varintBytes(value));
        const reader = new VarintReader(bytes, 0, bytes.length);
        assert.equal(reader.readVarint(), value);
        assert.equal(reader.position, bytes.length);
        assert.equal(reader.failed, false);
      }),
    );
  });

  it('of 64 bits come back while they are safe integers', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 }), (value) => {
        const bytes = encode(value);
        assert.equal(bytes.length, varintBytes(value));
        const reader = new VarintReader(bytes, 0, bytes.length);
        assert.equal(reader.readVarlong(), value);
        assert.equal(reader.failed, false);
      }),
    );
  });

  it('fail when they are cut off, too long, or no safe integer', () => {
    const failing = ['', '80', 'ffffffffff01', 'ffffffff1f'];
    for (const hex of failing) {
      const bytes = Buffer.from(hex, 'hex');
      const reader = new VarintReader(bytes, 0, bytes.length);
      assert.equal(reader.readVarint(), 0);
      assert.equal(reader.failed, true, hex);
    }
    for (const hex of ['', '80', 'ffffffffffffffffff01', 'ffffffffffffffffffff01']) {
      const bytes = Buffer.from(hex, 'hex');
      const reader = new VarintReader(bytes, 0, bytes.length);
      assert.equal(reader.readVarlong(), 0);
      assert.equal(reader.failed, true, hex);
    }
  });
});
