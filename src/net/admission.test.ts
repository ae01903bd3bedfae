import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Clock } from '../base/clock.ts';
import { Admission } from './admission.ts';
import { DEFAULT_LISTENER_LIMITS } from './limits.ts';

function manualClock() {
  let nowMs = 0;
  const clock: Clock = {
    wallMs: () => nowMs,
    monotonicMs: () => nowMs,
    setTimer: () => ({ cancel: () => {} }),
    defer: () => {},
  };
  return { clock, advance: (ms: number) => (nowMs += ms) };
}

describe('Admission', () => {
  it('bounds connections of the listener and of one address', () => {
    const limits = { ...DEFAULT_LISTENER_LIMITS, connectionsMax: 3, connectionsPerIpMax: 2 };
    const admission = new Admission(limits, manualClock().clock);
    assert.equal(admission.admit('a'), null);
    assert.equal(admission.admit('a'), null);
    assert.equal(admission.admit('a'), 'ip-limit');
    assert.equal(admission.admit('b'), null);
    assert.equal(admission.admit('c'), 'listener-limit');
    admission.release('a');
    assert.equal(admission.admit('a'), null);
  });

  it('bounds the rate, lets bursts of two seconds pass, and refills', () => {
    const { clock, advance } = manualClock();
    const admission = new Admission(
      { ...DEFAULT_LISTENER_LIMITS, connectionsPerSecondMax: 2 },
      clock,
    );
    for (let i = 0; i < 4; i++) assert.equal(admission.admit('a'), null);
    assert.equal(admission.admit('a'), 'rate-limit');
    advance(500);
    assert.equal(admission.admit('a'), null);
    assert.equal(admission.admit('a'), 'rate-limit');
  });
});
