import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Lease } from '../storage/types.ts';
import { BufferPool } from './buffer-pool.ts';
import { OutputQueue } from './output-queue.ts';

class CountingLease implements Lease {
  held = 0;

  retain(): void {
    this.held++;
  }

  release(): void {
    this.held--;
    assert.ok(this.held >= 0);
  }
}

describe('OutputQueue', () => {
  it('sends exactly what was added, in order, and lets go of everything', () => {
    const piece = fc.record({
      size: fc.oneof(fc.nat(20), fc.nat(3000), fc.integer({ min: 4000, max: 200_000 })),
      shared: fc.boolean(),
      flush: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const pool = new BufferPool(1024 * 1024);
        const queue = new OutputQueue(pool);
        const lease = new CountingLease();
        const expected: Buffer[] = [];
        const sent: Buffer[] = [];
        const flush = (): void => {
          const batch = queue.take();
          if (batch === null) return;
          const bytes = Buffer.concat(batch.pieces);
          assert.equal(bytes.length, batch.bytes);
          sent.push(bytes);
          queue.recycle(batch);
        };
        for (const [index, { size, shared, flush: now }] of pieces.entries()) {
          const bytes = Buffer.alloc(size + 2, index + 1);
          expected.push(bytes.subarray(1, size + 1));
          if (shared) queue.addShared(bytes, 1, size + 1, lease);
          else queue.add(bytes, 1, size + 1);
          if (now) flush();
        }
        flush();
        assert.deepEqual(Buffer.concat(sent), Buffer.concat(expected));
        assert.equal(lease.held, 0);
        assert.equal(pool.takenBytes, 0);
      }),
      { numRuns: 200 },
    );
  });

  it('joins small pieces into one and refers to large shared ones', () => {
    const queue = new OutputQueue(new BufferPool(1024 * 1024));
    const lease = new CountingLease();
    const small = Buffer.from('small');
    const large = Buffer.alloc(10_000, 1);
    queue.add(small, 0, 5);
    queue.addShared(small, 0, 5, lease);
    queue.addShared(large, 0, large.length, lease);
    queue.add(small, 0, 5);
    const batch = queue.take();
    assert.deepEqual(
      batch?.pieces.map((piece) => piece.length),
      [10, 10_000, 5],
    );
    assert.equal(batch?.pieces[1]?.buffer, large.buffer);
    assert.equal(lease.held, 1);
  });

  it('drops what was never taken', () => {
    const pool = new BufferPool(1024 * 1024);
    const queue = new OutputQueue(pool);
    const lease = new CountingLease();
    queue.addShared(Buffer.alloc(5000), 0, 5000, lease);
    queue.add(Buffer.alloc(5), 0, 5);
    queue.release();
    assert.equal(lease.held, 0);
    assert.equal(pool.takenBytes, 0);
    assert.equal(queue.take(), null);
  });
});
