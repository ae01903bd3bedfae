import type { Clock, Timer } from '../../base/clock.ts';

/** Which sessions live on which connection, so that the end of a connection finds them. */
export class ConnectionIndex {
  private readonly sessions = new Map<number, Set<Session>>();

  add(connectionId: number, session: Session): void {
    const existing = this.sessions.get(connectionId);
    if (existing === undefined) this.sessions.set(connectionId, new Set([session]));
    else existing.add(session);
  }

  remove(connectionId: number, session: Session): void {
    const existing = this.sessions.get(connectionId);
    if (existing === undefined) return;
    existing.delete(session);
    if (existing.size === 0) this.sessions.delete(connectionId);
  }

  /** Forgets the connection and returns the sessions that were seen on it. */
  take(connectionId: number): readonly Session[] {
    const existing = this.sessions.get(connectionId);
    if (existing === undefined) return [];
    this.sessions.delete(connectionId);
    return [...existing];
  }

  get size(): number {
    return this.sessions.size;
  }
}

export interface SessionOptions {
  readonly clock: Clock;
  readonly connections: ConnectionIndex;
  /** Evicts after the last connection ended; Infinity: never for that reason. */
  readonly disconnectGraceMs: number;
  /** Called when the deadline passed or the grace is over; the session may be extended again afterwards. */
  readonly onSilent: (cause: 'deadline' | 'disconnected') => void;
}

/**
 * The liveness of one member. A deadline that every sign of life moves: moving it costs a field, the one timer
 * looks at the deadline when it fires and goes on waiting for the rest.
 */
export class Session {
  private readonly options: SessionOptions;
  private deadlineMs = 0;
  private timerDueMs = 0;
  private timer: Timer | null = null;
  private graceTimer: Timer | null = null;
  private readonly connectionIds = new Set<number>();
  /** Monotonic instants of the last request and heartbeat. */
  private lastSeenMs: number;
  private lastBeatMs = Number.NaN;
  /** The pause between the last two heartbeats: how soon a living member is heard of again. */
  private usualPauseMs = 0;
  private stopped = false;

  constructor(options: SessionOptions) {
    this.options = options;
    this.lastSeenMs = options.clock.monotonicMs();
  }

  /** ms since the last request of the member. */
  get silentMs(): number {
    return this.options.clock.monotonicMs() - this.lastSeenMs;
  }

  /** Silence is noticed timeoutMs from now, not earlier. */
  extend(timeoutMs: number): void {
    if (this.stopped) return;
    this.deadlineMs = this.options.clock.monotonicMs() + timeoutMs;
    if (this.timer !== null) {
      if (this.timerDueMs <= this.deadlineMs) return;
      this.timer.cancel();
    }
    this.arm(timeoutMs);
  }

  /** A request of the member came, on that connection when one is given. */
  seen(connectionId: number | undefined): void {
    if (this.stopped) return;
    this.lastSeenMs = this.options.clock.monotonicMs();
    if (this.graceTimer !== null) {
      this.graceTimer.cancel();
      this.graceTimer = null;
    }
    if (connectionId === undefined || this.connectionIds.has(connectionId)) return;
    this.connectionIds.add(connectionId);
    this.options.connections.add(connectionId, this);
  }

  /** As seen, for a heartbeat: the request that members send at even intervals. */
  beat(connectionId: number | undefined): void {
    this.seen(connectionId);
    if (!Number.isNaN(this.lastBeatMs)) this.usualPauseMs = this.lastSeenMs - this.lastBeatMs;
    this.lastBeatMs = this.lastSeenMs;
  }

  /** A connection ended; with the last one begins the grace. */
  connectionClosed(connectionId: number): void {
    if (!this.connectionIds.delete(connectionId) || this.connectionIds.size > 0) return;
    const graceMs = this.options.disconnectGraceMs;
    if (this.stopped || graceMs === Number.POSITIVE_INFINITY) return;
    // Clients reconnect at once but speak up only at their next heartbeat: wait for that one.
    const pauseMs = this.usualPauseMs * 1.25;
    this.graceTimer = this.options.clock.setTimer(Math.max(graceMs, pauseMs), () => {
      this.graceTimer = null;
      this.options.onSilent('disconnected');
    });
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
    this.timer = null;
    this.graceTimer?.cancel();
    this.graceTimer = null;
    for (const connectionId of this.connectionIds) {
      this.options.connections.remove(connectionId, this);
    }
    this.connectionIds.clear();
  }

  private arm(delayMs: number): void {
    this.timerDueMs = this.options.clock.monotonicMs() + delayMs;
    this.timer = this.options.clock.setTimer(delayMs, () => {
      this.timer = null;
      const restMs = this.deadlineMs - this.options.clock.monotonicMs();
      if (restMs > 0) this.arm(restMs);
      else this.options.onSilent('deadline');
    });
  }
}
