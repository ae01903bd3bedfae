import { WheelTimeout, type TimerWheel } from '../../base/timer-wheel.ts';
import type { Output } from './codec/output.ts';

export interface HeartbeatPeer {
  startOutput(): Output;
  /** It was silent for too long. */
  silent(): void;
}

/**
 * Sends a heartbeat when nothing else was sent for half the interval, and gives a peer up that was silent for two
 * intervals. Looks twice an interval, so that traffic costs a flag.
 */
export class HeartbeatMonitor extends WheelTimeout {
  private readonly timers: TimerWheel;
  private readonly peer: HeartbeatPeer;
  private periodMs = 0;
  private heardSince = true;
  private saidSince = true;
  private silentPeriods = 0;

  constructor(timers: TimerWheel, peer: HeartbeatPeer) {
    super();
    this.timers = timers;
    this.peer = peer;
  }

  start(intervalSeconds: number): void {
    if (intervalSeconds === 0) return;
    this.periodMs = intervalSeconds * 500;
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
    if (this.silentPeriods >= 4) {
      this.peer.silent();
      return;
    }
    if (!this.saidSince) this.peer.startOutput().heartbeat();
    this.saidSince = false;
    this.timers.start(this, this.periodMs);
  }
}
