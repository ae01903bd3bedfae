import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { BytesInterner } from './bytes-interner.ts';
import { AmqpCodecError } from './codec-error.ts';

describe('BytesInterner', () => {
  test('gives the string of the bytes, whatever was asked before and however few slots there are', () => {
    fc.assert(
      fc.property(
        fc.nat(40),
        fc.array(fc.string({ unit: 'grapheme', maxLength: 30 }), { maxLength: 60 }),
        (slots, texts) => {
          const interner = new BytesInterner(slots);
          for (const text of [...texts, ...texts]) {
            const bytes = Buffer.from(`<${text}>`);
            assert.equal(interner.intern(bytes, 1, bytes.length - 1), text);
          }
        },
      ),
    );
  });

  test('refuses what is no UTF-8', () => {
    const interner = new BytesInterner();
    assert.throws(() => interner.intern(Buffer.from([0x61, 0xff]), 0, 2), AmqpCodecError);
  });
});
