import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Settlement } from '../../core/queue-types.ts';
import { Unsettled, type DeliverySource, type DeliveryTaker } from './unsettled.ts';

class RecordingSource implements DeliverySource {
  readonly settled: (readonly [ref: number, settlement: Settlement])[] = [];

  settle(ref: number, settlement: Settlement): void {
    this.settled.push([ref, settlement]);
  }
}

class CountingTaker implements DeliveryTaker {
  count = 0;

  settled(): void {
    this.count++;
  }
}

describe('Unsettled', () => {
  it('numbers deliveries from 1, those without acknowledgement too', () => {
    const unsettled = new Unsettled();
    const source = new RecordingSource();
    const tags = [
      unsettled.add(source, 10, null),
      unsettled.skip(),
      unsettled.add(source, 11, null),
    ];
    assert.deepEqual(tags, [1, 2, 3]);
    assert.equal(unsettled.size, 2);
    assert.equal(unsettled.has(2), false);
    assert.equal(unsettled.settle(2, 'accept'), false);
    assert.equal(unsettled.settle(3, 'reject'), true);
    assert.equal(unsettled.settle(3, 'reject'), false);
    assert.equal(unsettled.has(4), false);
    assert.deepEqual(source.settled, [[11, 'reject']]);
  });

  it('tells each delivery its source and its taker', () => {
    const unsettled = new Unsettled();
    const [a, b] = [new RecordingSource(), new RecordingSource()];
    const taker = new CountingTaker();
    unsettled.add(a, 1, taker);
    unsettled.add(b, 2, null);
    unsettled.add(a, 3, taker);
    unsettled.settleUpTo(2, 'accept');
    assert.equal(taker.count, 1);
    unsettled.settleAll('return');
    assert.equal(taker.count, 2);
    assert.deepEqual(a.settled, [
      [1, 'accept'],
      [3, 'return'],
    ]);
    assert.deepEqual(b.settled, [[2, 'accept']]);
    assert.equal(unsettled.size, 0);
  });

  it('keeps what a transaction has staged from being settled again, until it commits or is rolled back', () => {
    const unsettled = new Unsettled();
    const source = new RecordingSource();
    const taker = new CountingTaker();
    for (let ref = 1; ref <= 40; ref++) unsettled.add(source, ref, ref === 1 ? null : taker);
    assert.equal(unsettled.stage(2, 2, 'reject'), 2);
    assert.equal(unsettled.stage(2, 2, 'accept'), 0);
    assert.equal(unsettled.stage(0, 3, 'accept'), 1);
    assert.equal(unsettled.has(2), false);
    unsettled.settleUpTo(4, 'return');
    assert.deepEqual(source.settled, [[4, 'return']]);
    assert.deepEqual([unsettled.size, unsettled.consumed], [39, 38]);
    unsettled.rollBack(3, 3);
    assert.equal(unsettled.has(3), true);
    unsettled.commit(1, 3);
    assert.deepEqual(source.settled.slice(1), [
      [1, 'accept'],
      [2, 'reject'],
    ]);
    assert.deepEqual([unsettled.size, unsettled.consumed, taker.count], [37, 37, 2]);
    unsettled.settleAll('return');
    assert.deepEqual([unsettled.size, unsettled.consumed], [0, 0]);
  });

  it('does what a map of tags does, in any order of calls', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom('add', 'skip'), tag: fc.constant(0) }),
      fc.record({ kind: fc.constantFrom('settle', 'upTo'), tag: fc.nat(80) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const unsettled = new Unsettled();
        const source = new RecordingSource();
        const model = new Map<number, number>();
        const expected: number[] = [];
        for (const [ref, { kind, tag }] of steps.entries()) {
          if (kind === 'add') model.set(unsettled.add(source, ref, null), ref);
          else if (kind === 'skip') unsettled.skip();
          else if (kind === 'settle') {
            assert.equal(unsettled.settle(tag, 'accept'), model.has(tag));
            if (model.has(tag)) expected.push(model.get(tag)!);
            model.delete(tag);
          } else {
            unsettled.settleUpTo(tag, 'accept');
            for (const [known, its] of model) {
              if (known > tag) continue;
              expected.push(its);
              model.delete(known);
            }
          }
          assert.equal(unsettled.size, model.size);
        }
        assert.deepEqual(
          source.settled.map(([ref]) => ref).sort((x, y) => x - y),
          expected.sort((x, y) => x - y),
        );
      }),
    );
  });
});
