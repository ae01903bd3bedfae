import type { CommitListener } from '../storage/types.ts';
import type { Message } from './message/message.ts';

/** Values of arguments and policies, as JSON has them. */
export type ArgumentValue =
  | string
  | number
  | boolean
  | null
  | readonly ArgumentValue[]
  | { readonly [name: string]: ArgumentValue };
export type Arguments = Readonly<Record<string, ArgumentValue>>;

/** What a queue does with its messages, after arguments and policies. Absent limits are Infinity, absent names null. */
export interface QueueSettings {
  readonly messageTtlMs: number;
  /** The queue is deleted when nobody used it (consumed, got, declared it again) for that long. */
  readonly expiresMs: number;
  /** Ready messages, and their bodies' bytes. */
  readonly maxLength: number;
  readonly maxBytes: number;
  readonly overflow: 'drop-head' | 'reject-publish' | 'reject-publish-dlx';
  readonly deadLetterExchange: string | null;
  readonly deadLetterRoutingKey: string | null;
  /** Lanes 0..maxPriority; 0: no priorities. Fixed when the queue is made. */
  readonly maxPriority: number;
  /** Returned more often than this, a message is dead-lettered (delivery_limit). */
  readonly deliveryLimit: number;
  readonly singleActiveConsumer: boolean;
  /** Delay (ms) before a returned message can be delivered again: from min, doubled with each return, up to max; 0: none. */
  readonly retryDelayMinMs: number;
  readonly retryDelayMaxMs: number;
  /** Messages whose deduplication key came in this window (ms) already are dropped; 0: off. */
  readonly deduplicationWindowMs: number;
}

export interface NewQueue {
  readonly namespace: string;
  readonly name: string;
  /** Kept across restarts, with the persistent messages in it. */
  readonly durable: boolean;
  /** Deleted when its last consumer goes. */
  readonly autoDelete: boolean;
  /** Only this connection may use it, and it goes with it; null: everybody. */
  readonly exclusiveOwner: number | null;
  /** As the protocol gave them (names without its prefix): kept for comparing and listing, parsed into settings. */
  readonly arguments: Arguments;
}

/** Where a message is in a queue: lane and offset in one safe integer. Valid until it is settled. */
export type MessageRef = number;

/** One message handed out. Reused: valid during the call. */
export interface Delivery {
  readonly queue: QueueView;
  readonly message: Message;
  readonly ref: MessageRef;
  /** Body bytes, for byte credits. */
  readonly bytes: number;
  /** It may have been delivered before. */
  readonly redelivered: boolean;
  /** Times that it came back. */
  readonly returns: number;
}

/** A live attachment of a client to a queue. */
export interface QueueConsumer {
  readonly id: string;
  readonly connectionId: number;
  /** Higher is served first. */
  readonly priority: number;
  readonly exclusive: boolean;
  /** Messages are settled by being handed out. */
  readonly noAck: boolean;
  /** It has credit. Asked before each message: a plain field or a cheap getter. */
  readonly ready: boolean;
  /** Copies what it needs before it returns. Not called re-entrantly from resume() or publish of the same connection's read... */
  take(delivery: Delivery): void;
  /** The queue is gone, or moved. No take() follows. */
  onCancelled(reason: 'queue-deleted' | 'queue-moved'): void;
  /** For single active consumers: it became the one, or is not any more. */
  onActive(active: boolean): void;
}

/** What addConsumer returns. */
export interface Attachment {
  /** The consumer has credit again. */
  resume(): void;
  /** Ends it; unsettled messages stay with whoever holds their refs. Idempotent. */
  cancel(): void;
}

/** accept: done. requeue: back to its place, not counted. return: back, counted. reject: dead-lettered or dropped. */
export type Settlement = 'accept' | 'requeue' | 'return' | 'reject';

export interface QueueCounts {
  readonly ready: number;
  readonly unsettled: number;
  readonly readyBytes: number;
  readonly unsettledBytes: number;
  /** Waiting for a retry delay. */
  readonly delayed: number;
  readonly persistent: number;
}

/** Counted since the queue was loaded; read at scrape time. */
export interface QueueTotals {
  published: number;
  deliveredAck: number;
  deliveredNoAck: number;
  gotAck: number;
  gotNoAck: number;
  gotEmpty: number;
  redelivered: number;
  acknowledged: number;
  expired: number;
  rejected: number;
  droppedMaxLength: number;
  deliveryLimited: number;
  deduplicated: number;
}

