/** What `bench amqp` was asked to do, in PerfTest's terms. */
export interface AmqpPlan {
  readonly producers: number;
  readonly consumers: number;
  /** Channels of each producer and each consumer, over its connection. */
  readonly producerChannels: number;
  readonly consumerChannels: number;
  readonly messageBytes: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly mandatory: boolean;
  /** Unconfirmed messages of a channel; null: no confirms. */
  readonly confirm: number | null;
  readonly confirmTimeoutMs: number;
  readonly autoAck: boolean;
  readonly multiAckEvery: number;
  /** 0: no limit. */
  readonly prefetch: number;
  /** Messages per second of a channel; Infinity: as fast as possible. */
  readonly rate: number;
  readonly consumerRate: number;
  readonly durationMs: number;
  /** Of each channel; Infinity: no limit. */
  readonly producerMessages: number;
  readonly consumerMessages: number;
  /** Empty: each consumer gets a queue of its own. */
  readonly queues: readonly string[];
  /** Empty: the default exchange, whose routing keys are the names of queues. */
  readonly exchange: string;
  readonly exchangeType: string;
  readonly routingKey: string;
  readonly randomRoutingKey: boolean;
  readonly predeclared: boolean;
  readonly bindQueues: boolean;
  readonly durable: boolean;
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
  readonly queueArguments: Readonly<Record<string, PlainArgument>>;
  readonly consumerArguments: Readonly<Record<string, PlainArgument>>;
  readonly signal: AbortSignal;
}

export type PlainArgument = string | number | boolean;

/*
 * The body of a message:
 *
 *   mark of the run (32)   when it was sent, ms since 1970 (double)   filler
 */
export const STAMP_BYTES = 12;

/** A clock that processes of one machine share, in ms. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
