import type { Arguments, QueueSettings } from '../queue-types.ts';

/** What a queue is made of. */
export interface QueueDefinition {
  readonly id: number;
  readonly namespace: string;
  readonly name: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly exclusiveOwner: number | null;
  readonly arguments: Arguments;
  readonly settings: QueueSettings;
  /** One for each lane. */
  readonly logs: readonly number[];
}

/** What becomes of a message that wants in. */
export const ADMISSION = {
  accept: 0,
  refuse: 1,
  refuseDeadLetter: 2,
  duplicate: 3,
  gone: 4,
} as const;
export type Admission = (typeof ADMISSION)[keyof typeof ADMISSION];
