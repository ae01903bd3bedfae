import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assert as check, nat, property, uint8Array } from 'fast-check';
import {
  FILE_HEADER_BYTES,
  GROUP_HEADER_BYTES,
  decodeFileHeader,
  decodeGroupHeader,
  encodeFileHeader,
  encodeGroupHeader,
  findGroupMagic,
  locationFile,
  locationOf,
  locationPosition,
} from './format.ts';

const GROUP = {
  fileNumber: 7,
  incarnation: 3,
  sequence: 2 ** 40 + 5,
  syncedThrough: 2 ** 40 + 3,
  dataBytes: 4_000_000_000,
  tableBytes: 80,
  entryCount: 2,
  tableCrc: 0xdeadbeef,
};

describe('journal file header', () => {
  const header = {
    clusterId: Buffer.from('0123456789abcdef'),
    fileNumber: 4_000_000_000,
    incarnation: 9,
    createdMs: 1_700_000_000_123,
  };

  it('round trips', () => {
    const bytes = encodeFileHeader(header);
    assert.equal(bytes.length, FILE_HEADER_BYTES);
    assert.deepEqual(decodeFileHeader(bytes), header);
  });

  it('is refused when any byte is changed or cut off', () => {
    const bytes = encodeFileHeader(header);
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = changed[at]! ^ 1;
      assert.equal(decodeFileHeader(changed), null, `byte ${at}`);
      assert.equal(decodeFileHeader(bytes.subarray(0, at)), null);
    }
  });
});

describe('group header', () => {
  it('round trips inside a buffer', () => {
    const bytes = Buffer.alloc(200);
    encodeGroupHeader(GROUP, bytes, 33);
    assert.deepEqual(decodeGroupHeader(bytes, 33), GROUP);
    assert.equal(findGroupMagic(bytes, 0), 33);
    assert.equal(findGroupMagic(bytes, 34), -1);
  });

  it('is refused when any byte is changed or cut off', () => {
    const bytes = Buffer.alloc(GROUP_HEADER_BYTES);
    encodeGroupHeader(GROUP, bytes, 0);
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = changed[at]! ^ 0x80;
      assert.equal(decodeGroupHeader(changed, 0), null, `byte ${at}`);
      assert.equal(decodeGroupHeader(bytes.subarray(0, at), 0), null);
    }
  });

  it('is not found in garbage', () => {
    check(
      property(uint8Array({ maxLength: 300 }), nat(300), (garbage, at) => {
        assert.equal(decodeGroupHeader(Buffer.from(garbage), Math.min(at, garbage.length)), null);
      }),
    );
  });
});

describe('location', () => {
  it('sorts in journal order and comes apart again', () => {
    check(
      property(nat(2 ** 20), nat(2 ** 31 - 1), (file, position) => {
        const location = locationOf(file, position);
        assert.equal(locationFile(location), file);
        assert.equal(locationPosition(location), position);
        assert.ok(locationOf(file + 1, 0) > location);
      }),
    );
  });
});
