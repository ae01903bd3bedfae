import assert from 'node:assert/strict';
import type { Clock, Timer } from '../base/clock.ts';

interface LeaseState {
  readonly id: number;
  readonly ttlMs: number;
  readonly keys: Set<string>;
  deadlineMs: number;
  timer: Timer;
}

/** The leases of a metadata store: how long each lives, and which keys of the applied state hang on it. */
export class MetaLeases {
  private readonly clock: Clock;
  private readonly onExpired: (lease: number) => void;
  private readonly leases: Map<number, LeaseState>;
  private lastId: number;

  /** onExpired is called once for each lease that was neither kept alive nor revoked; it is still known then. */
  constructor(clock: Clock, onExpired: (lease: number) => void) {
    this.clock = clock;
    this.onExpired = onExpired;
    this.leases = new Map();
    this.lastId = 0;
  }

  grant(ttlMs: number): number {
    assert(ttlMs > 0, 'a lease lives for some time');
    const id = ++this.lastId;
    this.leases.set(id, {
      id,
      ttlMs,
      keys: new Set(),
      deadlineMs: this.clock.monotonicMs() + ttlMs,
      timer: this.clock.setTimer(ttlMs, () => this.check(id)),
    });
    return id;
  }

  has(id: number): boolean {
    return this.leases.has(id);
  }

  /** False when the lease is over. Costs no timer: the one that runs looks at the deadline when it fires. */
  keepAlive(id: number): boolean {
    const lease = this.leases.get(id);
    if (lease === undefined) return false;
    lease.deadlineMs = this.clock.monotonicMs() + lease.ttlMs;
    return true;
  }

  /** Forgets the lease; returns the keys that hang on it. */
  end(id: number): readonly string[] {
    const lease = this.leases.get(id);
    if (lease === undefined) return [];
    lease.timer.cancel();
    this.leases.delete(id);
    return [...lease.keys];
  }

  attach(id: number, key: string): void {
    this.leases.get(id)?.keys.add(key);
  }

  detach(id: number, key: string): void {
    this.leases.get(id)?.keys.delete(key);
  }

  /** Stops all timers. */
  close(): void {
    for (const lease of this.leases.values()) lease.timer.cancel();
    this.leases.clear();
  }

  private check(id: number): void {
    const lease = this.leases.get(id);
    if (lease === undefined) return;
    const leftMs = lease.deadlineMs - this.clock.monotonicMs();
    if (leftMs > 0) lease.timer = this.clock.setTimer(leftMs, () => this.check(id));
    else this.onExpired(id);
  }
}
