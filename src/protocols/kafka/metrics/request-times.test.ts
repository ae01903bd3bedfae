import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RequestTimes } from './request-times.ts';

const MINUTE_MS = 60_000;

describe('RequestTimes', () => {
  it('tells quantiles per API, in ms', () => {
    const times = new RequestTimes();
    for (let i = 1; i <= 100; i++) times.record(1, i);
    times.record(3, 7);
    const [median, most] = times.of(1)?.recentMs([0.5, 0.99], 0) ?? [];
    assert.ok(median !== undefined && Math.abs(median - 50) <= 50 / 16);
    assert.ok(most !== undefined && Math.abs(most - 99) <= 99 / 16);
    assert.equal(times.of(3)?.histogram.count, 1);
    assert.equal(times.of(2), null);
  });

  it('forgets in its quantiles what is long ago, but not in its counts', () => {
    const times = new RequestTimes();
    let nowMs = 0;
    times.record(1, 900);
    const read = (): number[] | null => times.of(1)?.recentMs([0.99], nowMs) ?? null;
    assert.equal(read()?.[0], 900);
    for (let minute = 1; minute <= 10; minute++) {
      nowMs += MINUTE_MS;
      times.record(1, 2);
      read();
    }
    assert.ok((read()?.[0] ?? Infinity) < 3);
    assert.equal(times.of(1)?.histogram.count, 11);
    for (let minute = 1; minute <= 10; minute++) {
      nowMs += MINUTE_MS;
      read();
    }
    assert.equal(read(), null);
  });
});
