import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';

const INTERVAL_MS = 60_000;

/** Says in the log that publishers are refused because storage takes nothing: now and then, not per batch. */
export class StorageNotices {
  private readonly clock: Clock;
  private readonly logger: Logger;
  private refused = 0;
  private nextMs = 0;

  constructor(clock: Clock, logger: Logger) {
    this.clock = clock;
    this.logger = logger;
  }

  tell(status: string, why: string): void {
    this.refused++;
    const now = this.clock.monotonicMs();
    if (now < this.nextMs) return;
    this.nextMs = now + INTERVAL_MS;
    this.logger.warn('kafka.produce.refused', `publishers are refused: ${why}`, {
      status,
      batchesSinceLast: this.refused,
    });
    this.refused = 0;
  }
}
