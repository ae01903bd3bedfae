import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { randomBelow } from '../../base/random.ts';
import type { TopicView } from '../../core/types.ts';
import { KAFKA_ERROR } from './errors.ts';
import type { KafkaErrorCode } from './errors.ts';

/** One partition that a fetch asks for, with what was last told about it when it belongs to a session. */
export class FetchPartition {
  /** 16 bytes in requests that name topics by id, else null. */
  readonly topicId: Buffer | null;
  readonly topicName: string;
  readonly index: number;
  fetchOffset = 0;
  maxBytes = 0;
  currentLeaderEpoch = -1;
  lastFetchedEpoch = -1;
  /** The topic, and the registry revision at which it was looked up. */
  topic: TopicView | null = null;
  topicRevision = -1;
  /** What the last response told: an incremental response leaves out what did not change. */
  toldHighWatermark = -1;
  toldLogStart = -1;
  toldError: number = KAFKA_ERROR.NONE;
  /** Never told before: the first response after being added always has the partition. */
  fresh = true;

  constructor(topicId: Buffer | null, topicName: string, index: number) {
    this.topicId = topicId;
    this.topicName = topicName;
    this.index = index;
  }
}

/** Distinguishes partitions inside a session. */
export function fetchPartitionKey(
  topicId: Buffer | null,
  topicName: string,
  index: number,
): string {
  return topicId === null ? `${topicName}/${index}` : `${topicId.toString('latin1')}/${index}`;
}

/**
 * An incremental fetch session (KIP-227): the broker remembers what a consumer fetches, so that requests carry only
 * changes and responses only news. Partitions keep the order in which they are served; one that had data goes last.
 */
export class FetchSession {
  readonly id: number;
  /** Requests of a session all name topics by id, or all by name. */
  readonly usesTopicIds: boolean;
  /** The epoch that the next request must carry. */
  nextEpoch = 1;
  lastUsedMs: number;
  readonly partitions = new Map<string, FetchPartition>();

  constructor(id: number, usesTopicIds: boolean, nowMs: number) {
    this.id = id;
    this.usesTopicIds = usesTopicIds;
    this.lastUsedMs = nowMs;
  }

  /** The partition goes to the end of the order, so that others come first next time. */
  moveToEnd(key: string, partition: FetchPartition): void {
    this.partitions.delete(key);
    this.partitions.set(key, partition);
  }
}

export const FETCH_EPOCH = {
  /** Ends the session, if any, and fetches without one. */
  final: -1,
  /** Asks for a new session. */
  initial: 0,
} as const;

const NO_SESSION = 0;
/** A session that was not used for this long may make room for a new one. */
const IDLE_BEFORE_EVICTION_MS = 120_000;
const EPOCH_MAX = 2_147_483_647;

export type SessionChoice =
  /** Everything is in the request and the response. session is null when none was asked for, or none is free. */
  | { readonly kind: 'full'; readonly session: FetchSession | null }
  | { readonly kind: 'incremental'; readonly session: FetchSession }
  | { readonly kind: 'error'; readonly error: KafkaErrorCode };

/** The sessions of one broker. At most `slots`; when full, idle sessions are replaced, else new ones are refused. */
export class FetchSessions {
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly slots: number;
  /** In order of last use, oldest first. */
  private readonly sessions = new Map<number, FetchSession>();
  evicted = 0;
  refused = 0;

  constructor(clock: Clock, random: Random, slots: number) {
    this.clock = clock;
    this.random = random;
    this.slots = slots;
  }

  get size(): number {
    return this.sessions.size;
  }

  /** What the session fields of a request mean. */
  choose(sessionId: number, epoch: number, usesTopicIds: boolean): SessionChoice {
    if (epoch === FETCH_EPOCH.final || epoch === FETCH_EPOCH.initial) {
      // A full request replaces the session it names.
      if (sessionId !== NO_SESSION) this.sessions.delete(sessionId);
      const session = epoch === FETCH_EPOCH.initial ? this.open(usesTopicIds) : null;
      return { kind: 'full', session };
    }
    const session = this.sessions.get(sessionId);
    if (session === undefined) {
      return { kind: 'error', error: KAFKA_ERROR.FETCH_SESSION_ID_NOT_FOUND };
    }
    if (session.nextEpoch !== epoch) {
      return { kind: 'error', error: KAFKA_ERROR.INVALID_FETCH_SESSION_EPOCH };
    }
    if (session.usesTopicIds !== usesTopicIds) {
      return { kind: 'error', error: KAFKA_ERROR.FETCH_SESSION_TOPIC_ID_ERROR };
    }
    session.nextEpoch = epoch === EPOCH_MAX ? 1 : epoch + 1;
    session.lastUsedMs = this.clock.monotonicMs();
    this.sessions.delete(sessionId);
    this.sessions.set(sessionId, session);
    return { kind: 'incremental', session };
  }

  private open(usesTopicIds: boolean): FetchSession | null {
    const now = this.clock.monotonicMs();
    if (this.sessions.size >= this.slots && !this.evictIdle(now)) {
      this.refused++;
      return null;
    }
    let id = 0;
    do id = 1 + randomBelow(this.random, EPOCH_MAX - 1);
    while (this.sessions.has(id));
    const session = new FetchSession(id, usesTopicIds, now);
    this.sessions.set(id, session);
    return session;
  }

  private evictIdle(now: number): boolean {
    for (const [id, session] of this.sessions) {
      if (now - session.lastUsedMs < IDLE_BEFORE_EVICTION_MS) return false;
      this.sessions.delete(id);
      this.evicted++;
      return true;
    }
    return false;
  }
}
