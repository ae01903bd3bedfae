import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addDamage, damageAfter, damageAt, damageFrom } from './damage.ts';

describe('damaged ranges', () => {
  it('are sorted and merged where they touch', () => {
    let ranges = addDamage(null, { from: 10, to: 20 });
    ranges = addDamage(ranges, { from: 40, to: 50 });
    ranges = addDamage(ranges, { from: 0, to: 5 });
    ranges = addDamage(ranges, { from: 20, to: 30 });
    assert.deepEqual(ranges, [
      { from: 0, to: 5 },
      { from: 10, to: 30 },
      { from: 40, to: 50 },
    ]);
    assert.deepEqual(addDamage(ranges, { from: 4, to: 45 }), [{ from: 0, to: 50 }]);
  });

  it('are found by offset', () => {
    const ranges = [
      { from: 10, to: 20 },
      { from: 40, to: 50 },
    ];
    assert.equal(damageAt(ranges, 9), null);
    assert.equal(damageAt(ranges, 10), ranges[0]);
    assert.equal(damageAt(ranges, 20), null);
    assert.equal(damageAt(ranges, 49), ranges[1]);
    assert.equal(damageAfter(ranges, 5), 10);
    assert.equal(damageAfter(ranges, 20), 40);
    assert.equal(damageAfter(ranges, 50), Infinity);
  });

  it('go with what is trimmed', () => {
    const ranges = [{ from: 10, to: 20 }];
    assert.deepEqual(damageFrom(ranges, 15), ranges);
    assert.equal(damageFrom(ranges, 20), null);
    assert.equal(damageFrom(null, 0), null);
  });
});
