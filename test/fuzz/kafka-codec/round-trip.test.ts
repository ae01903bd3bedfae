import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Reader } from '../../../src/protocols/kafka/codec/reader.ts';
import { encode, messagesUnderTest, plain } from './arbitraries.ts';

const RUNS_PER_VERSION = 4;

test('every message of every version reads back as it was written', () => {
  let versions = 0;
  for (const message of messagesUnderTest()) {
    for (const version of message.versions) {
      versions++;
      fc.assert(
        fc.property(message.values(version), (value) => {
          const bytes = encode(message, value, version);
          // Between other bytes: the reader keeps to its bounds.
          const around = Buffer.concat([Buffer.alloc(3, 0xff), bytes, Buffer.alloc(9, 0xff)]);
          const reader = new Reader(around, 3, 3 + bytes.length);
          const read = message.read(reader, version);
          assert.deepEqual(plain(read), plain(value), `${message.name} v${version}`);
          assert.equal(reader.remaining, 0, `${message.name} v${version} left bytes over`);
        }),
        { numRuns: RUNS_PER_VERSION, seed: 20_000 + versions },
      );
    }
  }
  assert.ok(versions > 500, `only ${versions} versions`);
});
