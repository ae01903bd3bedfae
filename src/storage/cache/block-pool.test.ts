import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { BlockPool } from './block-pool.ts';
import { TailCache } from './tail-cache.ts';

describe('block pool', () => {
  it('uses a block again in a later turn, not in the same one', () => {
    const clock = new ManualClock();
    const pool = new BlockPool({ clock, blockBytes: 100, spareMax: 2 });
    const first = pool.take(100, 0);
    first.evict();
    assert.notEqual(pool.take(100, 0), first);
    clock.advance(0);
    assert.equal(pool.take(100, 0), first);
  });

  it('leaves a leased block alone until its last release', () => {
    const clock = new ManualClock();
    const pool = new BlockPool({ clock, blockBytes: 100, spareMax: 2 });
    const block = pool.take(100, 0);
    block.retain();
    block.evict();
    clock.advance(0);
    assert.notEqual(pool.take(100, 0), block);
    block.release();
    clock.advance(0);
    assert.equal(pool.take(100, 0), block);
  });

  it('does not fill a block that was leased while it rested', () => {
    const clock = new ManualClock();
    const pool = new BlockPool({ clock, blockBytes: 100, spareMax: 2 });
    const block = pool.take(100, 0);
    block.evict();
    block.retain();
    clock.advance(0);
    assert.notEqual(pool.take(100, 0), block);
    block.release();
    clock.advance(0);
    assert.equal(pool.take(100, 0), block);
    assert.notEqual(pool.take(100, 0), block, 'it came back once');
  });

  it('gives what is larger than a block a buffer of its own', () => {
    const clock = new ManualClock();
    const pool = new BlockPool({ clock, blockBytes: 100, spareMax: 2 });
    const large = pool.take(1000, 0);
    assert.equal(large.buffer.length, 1000);
    large.evict();
    clock.advance(0);
    assert.notEqual(pool.take(1000, 0), large);
  });
});

describe('tail cache', () => {
  it('finds blocks by location and evicts the oldest that are written', () => {
    const clock = new ManualClock();
    const cache = new TailCache({ clock, blockBytes: 100, cacheBytes: 200 });
    const blocks = [0, 100, 200, 300].map((location, i) => {
      const block = cache.allocate(100, location);
      block.used = 100;
      block.lastSequence = i + 1;
      return block;
    });
    assert.equal(cache.find(0), blocks[0]);
    assert.equal(cache.find(250), blocks[2]);
    assert.equal(cache.find(400), null);
    cache.shrink(1);
    assert.equal(cache.find(0), null, 'group 1 is written');
    assert.equal(cache.find(100), blocks[1], 'group 2 is not');
    cache.shrink(9);
    assert.equal(cache.find(100), null);
    assert.equal(cache.find(200), blocks[2]);
    assert.equal(cache.cacheBytes, 200);
  });
});
