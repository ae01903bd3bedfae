import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { OffsetHistory } from './offset-history.ts';

describe('OffsetHistory', () => {
  it('tells when a record came, in between two looks by its share of the records', () => {
    const history = new OffsetHistory();
    history.observe(100, 0);
    history.observe(100, 15_000);
    history.observe(250, 30_000);
    history.observe(400, 45_000);
    assert.equal(history.ageMs(175, 45_000), 22_500);
    assert.equal(history.ageMs(250, 60_000), 30_000);
    assert.equal(history.ageMs(399, 60_000), 15_100);
  });

  it('has no age for what is not there yet', () => {
    const history = new OffsetHistory();
    assert.equal(history.ageMs(0, 5), 0);
    history.observe(10, 5);
    assert.equal(history.ageMs(10, 500), 0);
    assert.equal(history.ageMs(12, 500), 0);
  });

  it('tells at least how long it has looked for older records', () => {
    const history = new OffsetHistory();
    history.observe(10, 1000);
    history.observe(20, 2000);
    assert.equal(history.ageMs(3, 9000), 8000);
  });

  it('never makes a record younger than a later one, however long it looks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 400 }),
        fc.nat({ max: 60 }),
        (steps, ahead) => {
          const history = new OffsetHistory();
          let end = 0;
          let nowMs = 0;
          for (const step of steps) {
            end += step;
            nowMs += 15_000;
            history.observe(end, nowMs);
          }
          let age = Infinity;
          for (let offset = 0; offset <= end + ahead; offset += 7) {
            const next = history.ageMs(offset, nowMs);
            assert.ok(next >= 0 && next <= age);
            age = next;
          }
        },
      ),
    );
  });
});
