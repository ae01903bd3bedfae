/** Which protocol a message's raw properties belong to. Stored: never renumber. */
export const ORIGIN = {
  /** No properties. */
  none: 0,
  amqp091: 1,
  kafka: 2,
  mqtt: 3,
  nats: 4,
  stomp: 5,
  amqp10: 6,
  openwire: 7,
  rocketmq: 8,
  pulsar: 9,
} as const;

export type Origin = (typeof ORIGIN)[keyof typeof ORIGIN];

/** Why a queue gave a message up. */
export type DeathReason = 'rejected' | 'expired' | 'maxlen' | 'delivery_limit';

/** Times that a message was dead-lettered from one queue for one reason; newest first in a history. */
export interface Death {
  readonly queue: string;
  readonly reason: DeathReason;
  readonly count: number;
  /** ms since the Unix epoch, of the first time. */
  readonly timeMs: number;
  readonly exchange: string;
  readonly routingKeys: readonly string[];
  /** The message's own time to live (ms) that was taken away when it expired, else null. */
  readonly originalTtlMs: number | null;
}

/**
 * One message on its way: a flyweight over bytes that a connection just read or a log returned. Reused for the next
 * message by whoever made it: copy what must outlive the call it was passed to.
 */
export class Message {
  origin: Origin = ORIGIN.none;
  /** Name of the exchange it was published to, '' for the default one. */
  exchange = '';
  routingKey = '';
  /** Further routing keys of the same publish, or null. */
  furtherKeys: readonly string[] | null = null;
  /** The origin's properties [propertiesStart, propertiesEnd), exactly as they arrived. */
  properties: Buffer = EMPTY;
  propertiesStart = 0;
  propertiesEnd = 0;
  body: Buffer = EMPTY;
  bodyStart = 0;
  bodyEnd = 0;
  /** Survives a restart when its queue is durable. */
  persistent = false;
  /** 0 to 255; -1: none given. */
  priority = -1;
  /** Time to live in ms from publishing; -1: none. */
  ttlMs = -1;
  /** ms that an exchange which delays keeps it before it is routed; -1: none. */
  delayMs = -1;
  /** ms since the Unix epoch. */
  publishedMs = 0;
  /** History of dead-lettering, newest first, or null. */
  deaths: readonly Death[] | null = null;
  /** An id that queues with deduplication compare, or null. */
  deduplicationKey: string | null = null;
}

/** Makes to the same message as from; the bytes are shared. */
export function copyMessage(from: Message, to: Message): void {
  to.origin = from.origin;
  to.exchange = from.exchange;
  to.routingKey = from.routingKey;
  to.furtherKeys = from.furtherKeys;
  to.properties = from.properties;
  to.propertiesStart = from.propertiesStart;
  to.propertiesEnd = from.propertiesEnd;
  to.body = from.body;
  to.bodyStart = from.bodyStart;
  to.bodyEnd = from.bodyEnd;
  to.persistent = from.persistent;
  to.priority = from.priority;
  to.ttlMs = from.ttlMs;
  to.delayMs = from.delayMs;
  to.publishedMs = from.publishedMs;
  to.deaths = from.deaths;
  to.deduplicationKey = from.deduplicationKey;
}

const EMPTY = Buffer.alloc(0);
