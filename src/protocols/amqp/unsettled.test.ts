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
