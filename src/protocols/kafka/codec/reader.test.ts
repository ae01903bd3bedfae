import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CodecError } from './codec-error.ts';
import { ELEMENTS_PER_MESSAGE_MAX, Reader } from './reader.ts';
import { Writer } from './writer.ts';

const readerOf = (hex: string): Reader => new Reader(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

const refuses = (read: () => unknown, problem: RegExp): void => {
  assert.throws(read, (error: unknown) => {
    assert.ok(error instanceof CodecError);
    assert.equal(error.code, 'LB5001');
    assert.match(error.message, problem);
    return true;
  });
};

test('reads numbers', () => {
  const reader = readerOf(
    'ff 8000 fffe 80000000 ffffffffffffffff 001fffffffffffff 3ff8000000000000 01 00',
  );
  assert.equal(reader.int8('a'), -1);
  assert.equal(reader.int16('b'), -32768);
  assert.equal(reader.uint16('c'), 65534);
  assert.equal(reader.int32('d'), -(2 ** 31));
  assert.equal(reader.int64('e'), -1);
  assert.equal(reader.int64('f'), Number.MAX_SAFE_INTEGER);
  assert.equal(reader.float64('g'), 1.5);
  assert.equal(reader.bool('h'), true);
  assert.equal(reader.bool('i'), false);
  assert.equal(reader.remaining, 0);
});

test('reads the ends of int64 as the nearest numbers', () => {
  assert.equal(readerOf('7fffffffffffffff').int64('x'), 2 ** 63);
  assert.equal(readerOf('8000000000000000').int64('x'), -(2 ** 63));
});

test('reads varints up to 32 bits and refuses longer ones', () => {
  assert.equal(readerOf('00').uvarint('x'), 0);
  assert.equal(readerOf('7f').uvarint('x'), 127);
  assert.equal(readerOf('8001').uvarint('x'), 128);
  assert.equal(readerOf('ffffffff0f').uvarint('x'), 2 ** 32 - 1);
  refuses(() => readerOf('ffffffff10').uvarint('x'), /varint is longer/);
  refuses(() => readerOf('8080808080 00').uvarint('x'), /varint is longer/);
  refuses(() => readerOf('ffff').uvarint('x'), /1 bytes wanted, 0 left/);
});

test('varints of any value survive', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
      const writer = new Writer();
      writer.uvarint(value);
      assert.equal(new Reader(writer.toBuffer()).uvarint('x'), value);
    }),
  );
});

test('tells null from empty, and refuses other negative lengths', () => {
  assert.equal(readerOf('ffff').nullableString(false, 'x'), null);
  assert.equal(readerOf('0000').nullableString(false, 'x'), '');
  assert.equal(readerOf('00').nullableString(true, 'x'), null);
  assert.equal(readerOf('01').nullableString(true, 'x'), '');
  assert.equal(readerOf('ffffffff').nullableBytes(false, 'x'), null);
  assert.equal(readerOf('00').nullableBytes(true, 'x'), null);
  assert.equal(readerOf('ffffffff').nullableArrayCount(false, 1, 'x'), -1);
  assert.equal(readerOf('00').nullableArrayCount(true, 1, 'x'), -1);
  refuses(() => readerOf('ffff').string(false, 'x'), /null where a string/);
  refuses(() => readerOf('00').string(true, 'x'), /null where a string/);
  refuses(() => readerOf('00').bytes(true, 'x'), /null where bytes/);
  refuses(() => readerOf('00').records(true, 'x'), /null where records/);
  refuses(() => readerOf('ffffffff').arrayCount(false, 1, 'x'), /null where an array/);
  refuses(() => readerOf('fffe').nullableString(false, 'x'), /negative length -2/);
  refuses(() => readerOf('fffffffe').nullableArrayCount(false, 1, 'x'), /negative length -2/);
});

test('bytes are a view, uuids a copy', () => {
  const buffer = Buffer.from('03aabb00112233445566778899aabbccddeeff', 'hex');
  const reader = new Reader(buffer);
  const bytes = reader.bytes(true, 'x');
  const uuid = reader.uuid('y');
  buffer.fill(0);
  assert.equal(bytes.toString('hex'), '0000');
  assert.equal(uuid.toString('hex'), '00112233445566778899aabbccddeeff');
});

test('refuses counts that cannot fit before anything is allocated', () => {
  refuses(() => readerOf('7fffffff 00').arrayCount(false, 1, 'topics'), /2147483647 elements/);
  refuses(() => readerOf('ffffffff0f 00').arrayCount(true, 1, 'topics'), /elements do not fit/);
  refuses(() => readerOf('00000002 00000000 000000').arrayCount(false, 4, 'x'), /2 elements/);
  assert.equal(readerOf('00000002 00000000 00000000').arrayCount(false, 4, 'x'), 2);
  refuses(() => readerOf('7fffffff').bytes(false, 'x'), /2147483647 bytes wanted, 0 left/);
  refuses(() => readerOf('ffffffff0f').skipTags(), /tagged fields do not fit/);
});

test('bounds the elements of all arrays of a message together', () => {
  const buffer = Buffer.alloc(4 + ELEMENTS_PER_MESSAGE_MAX + 1);
  buffer.writeInt32BE(ELEMENTS_PER_MESSAGE_MAX + 1, 0);
  refuses(() => new Reader(buffer).arrayCount(false, 1, 'x'), /more than 1000000 array elements/);
  buffer.writeInt32BE(ELEMENTS_PER_MESSAGE_MAX, 0);
  const reader = new Reader(buffer);
  reader.arrayCount(false, 1, 'x');
  reader.position = 0;
  refuses(() => reader.arrayCount(false, 1, 'x'), /more than 1000000 array elements/);
  reader.reset(buffer, 0, buffer.length);
  assert.equal(reader.arrayCount(false, 1, 'x'), ELEMENTS_PER_MESSAGE_MAX);
});

test('keeps to its bounds inside a larger buffer', () => {
  const reader = new Reader(Buffer.alloc(16), 4, 6);
  assert.equal(reader.int16('x'), 0);
  refuses(() => reader.int8('y'), /field y, byte 6: 1 bytes wanted, 0 left/);
  assert.throws(() => new Reader(Buffer.alloc(2), 0, 3), /outside its buffer/);
});

test('a tagged field must be exactly as long as it says', () => {
  const longer = readerOf('04 00000001');
  const outerEnd = longer.openTag();
  assert.equal(longer.int16('x'), 0);
  refuses(() => longer.closeTag(outerEnd), /2 bytes too many/);
  const shorter = readerOf('02 00000001');
  shorter.openTag();
  refuses(() => shorter.int32('x'), /4 bytes wanted, 2 left/);
  refuses(() => readerOf('05 00').openTag(), /5 bytes do not fit/);
});

test('errors name message, version, field and byte', () => {
  const reader = readerOf('0000 00');
  reader.begin('ProduceRequest', 7, 3, 13);
  reader.int16('acks');
  refuses(() => reader.int32('timeoutMs'), /^ProduceRequest v7, field timeoutMs, byte 2: 4 bytes/);
  refuses(
    () => reader.begin('ProduceRequest', 2, 3, 13),
    /^ProduceRequest v2, byte 2: versions 3 to/,
  );
});
