import { WheelTimeout, type TimerWheel } from '../../base/timer-wheel.ts';
import type { Output } from './codec/output.ts';

/** Of an interval. */
const PERIODS = 4;

export interface HeartbeatPeer {
  startOutput(): Output;
  /** It was silent for too long. */
  silent(): void;
}

/**
 * Sends a heartbeat before nothing was sent for more than half the interval, as some clients wait for one interval only, and
 * gives a peer up that was silent for two. Looks four times an interval, so that traffic costs a flag.
 */
export class HeartbeatMonitor extends WheelTimeout {
  private readonly timers: TimerWheel;
  private readonly peer: HeartbeatPeer;
  private periodMs = 0;
  private heardSince = true;
  private saidSince = true;
  private silentPeriods = 0;
  /** Since the last heartbeat or whatever else was sent. */
  private quietPeriods = 0;

  constructor(timers: TimerWheel, peer: HeartbeatPeer) {
    super();
    this.timers = timers;
    this.peer = peer;
  }

  start(intervalSeconds: number): void {
    if (intervalSeconds === 0) return;
    this.periodMs = (intervalSeconds * 1000) / PERIODS;
    this.timers.start(this, this.periodMs);
  }

  stop(): void {
    this.timers.cancel(this);
  }

  heard(): void {
    this.heardSince = true;
  }

  said(): void {
    this.saidSince = true;
  }

  override onTimeout(): void {
    this.silentPeriods = this.heardSince ? 0 : this.silentPeriods + 1;
    this.heardSince = false;
    if (this.silentPeriods >= 2 * PERIODS) {
      this.peer.silent();
      return;
    }
    this.quietPeriods = this.saidSince ? 0 : this.quietPeriods + 1;
    if (this.quietPeriods === 1) {
      this.peer.startOutput().heartbeat();
      this.quietPeriods = -1;
    }
    this.saidSince = false;
    this.timers.start(this, this.periodMs);
  }
}
