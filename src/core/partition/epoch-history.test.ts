import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EpochHistory } from './epoch-history.ts';

describe('EpochHistory', () => {
  it('knows where each epoch ended', () => {
    const history = new EpochHistory();
    history.begin(1, 0);
    history.begin(4, 10);
    history.begin(5, 25);
    assert.deepEqual(history.endOffset(1, 40), { epoch: 1, endOffset: 10 });
    assert.deepEqual(history.endOffset(3, 40), { epoch: 1, endOffset: 10 });
    assert.deepEqual(history.endOffset(4, 40), { epoch: 4, endOffset: 25 });
    assert.deepEqual(history.endOffset(5, 40), { epoch: 5, endOffset: 40 });
    assert.equal(history.endOffset(6, 40), null);
    assert.equal(history.endOffset(-1, 40), null);
    assert.deepEqual(history.endOffset(0, 40), { epoch: 0, endOffset: 0 });
  });

  it('takes no epoch twice and none back', () => {
    const history = new EpochHistory();
    assert.equal(history.begin(2, 5), true);
    assert.equal(history.begin(2, 7), false);
    assert.equal(history.begin(1, 7), false);
    assert.deepEqual(history.endOffset(2, 9), { epoch: 2, endOffset: 9 });
  });

  it('lets an epoch without records go', () => {
    const history = new EpochHistory();
    history.begin(1, 0);
    history.begin(2, 5);
    history.begin(3, 5);
    assert.equal(history.size, 2);
    assert.deepEqual(history.endOffset(2, 9), { epoch: 1, endOffset: 5 });
  });

  it('is bounded', () => {
    const history = new EpochHistory();
    for (let epoch = 1; epoch <= 1000; epoch++) history.begin(epoch, epoch);
    assert.equal(history.size, 256);
    assert.equal(history.latest, 1000);
  });
});
