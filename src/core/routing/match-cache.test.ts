import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MatchCache } from './match-cache.ts';

describe('MatchCache', () => {
  it('keeps what is used, drops what is not, and stays in its bound', () => {
    const cache = new MatchCache<number>(10);
    cache.set('hot', 1);
    for (let i = 0; i < 1000; i++) {
      cache.set(`cold-${i}`, i);
      assert.equal(cache.get('hot'), 1);
      assert(cache.size <= 11);
    }
    assert.equal(cache.get('cold-1'), undefined);
    assert.equal(cache.get('cold-999'), 999);
  });

  it('forgets single keys and everything', () => {
    const cache = new MatchCache<number>(4);
    for (const key of ['a', 'b', 'c']) cache.set(key, 1);
    cache.delete('a');
    assert.equal(cache.get('a'), undefined);
    assert.equal(cache.get('b'), 1);
    cache.clear();
    assert.equal(cache.size, 0);
    assert.equal(cache.get('b'), undefined);
  });
});
