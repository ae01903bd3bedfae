import type { Logger } from '../telemetry/logger.ts';
import type { Unsubscribe } from './types.ts';

/** A list of callbacks; one that throws is reported and does not keep the others from being called. */
export class Callbacks<T> {
  private readonly logger: Logger;
  private callbacks: readonly ((value: T) => void)[];

  constructor(logger: Logger) {
    this.logger = logger;
    this.callbacks = [];
  }

  add(callback: (value: T) => void): Unsubscribe {
    this.callbacks = [...this.callbacks, callback];
    return () => {
      this.callbacks = this.callbacks.filter((other) => other !== callback);
    };
  }

  call(value: T): void {
    for (const callback of this.callbacks) {
      try {
        callback(value);
      } catch (error) {
        this.logger.error('storage.listener', 'a storage callback threw', { error });
      }
    }
  }
}
