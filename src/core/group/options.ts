import type { Durability } from '../../storage/types.ts';

/** Settings and limits of consumer groups. Times in ms, sizes in bytes. */
export interface CoordinatorOptions {
  /** Durability of group state; commits are answered when they are that durable. */
  readonly durability: Durability;
  /** Logs per namespace over which groups are spread; fixed when the namespace is first used. */
  readonly shardsPerNamespace: number;
  /** A join with a session timeout outside these bounds is refused (invalid-session-timeout). */
  readonly sessionTimeoutMinMs: number;
  readonly sessionTimeoutMaxMs: number;
  /**
   * How long the first rebalance of an empty group waits for more members. 0: the first join completes at once,
   * or as soon as those that were just given an id have joined too.
   */
  readonly initialRebalanceDelayMs: number;
  /** A member that has not seen its first join complete is dropped after this long. */
  readonly newMemberJoinTimeoutMs: number;
  /**
   * A dynamic member whose connections are all gone is evicted after this long, or after its own usual pause
   * between requests when that is longer. Infinity: only its session timeout evicts it.
   */
  readonly disconnectGraceMs: number;
  /** More members are refused (group-full). The same number bounds members that were only given an id. */
  readonly groupSizeMax: number;
  /** More groups are refused (coordinator-unavailable), counted over the broker. */
  readonly groupsMax: number;
  /** Requests kept while the logs of a new namespace are made; more are refused (coordinator-unavailable). */
  readonly pendingRequestsMax: number;
  /** Longest metadata text of a committed offset, in UTF-16 units as Kafka counts (metadata-too-large). */
  readonly offsetMetadataMax: number;
  /** Offsets of an empty group, and of simple consumers, are dropped this long after they were last of use. */
  readonly offsetsRetentionMs: number;
  /** How often all groups have been looked through for expired offsets. */
  readonly expirationIntervalMs: number;
  /** A group whose state does not fit cannot become stable (storage-failed). */
  readonly groupRecordBytesMax: number;
}

const MINUTE_MS = 60_000;

export const COORDINATOR_DEFAULTS: CoordinatorOptions = {
  durability: 'fsync',
  shardsPerNamespace: 16,
  sessionTimeoutMinMs: 1_000,
  sessionTimeoutMaxMs: 1_800_000,
  initialRebalanceDelayMs: 0,
  newMemberJoinTimeoutMs: 5 * MINUTE_MS,
  disconnectGraceMs: 2_000,
  groupSizeMax: 10_000,
  groupsMax: 100_000,
  pendingRequestsMax: 10_000,
  offsetMetadataMax: 4096,
  offsetsRetentionMs: 7 * 24 * 60 * MINUTE_MS,
  expirationIntervalMs: 10 * MINUTE_MS,
  groupRecordBytesMax: 4 * 1024 * 1024,
};
