import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DeadlineHeap } from './deadline-heap.ts';
import { LaneMarks, MarkPages, SETTLED } from './lane-marks.ts';
import { OffsetHeap } from './offset-heap.ts';
import { DEFAULT_QUEUE_SETTINGS, findArgumentProblem, mergeSettings } from './queue-settings.ts';

describe('OffsetHeap', () => {
  it('gives the smallest first', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), (offsets) => {
        const heap = new OffsetHeap();
        for (const offset of offsets) heap.push(offset);
        const popped = offsets.map(() => heap.pop());
        assert.deepEqual(
          popped,
          [...offsets].sort((a, b) => a - b),
        );
      }),
    );
  });
});

describe('DeadlineHeap', () => {
  it('gives the earliest first, and keeps what a filter keeps', () => {
    const entry = fc.record({ time: fc.nat(50), offset: fc.nat(1000), mark: fc.nat() });
    fc.assert(
      fc.property(fc.array(entry), fc.boolean(), (entries, filters) => {
        const heap = new DeadlineHeap();
        for (const { time, offset, mark } of entries) heap.push(time, offset, mark);
        const keep = (offset: number): boolean => !filters || offset % 2 === 0;
        if (filters) heap.filter(keep);
        const kept = entries.filter(({ offset }) => keep(offset));
        assert.equal(heap.length, kept.length);
        const popped = kept.map(() => {
          const { time, offset } = heap;
          heap.pop();
          return [time, offset];
        });
        const expected = kept.map(({ time, offset }) => [time, offset]);
        expected.sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!);
        assert.deepEqual(popped, expected);
      }),
    );
  });
});

describe('LaneMarks', () => {
  it('knows what is settled, as a set does', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('settle' as const), at: fc.nat(3000) }),
      fc.record({ kind: fc.constant('range' as const), at: fc.nat(3000), length: fc.nat(1500) }),
      fc.record({ kind: fc.constant('set' as const), at: fc.nat(3000) }),
      fc.record({ kind: fc.constant('drop' as const), at: fc.nat(300) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const pool = new MarkPages();
        const marks = new LaneMarks(pool);
        const settled = new Set<number>();
        let floor = 0;
        for (const { kind, at, ...rest } of steps) {
          const offset = floor + at;
          if (kind === 'drop') {
            floor = offset;
            marks.dropBefore(floor);
          } else if (kind === 'range') {
            const end = offset + ('length' in rest ? rest.length : 0);
            let fresh = 0;
            for (let i = offset; i < end; i++) {
              if (!settled.has(i)) fresh++;
              settled.add(i);
            }
            assert.equal(marks.settleRange(offset, end), fresh);
          } else if (settled.has(offset)) {
            assert.equal(marks.get(offset), SETTLED);
          } else if (kind === 'settle') {
            marks.settle(offset);
            settled.add(offset);
          } else {
            marks.set(offset, 7);
            assert.equal(marks.get(offset), 7);
          }
        }
        for (let i = floor; i < floor + 5000; i++) {
          assert.equal(marks.get(i) === SETTLED, settled.has(i));
        }
        let next = floor;
        while (settled.has(next)) next++;
        assert.equal(marks.skipSettled(floor, floor + 100_000), next);
        marks.clear();
        assert.equal(pool.used, 0);
      }),
    );
  });
});

describe('settings', () => {
  it('come from policies, arguments over them, and an operator bounds both', () => {
    const args = { 'max-length': 100, 'max-length-bytes': 7, overflow: 'reject-publish' };
    const policy = {
      'max-length': 60,
      'max-length-bytes': 9,
      'message-ttl': 1000,
      expires: 9,
      overflow: 'drop-head',
    };
    const operator = { 'max-length': 50, 'message-ttl': 2000 };
    const { maxLength, maxBytes, messageTtlMs, expiresMs, overflow } = mergeSettings(
      args,
      policy,
      operator,
    );
    // The lower limit holds, whoever named it.
    assert.equal(mergeSettings(args, policy).maxLength, 60);
    assert.deepEqual([maxLength, maxBytes, messageTtlMs, expiresMs], [50, 7, 1000, 9]);
    assert.equal(overflow, 'reject-publish');
    assert.deepEqual(mergeSettings({}), DEFAULT_QUEUE_SETTINGS);
  });

  it('say what is wrong with them', () => {
    assert.equal(findArgumentProblem({ 'max-priority': 255, 'delivery-limit': -1 }), null);
    for (const [argument, value] of [
      ['message-ttl', -1],
      ['expires', 0],
      ['max-length', '5'],
      ['overflow', 'explode'],
      ['max-priority', 256],
      ['single-active-consumer', 'yes'],
      ['dead-letter-routing-key', 'k'],
    ] as const) {
      assert.equal(findArgumentProblem({ [argument]: value })?.argument, argument);
    }
  });
});
