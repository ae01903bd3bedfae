import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../telemetry/logger.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { CommitWaiters } from './commit-waiters.ts';

function setUp(): { clock: ManualClock; waiters: CommitWaiters; told: string[] } {
  const clock = new ManualClock();
  const waiters = new CommitWaiters({ clock, logger: silentLogger });
  return { clock, waiters, told: [] };
}

const listener = (
  told: string[],
  name: string,
): { onCommitted(): void; onCommitFailed(): void } => ({
  onCommitted: () => void told.push(name),
  onCommitFailed: () => void told.push(`${name} failed`),
});

describe('commit waiters', () => {
  it('are released in order as the position moves', () => {
    const { waiters, told } = setUp();
    for (const position of [1, 1, 2, 5]) waiters.add(position, listener(told, `${position}`));
    waiters.advance(1);
    assert.deepEqual(told, ['1', '1']);
    waiters.advance(4);
    assert.deepEqual(told, ['1', '1', '2']);
    waiters.advance(5);
    assert.deepEqual(told, ['1', '1', '2', '5']);
    assert.equal(waiters.length, 0);
  });

  it('that come too late are told in a later turn', () => {
    const { clock, waiters, told } = setUp();
    waiters.advance(9);
    waiters.add(3, listener(told, 'late'));
    assert.deepEqual(told, []);
    clock.advance(0);
    assert.deepEqual(told, ['late']);
  });

  it('of an older position wait with those before them', () => {
    const { waiters, told } = setUp();
    waiters.add(5, listener(told, 'newer'));
    waiters.add(2, listener(told, 'older'));
    waiters.advance(4);
    assert.deepEqual(told, []);
    waiters.advance(5);
    assert.deepEqual(told, ['newer', 'older']);
    waiters.add(7, listener(told, 'next'));
    waiters.advance(7);
    assert.deepEqual(told, ['newer', 'older', 'next']);
  });

  it('are told of a failure, also those who come after it', () => {
    const { clock, waiters, told } = setUp();
    waiters.add(1, listener(told, 'a'));
    waiters.advance(0);
    waiters.fail(new Error('disk'));
    waiters.add(2, listener(told, 'b'));
    clock.advance(0);
    assert.deepEqual(told, ['a failed', 'b failed']);
  });

  it('are all told when one of them throws', () => {
    const { waiters, told } = setUp();
    waiters.add(1, {
      onCommitted: () => {
        throw new Error('listener');
      },
      onCommitFailed: () => {},
    });
    waiters.add(1, listener(told, 'after'));
    waiters.advance(1);
    assert.deepEqual(told, ['after']);
  });
});
