/**
 * Background work with an owner: nothing floats, a failure is told, and close() waits until everything ended.
 */
export class TaskGroup {
  private readonly controller = new AbortController();
  private readonly running = new Set<Promise<void>>();
  private readonly onError: (name: string, error: unknown) => void;

  /** onError is told of every task that failed, except of those that failed because the group was closed. */
  constructor(onError: (name: string, error: unknown) => void) {
    this.onError = onError;
  }

  get size(): number {
    return this.running.size;
  }

  /** Aborted by close(). */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Starts the work at once. Returns false, without starting it, when the group is closed. */
  run(name: string, work: (signal: AbortSignal) => Promise<void>): boolean {
    const { signal } = this.controller;
    if (signal.aborted) return false;
    const task = this.guard(name, work, signal);
    this.running.add(task);
    void task.then(() => this.running.delete(task));
    return true;
  }

  /** Tells all work to stop and resolves when it did. Never rejects; idempotent. */
  async close(): Promise<void> {
    this.controller.abort();
    while (this.running.size > 0) await Promise.all(this.running);
  }

  private async guard(
    name: string,
    work: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await work(signal);
    } catch (error) {
      if (!signal.aborted) this.onError(name, error);
    }
  }
}
