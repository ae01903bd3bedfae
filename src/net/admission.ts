import type { Clock } from '../base/clock.ts';
import type { ListenerLimits } from './limits.ts';
import type { RefuseReason } from './net-stats.ts';

/** A bucket that fills at a rate and holds two seconds' worth. */
class TokenBucket {
  private readonly perSecond: number;
  private tokens: number;
  private filledAtMs: number;

  constructor(perSecond: number, nowMs: number) {
    this.perSecond = perSecond;
    this.tokens = 2 * perSecond;
    this.filledAtMs = nowMs;
  }

  take(nowMs: number): boolean {
    if (this.perSecond === Infinity) return true;
    const filled = ((nowMs - this.filledAtMs) / 1000) * this.perSecond;
    this.tokens = Math.min(2 * this.perSecond, this.tokens + filled);
    this.filledAtMs = nowMs;
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }
}

/** Decides whether a listener keeps a connection it accepted. What was admitted is released once, when it ended. */
export class Admission {
  open = 0;
  private readonly limits: ListenerLimits;
  private readonly clock: Clock;
  private readonly rate: TokenBucket;
  private readonly perIp = new Map<string, number>();

  constructor(limits: ListenerLimits, clock: Clock) {
    this.limits = limits;
    this.clock = clock;
    this.rate = new TokenBucket(limits.connectionsPerSecondMax, clock.monotonicMs());
  }

  /** Null: admitted. */
  admit(address: string): RefuseReason | null {
    if (this.open >= this.limits.connectionsMax) return 'listener-limit';
    const ofIp = this.perIp.get(address) ?? 0;
    if (ofIp >= this.limits.connectionsPerIpMax) return 'ip-limit';
    if (!this.rate.take(this.clock.monotonicMs())) return 'rate-limit';
    this.open++;
    this.perIp.set(address, ofIp + 1);
    return null;
  }

  release(address: string): void {
    this.open--;
    const left = (this.perIp.get(address) ?? 1) - 1;
    if (left === 0) this.perIp.delete(address);
    else this.perIp.set(address, left);
  }
}
