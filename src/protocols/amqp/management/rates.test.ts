import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SteppedClock } from '../../../../test/support/stepped-clock.ts';
import { Rates } from './rates.ts';

describe('Rates', () => {
  it('tells the change since a look five seconds ago or more', () => {
    const clock = new SteppedClock();
    const rates = new Rates(clock);
    const owner = {};
    assert.deepEqual(rates.of(owner, 'k', [100]), [0]);
    clock.advance(2_000);
    assert.deepEqual(rates.of(owner, 'k', [120]), [10]);
    clock.advance(4_000);
    assert.deepEqual(rates.of(owner, 'k', [160]), [10]);
    // That look was old enough to compare with; the first one is still the one before it.
    clock.advance(5_000);
    assert.deepEqual(rates.of(owner, 'k', [160]), [5.455]);
    clock.advance(5_000);
    assert.deepEqual(rates.of(owner, 'k', [160]), [0]);
  });

  it('keeps kinds and owners apart, and forgets', () => {
    const clock = new SteppedClock();
    const rates = new Rates(clock);
    const owner = {};
    rates.of(owner, 'a', [0]);
    clock.advance(1_000);
    assert.deepEqual(rates.of(owner, 'b', [9]), [0]);
    assert.deepEqual(rates.of({}, 'a', [9]), [0]);
    assert.deepEqual(rates.stats(owner, 'a', { publish: 9 }), {
      publish: 9,
      publish_details: { rate: 9 },
    });
    rates.reset();
    assert.deepEqual(rates.of(owner, 'a', [9]), [0]);
  });
});
