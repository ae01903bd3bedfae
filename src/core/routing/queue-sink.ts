import type { Message } from '../message/message.ts';
import type { QueueView } from '../queue-types.ts';
import type { TopicView } from '../types.ts';
import type { KeyTemplate } from './records/key-template.ts';

/** Queues that a message goes to together. Opaque: made by the sink, kept by routes. */
export type TargetSet = object;

/** What became of a message. Reused: valid until the next one. */
export interface SinkOutcome {
  /** How many took it. */
  readonly accepted: number;
  /** Somebody who was to take it refused, and its publisher is to be told. */
  readonly rejected: boolean;
}

/** Takes messages for queues, and delays them. The bytes are copied or delivered before a method returns. */
export interface QueueSink {
  /** The queues are in no particular order, none of them twice. */
  targetSet(queues: readonly QueueView[]): TargetSet;
  publish(targets: TargetSet, message: Message): SinkOutcome;
  /** Keeps the message for message.delayMs; then Router.publishDue(namespace, exchange, message) is called. */
  defer(namespace: string, exchange: string, message: Message): SinkOutcome;
}

/** Takes messages for topics. */
export interface TopicSink {
  /** False: the topic does not take it. */
  publish(topic: TopicView, message: Message, key: KeyTemplate): boolean;
}
