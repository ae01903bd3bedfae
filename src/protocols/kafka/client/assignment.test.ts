import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { assignRanges } from './group-member.ts';
import { murmur2, partitionOfKey } from './murmur2.ts';

test('keys hash as with the Java client', () => {
  // Values of the Java client's own test of its hash.
  for (const [text, expected] of [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ] as const) {
    assert.equal(murmur2(Buffer.from(text)), expected, text);
  }
  assert.equal(partitionOfKey(Buffer.from('21'), 7), (-973932308 & 0x7fff_ffff) % 7);
});

test('ranges give every partition to exactly one member that wants it, evenly and in order', () => {
  const members = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(members, fc.integer({ min: 1, max: 20 }), (ids, count) => {
      const assigned = assignRanges(
        ids.map((memberId) => ({ memberId, topics: ['t'] })),
        new Map([['t', count]]),
      );
      const inOrder = [...ids].sort().map((id) => assigned.get(id) ?? []);
      assert.deepEqual(
        inOrder.flat().map(({ partition }) => partition),
        Array.from({ length: count }, (_, partition) => partition),
      );
      const sizes = inOrder.map((partitions) => partitions.length);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
    }),
  );
  const picky = assignRanges(
    [
      { memberId: 'a', topics: ['x'] },
      { memberId: 'b', topics: ['y'] },
    ],
    new Map([
      ['x', 2],
      ['y', 1],
    ]),
  );
  assert.equal(picky.get('a')?.length, 2);
  assert.deepEqual(picky.get('b'), [{ topic: 'y', partition: 0 }]);
});
