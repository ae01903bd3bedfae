/** How much may be used at once, in seconds of the rate. */
const BURST_S = 1;

/** Meters one use of something against a rate. May go into debt: what was used has been used already. */
export class TokenBucket {
  private readonly ratePerS: number;
  private tokens: number;
  private updatedMs: number;

  constructor(ratePerS: number, nowMs: number) {
    this.ratePerS = ratePerS;
    this.tokens = ratePerS * BURST_S;
    this.updatedMs = nowMs;
  }

  /** Takes the amount and returns how long to wait (ms) until the debt is paid: 0 when there is none. */
  take(amount: number, nowMs: number): number {
    const earned = ((nowMs - this.updatedMs) / 1000) * this.ratePerS;
    this.tokens = Math.min(this.ratePerS * BURST_S, this.tokens + Math.max(0, earned)) - amount;
    this.updatedMs = nowMs;
    return this.tokens >= 0 ? 0 : (-this.tokens / this.ratePerS) * 1000;
  }
}