export interface QueueView {
  readonly namespace: string;
  readonly name: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly exclusiveOwner: number | null;
  readonly arguments: Arguments;
  readonly settings: QueueSettings;
  /** Name of the policy in force, or null. */
  readonly policy: string | null;
  readonly operatorPolicy: string | null;
  /** Deleted: nothing can be done with it any more. */
  readonly gone: boolean;
  readonly paused: boolean;
  readonly counts: QueueCounts;
  readonly totals: QueueTotals;
  readonly consumers: readonly QueueConsumer[];
  /** The single active one, or null. */
  readonly activeConsumer: QueueConsumer | null;
  /** ms on the monotonic clock since which nobody used it; null while it has consumers. */
  readonly idleSinceMs: number | null;
  /** ms since the Unix epoch when the first ready message was published; null when none is or it is not known in memory. */
  readonly headPublishedMs: number | null;
  /** Memory it takes beyond its bundles, estimated. */
  readonly memoryBytes: number;

  addConsumer(consumer: QueueConsumer): Attachment | 'exclusive-conflict' | 'gone';
  /** Hands out the first ready message, or null when there is none; may answer later (data on disk). */
  get(options: { readonly noAck: boolean }, reply: (delivery: Delivery | null) => void): void;
  /** settle in the order given is not needed. Unknown refs are a bug of the caller. */
  settle(ref: MessageRef, settlement: Settlement): void;
  /** Drops what is ready; resolves with how many when durable. */
  purge(): Promise<number>;
  /** Looks at ready messages in order without touching them. */
  peek(
    options: { readonly offset: number; readonly limit: number },
    visit: (delivery: Delivery) => void,
  ): Promise<void>;
  setPaused(paused: boolean): void;
  /** Somebody asked for it: it does not expire for a while. */
  used(): void;
}

export type QueueOutcome =
  | { readonly status: 'ok'; readonly queue: QueueView; readonly created: boolean }
  /** It exists with another property; the first one that differs, values as text. */
  | {
      readonly status: 'inequivalent';
      readonly queue: QueueView;
      readonly property: string;
      readonly received: string;
      readonly current: string;
    }
  /** Somebody else's exclusive queue. */
  | { readonly status: 'locked'; readonly queue: QueueView }
  | { readonly status: 'invalid-argument'; readonly argument: string; readonly message: string }
  | { readonly status: 'limit'; readonly message: string }
  | { readonly status: 'failed'; readonly message: string };

export interface QueueRegistry {
  readonly revision: number;
  byName(namespace: string, name: string): QueueView | null;
  list(namespace: string): readonly QueueView[];
  /** Creates it, or says what is there. Durable queues: resolves when durable; others: synchronously done when it returns. */
  declare(queue: NewQueue): Promise<QueueOutcome> | QueueOutcome;
  delete(
    namespace: string,
    name: string,
    conditions: { readonly ifUnused?: boolean; readonly ifEmpty?: boolean },
  ): Promise<
    | { readonly status: 'ok'; readonly messages: number }
    | { readonly status: 'unknown' | 'in-use' | 'not-empty' | 'failed' }
  >;
  /** Its exclusive queues are deleted. */
  connectionClosed(connectionId: number): void;

  /** The ticket of everything published or settled in this turn of the event loop so far; it is never 0. */
  readonly ticket: number;
  /** Called when all of the ticket is committed, tickets in order: at once in a later turn when nothing of it had to be durable. */
  whenCommitted(ticket: number, listener: CommitListener): void;
  /** Everything published and settled inside work commits as one; work is synchronous. */
  atomically(work: () => void): void;
  /** False while publishers should be held back: memory of transient queues, pending writes, or the disk. */
  accepting(): boolean;
  readonly blockedReason: 'memory' | 'disk' | 'storage' | null;
  /** Called when publishers can go on, and when an alarm begins. */
  onAccepting(callback: () => void): () => void;
  /** An operator says that a resource is short, or is not any more: publishers are held back as if it were. */
  setAlarm(resource: 'memory' | 'disk', raised: boolean): void;
}
