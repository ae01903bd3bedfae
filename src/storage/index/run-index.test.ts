import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  array,
  assert as check,
  constant,
  constantFrom,
  nat,
  oneof,
  property,
  record,
} from 'fast-check';
import { RUN_SHARED, RunIndex, packSharedEpoch } from './run-index.ts';

interface Run {
  readonly base: number;
  readonly count: number;
  readonly location: number;
}

function checkEqual(index: RunIndex, model: readonly Run[]): void {
  assert.equal(index.length, model.length);
  for (const [run, expected] of model.entries()) {
    assert.equal(index.baseOffset(run), expected.base);
    assert.equal(index.count(run), expected.count);
    assert.equal(index.endOffset(run), expected.base + expected.count);
    assert.equal(index.location(run), expected.location);
    assert.equal(index.bytes(run), expected.count * 10);
  }
}

describe('run index', () => {
  it('behaves like a list of runs', () => {
    const operation = oneof(
      record({ kind: constant('push'), count: nat(20), gap: nat(3) }),
      record({ kind: constant('drop'), count: nat(5), gap: constant(0) }),
    );
    check(
      property(array(operation, { maxLength: 60 }), (operations) => {
        const index = new RunIndex();
        const model: Run[] = [];
        let offset = 0;
        let location = 1000;
        for (const { kind, count, gap } of operations) {
          if (kind === 'push') {
            const run = { base: offset + gap, count: count + 1, location };
            index.push(run.base, location, run.count * 10, run.count, 0, offset, 0);
            model.push(run);
            offset = run.base + run.count;
            location += 500;
          } else {
            const dropped = Math.min(count, model.length);
            index.dropFirst(dropped);
            model.splice(0, dropped);
          }
          checkEqual(index, model);
        }
        for (let at = 0; at <= offset; at++) {
          const found = model.findIndex((run) => run.base + run.count > at);
          assert.equal(index.find(at), found === -1 ? model.length : found);
        }
        const half = model[model.length >>> 1];
        if (half !== undefined) {
          assert.equal(index.findLocation(half.location), model.length >>> 1);
          checkEqual(
            index.slice(model.length >>> 1, model.length),
            model.slice(model.length >>> 1),
          );
        }
        const copy = new RunIndex();
        copy.pushPacked(index.packed(0, model.length));
        checkEqual(copy, model);
      }),
    );
  });

  it('keeps every field, however far apart values are, and slices what they were', () => {
    const jump = record({
      runs: nat({ max: 300 }),
      location: constantFrom(200, 2 ** 31, 2 ** 40),
      timestamp: constantFrom(1, -5, 2 ** 45, -(2 ** 45)),
      epoch: constantFrom(0, 1, 77),
      drop: nat({ max: 400 }),
    });
    check(
      property(array(jump, { maxLength: 8 }), (jumps) => {
        const index = new RunIndex();
        const model: number[] = [];
        const slices: { slice: RunIndex; expected: number[] }[] = [];
        let [offset, location, timestamp] = [0, 0, 1.7e12];
        for (const { runs, epoch, drop, ...step } of jumps) {
          location += step.location;
          timestamp += step.timestamp;
          for (let run = 0; run < runs; run++) {
            const last = packSharedEpoch(run % 3, epoch);
            index.push(offset, location, 100 + run, 3, RUN_SHARED, timestamp, last);
            model.push(offset, location, 100 + run, 3 * 4 + RUN_SHARED, timestamp, last);
            offset += 3;
            location += 900;
            timestamp++;
          }
          slices.push({ slice: index.slice(0, index.length), expected: [...model] });
          const dropped = Math.min(drop, index.length);
          index.dropFirst(dropped);
          model.splice(0, dropped * 6);
          assert.deepEqual([...index.packed(0, index.length)], model);
        }
        for (const { slice, expected } of slices) {
          assert.deepEqual([...slice.packed(0, slice.length)], expected);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('keeps the epoch of a shared run beside the delta', () => {
    const index = new RunIndex();
    index.push(0, 0, 10, 5, RUN_SHARED, 99, packSharedEpoch(4, 1234));
    assert.equal(index.flags(0), RUN_SHARED);
    assert.equal(index.count(0), 5);
    assert.equal(index.maxTimestampDelta(0), 4);
    assert.equal(index.sharedEpoch(0), 1234);
  });
});
