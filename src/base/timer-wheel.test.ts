import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { CallbackTimeout, TimerWheel } from './timer-wheel.ts';

const TICK_MS = 10;

describe('TimerWheel', () => {
  it('fires each timeout once, never early, at most a tick late', () => {
    const action = fc.oneof(
      fc.record({
        do: fc.constant('start' as const),
        index: fc.integer({ min: 0, max: 9 }),
        ms: fc.integer({ min: 0, max: 20_000 }),
      }),
      fc.record({
        do: fc.constant('cancel' as const),
        index: fc.integer({ min: 0, max: 9 }),
        ms: fc.constant(0),
      }),
      fc.record({
        do: fc.constant('advance' as const),
        index: fc.constant(0),
        ms: fc.integer({ min: 0, max: 12_000 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const clock = new ManualClock();
        const wheel = new TimerWheel(clock, { tickMs: TICK_MS });
        const due = new Array<number | null>(10).fill(null);
        const timeouts = due.map(
          (_, index) =>
            new CallbackTimeout(() => {
              const dueMs = due[index];
              assert(typeof dueMs === 'number', 'fires only what was started');
              const lateMs = clock.monotonicMs() - dueMs;
              assert(lateMs >= 0 && lateMs <= TICK_MS, `${lateMs} ms late`);
              due[index] = null;
            }),
        );
        for (const { do: what, index, ms } of actions) {
          if (what === 'start') {
            wheel.start(timeouts[index]!, ms);
            due[index] = clock.monotonicMs() + ms;
          } else if (what === 'cancel') {
            wheel.cancel(timeouts[index]!);
            due[index] = null;
          } else {
            clock.advance(ms);
          }
          assert.equal(wheel.size, due.filter((at) => at !== null).length);
          assert.deepEqual(
            timeouts.map(({ pending }) => pending),
            due.map((at) => at !== null),
          );
        }
        clock.advance(40_000);
        assert.equal(wheel.size, 0);
        assert.equal(clock.timerCount, 0);
      }),
    );
  });

  it('lets a callback cancel what is due at the same time, and start anything again', () => {
    const clock = new ManualClock();
    const wheel = new TimerWheel(clock);
    const fired: string[] = [];
    const second = new CallbackTimeout(() => fired.push('second'));
    const first = new CallbackTimeout(() => {
      fired.push('first');
      wheel.cancel(second);
      if (fired.length < 3) wheel.start(first, 5);
    });
    wheel.start(first, 20);
    wheel.start(second, 20);
    clock.advance(100);
    assert.deepEqual(fired, ['first', 'first', 'first']);
  });

  it('goes on when a callback throws', () => {
    const clock = new ManualClock();
    const wheel = new TimerWheel(clock);
    let fired = 0;
    wheel.start(
      new CallbackTimeout(() => {
        throw new Error('on purpose');
      }),
      10,
    );
    wheel.start(new CallbackTimeout(() => fired++), 10);
    assert.throws(() => clock.advance(10), /on purpose/);
    clock.advance(20);
    assert.equal(fired, 1);
  });

  it('never fires after close', () => {
    const clock = new ManualClock();
    const wheel = new TimerWheel(clock);
    const timeout = new CallbackTimeout(() => assert.fail('fired'));
    wheel.start(timeout, 10);
    wheel.close();
    wheel.close();
    assert.equal(timeout.pending, false);
    assert.equal(clock.timerCount, 0);
    wheel.start(timeout, 10);
    clock.advance(1000);
    assert.equal(wheel.size, 0);
  });
});
