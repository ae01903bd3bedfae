import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TimerWheel } from '../../base/timer-wheel.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { OutputPool } from './codec/output-pool.ts';
import { Output } from './codec/output.ts';
import { HeartbeatMonitor } from './heartbeat.ts';

function started(intervalSeconds: number): {
  clock: ManualClock;
  monitor: HeartbeatMonitor;
  sentAt: number[];
  silentAt: number[];
} {
  const clock = new ManualClock();
  const output = new Output(new OutputPool(), null);
  const [sentAt, silentAt]: [number[], number[]] = [[], []];
  const startedMs = clock.monotonicMs();
  const monitor = new HeartbeatMonitor(new TimerWheel(clock), {
    startOutput() {
      sentAt.push(clock.monotonicMs() - startedMs);
      monitor.said();
      return output;
    },
    silent: () => silentAt.push(clock.monotonicMs() - startedMs),
  });
  monitor.start(intervalSeconds);
  return { clock, monitor, sentAt, silentAt };
}

describe('HeartbeatMonitor', () => {
  it('is never quiet for longer than half the interval and a tick, and says nothing beside traffic', () => {
    const { clock, monitor, sentAt } = started(2);
    for (let ms = 0; ms < 5000; ms += 10) {
      clock.advance(10);
      if (ms % 1000 === 0) monitor.heard();
    }
    assert(sentAt.length >= 4);
    for (const [index, at] of sentAt.entries()) {
      const gap = at - (sentAt[index - 1] ?? 0);
      assert(gap <= 1050, `${gap} ms of silence`);
    }
    const before = sentAt.length;
    for (let ms = 0; ms < 5000; ms += 10) {
      clock.advance(10);
      if (ms % 400 === 0) monitor.said();
      if (ms % 1000 === 0) monitor.heard();
    }
    assert.equal(sentAt.length, before);
  });

  it('gives up who was silent for two intervals', () => {
    const { clock, monitor, silentAt } = started(2);
    clock.advance(1000);
    monitor.heard();
    for (let ms = 0; ms < 6000; ms += 10) clock.advance(10);
    assert.equal(silentAt.length, 1);
    assert(silentAt[0]! >= 5000 && silentAt[0]! <= 5600, String(silentAt[0]));
  });
});
