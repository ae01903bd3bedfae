import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BufferPool } from './buffer-pool.ts';

describe('BufferPool', () => {
  it('rounds up to powers of two, from 1 KiB', () => {
    const pool = new BufferPool(0);
    assert.equal(pool.take(0).length, 1024);
    assert.equal(pool.take(1024).length, 1024);
    assert.equal(pool.take(1025).length, 2048);
    assert.equal(BufferPool.roundUp(1_000_000), 1 << 20);
  });

  it('reuses what was given back, up to its bound', () => {
    const pool = new BufferPool(4096);
    const first = pool.take(4000);
    const second = pool.take(4000);
    pool.give(first);
    pool.give(second);
    assert.equal(pool.keptBytes, 4096);
    assert.equal(pool.takenBytes, 0);
    assert.equal(pool.take(3000), first);
    assert.notEqual(pool.take(3000), second);
  });
});
