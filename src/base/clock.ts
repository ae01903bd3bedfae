/** A timer that can be cancelled once; cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as a port: core and storage never read the system clock, so a simulator can drive them.
 * All durations and instants are milliseconds.
 */
export interface Clock {
  /** Wall clock, ms since the Unix epoch; may jump. For record timestamps and retention only. */
  wallMs(): number;
  /** Monotonic clock, ms since an arbitrary origin, fractions allowed. For deadlines. */
  monotonicMs(): number;
  /** Calls back once after delayMs (>= 0). The timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Calls back once in a later turn of the event loop, after pending I/O. */
  defer(callback: () => void): void;
}

/** The clock of the operating system. */
export class SystemClock implements Clock {
  wallMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const handle = setTimeout(callback, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  }

  defer(callback: () => void): void {
    setImmediate(callback);
  }
}
