import type { Clock } from '../../base/clock.ts';
import type { TimerWheel } from '../../base/timer-wheel.ts';
import type { LogEngine } from '../../storage/types.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { EnvelopeReader } from '../message/envelope.ts';
import type { DeathReason, Message } from '../message/message.ts';
import type { Delivery } from '../queue-types.ts';
import type { LaneHost } from './lane.ts';
import type { Queue } from './queue.ts';
import type { Turn } from './turn.ts';

/** Delivery as its maker sees it: one object for all deliveries of a broker. */
export type MutableDelivery = { -readonly [Key in keyof Delivery]: Delivery[Key] };

/** What the queues of a broker share. */
export interface QueueContext {
  /** Time may have its effects: everything that messages may be routed to is there. */
  running: boolean;
  readonly engine: LogEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly turn: Turn;
  readonly laneHost: LaneHost;
  /** Whose deadlines are exact to the millisecond. */
  readonly timers: TimerWheel;
  /** What stored messages are read into. */
  readonly message: Message;
  readonly envelopes: EnvelopeReader;
  readonly delivery: MutableDelivery;
  /** Publishes what a queue gave up to where it wants its dead letters; the message's fields are changed. */
  deadLetter(queue: Queue, message: Message, reason: DeathReason): void;
  /** The queue has more than it may: drop from its head when the publish under way is over. */
  overflowed(queue: Queue): void;
  /** Deletes it in the background: nobody is left who needs it. */
  discard(queue: Queue, cause: 'auto-delete' | 'expired'): void;
}
