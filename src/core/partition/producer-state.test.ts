import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { REMEMBERED_BATCHES } from './producer-entry.ts';
import { ProducerState, type ProducerVerdict } from './producer-state.ts';

interface Batch {
  readonly producerId: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly count: number;
}

interface Stored extends Batch {
  readonly offset: number;
}

const SEQUENCES = 2 ** 31;

/** The rules written down as simply as possible, over everything that was ever stored. */
class Model {
  readonly stored: Stored[] = [];

  verdict({ producerId, epoch, sequence, count }: Batch): ProducerVerdict | Stored {
    const own = this.stored.filter((batch) => batch.producerId === producerId);
    const current = Math.max(...own.map((batch) => batch.epoch));
    if (own.length === 0) return 'append';
    if (epoch < current) return 'fenced';
    const ofEpoch = own.filter((batch) => batch.epoch === epoch);
    if (ofEpoch.length === 0) return sequence === 0 ? 'append' : 'out-of-order';
    const same = ofEpoch
      .slice(-REMEMBERED_BATCHES)
      .reverse()
      .find((batch) => batch.sequence === sequence && batch.count === count);
    if (same !== undefined) return same;
    const last = ofEpoch.at(-1)!;
    return (last.sequence + last.count) % SEQUENCES === sequence ? 'append' : 'out-of-order';
  }
}

function append(state: ProducerState, batch: Batch, offset: number, nowMs = 0): void {
  const { producerId, epoch, sequence, count } = batch;
  state.appended(
    producerId,
    epoch,
    {
      firstSequence: sequence,
      lastOffsetDelta: count - 1,
      baseOffset: offset,
      position: offset + 1,
      timestamp: offset,
    },
    nowMs,
  );
}

function check(
  state: ProducerState,
  { producerId, epoch, sequence, count }: Batch,
): ProducerVerdict {
  return state.check(producerId, epoch, sequence, count - 1);
}

describe('ProducerState', () => {
  it('decides as the reference model does', () => {
    // Mostly what a client would send next or send again; sometimes anything. Near the wrap of sequences, too.
    const step = fc.record({
      producerId: fc.integer({ min: 1, max: 2 }),
      epochChange: fc.constantFrom(0, 0, 0, 0, 0, 1, -1),
      kind: fc.constantFrom('next', 'next', 'next', 'repeat', 'jump', 'zero'),
      back: fc.integer({ min: 1, max: 8 }),
      count: fc.integer({ min: 1, max: 4 }),
    });
    const start = fc.constantFrom(0, 7, SEQUENCES - 5, SEQUENCES - 1);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), start, (steps, firstSequence) => {
        const model = new Model();
        const state = new ProducerState(100);
        let offset = 0;
        for (const { producerId, epochChange, kind, back, count } of steps) {
          const own = model.stored.filter((batch) => batch.producerId === producerId);
          const last = own.at(-1);
          const epoch = Math.max(0, (last?.epoch ?? 0) + epochChange);
          let batch: Batch = { producerId, epoch, sequence: firstSequence, count };
          if (last !== undefined) {
            const next = (last.sequence + last.count) % SEQUENCES;
            const sequences = { next, jump: (next + back) % SEQUENCES, zero: 0, repeat: 0 };
            batch = { producerId, epoch, sequence: sequences[kind as 'next'], count };
            const earlier = own.at(-back);
            if (kind === 'repeat' && earlier !== undefined) batch = { ...earlier, epoch };
          }
          const expected = model.verdict(batch);
          const actual = check(state, batch);
          if (typeof expected === 'string') {
            assert.equal(actual, expected);
          } else {
            assert.equal(actual, 'duplicate');
            assert.equal(state.duplicateOffset, expected.offset);
            assert.equal(state.duplicatePosition, expected.offset + 1);
          }
          if (actual !== 'append') continue;
          append(state, batch, offset);
          model.stored.push({ ...batch, offset });
          offset += batch.count;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('begins again at 0 after the largest sequence, inside a batch or between two', () => {
    const state = new ProducerState(10);
    const batch = { producerId: 1, epoch: 0, sequence: SEQUENCES - 2, count: 4 };
    append(state, batch, 0);
    assert.equal(state.get(1)?.lastSequence, 1);
    assert.equal(check(state, { ...batch, sequence: 2 }), 'append');
    append(state, { ...batch, sequence: SEQUENCES - 2, count: 2 }, 4);
    assert.equal(check(state, { ...batch, sequence: 0 }), 'append');
  });

  it('forgets who was silent since, and takes any sequence from them', () => {
    const state = new ProducerState(10);
    append(state, { producerId: 1, epoch: 3, sequence: 0, count: 1 }, 0, 1000);
    append(state, { producerId: 2, epoch: 3, sequence: 0, count: 1 }, 1, 2000);
    assert.equal(state.expire(2000), 1);
    assert.equal(check(state, { producerId: 1, epoch: 0, sequence: 77, count: 1 }), 'append');
    assert.equal(check(state, { producerId: 2, epoch: 3, sequence: 77, count: 1 }), 'out-of-order');
  });

  it('keeps to its limit by forgetting who was silent longest', () => {
    const state = new ProducerState(20);
    for (let id = 0; id < 20; id++) {
      append(state, { producerId: id, epoch: 0, sequence: 0, count: 1 }, id, 100 - id);
    }
    append(state, { producerId: 99, epoch: 0, sequence: 0, count: 1 }, 20, 200);
    assert.equal(state.size, 19);
    assert.equal(state.get(19), undefined);
    assert.equal(state.get(18), undefined);
    assert.notEqual(state.get(17), undefined);
    assert.notEqual(state.get(99), undefined);
  });
});
