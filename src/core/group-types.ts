/**
 * Consumer groups whose members agree on an assignment among themselves: one member, the leader, computes it.
 * Metadata and assignments are opaque bytes to the broker.
 */
export type GroupState =
  'empty' | 'preparing-rebalance' | 'completing-rebalance' | 'stable' | 'dead';

export type GroupError =
  | 'none'
  | 'invalid-group-id'
  | 'unknown-member'
  | 'member-id-required'
  | 'fenced-instance'
  | 'illegal-generation'
  | 'inconsistent-protocol'
  | 'rebalance-in-progress'
  | 'invalid-session-timeout'
  | 'group-full'
  | 'non-empty-group'
  | 'group-not-found'
  | 'subscribed-to-topic'
  | 'coordinator-unavailable'
  | 'metadata-too-large'
  | 'storage-failed';

export interface GroupProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

export interface JoinRequest {
  readonly groupId: string;
  /** '' for a new member. */
  readonly memberId: string;
  /** Static members keep their place across restarts. */
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly GroupProtocol[];
  /** New dynamic members first get an id and join again with it. */
  readonly requireKnownMemberId: boolean;
  /** The connection the member lives on; dropping it may evict a dynamic member early. */
  readonly connectionId: number;
  /** Since a protocol version: a static member that rejoins unchanged may skip the assignment. */
  readonly supportsSkipAssignment: boolean;
  readonly reason: string | null;
  /** The topics the member subscribes to, when its protocol lets the front-end tell; absent or null: unknown. */
  readonly subscribedTopics?: readonly string[] | null;
}

export interface JoinResponse {
  readonly error: GroupError;
  readonly generation: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leaderId: string;
  readonly memberId: string;
  readonly skipAssignment: boolean;
  /** For the leader only. */
  readonly members: readonly {
    readonly memberId: string;
    readonly instanceId: string | null;
    readonly metadata: Buffer;
  }[];
}

export interface SyncRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly generation: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[];
  /** The connection the request came on, see JoinRequest. */
  readonly connectionId?: number;
}

export interface SyncResponse {
  readonly error: GroupError;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

export interface MemberRef {
  readonly groupId: string;
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly generation: number;
  /** The connection the request came on: a member that moved to it is not evicted when its old one ends. */
  readonly connectionId?: number;
}

export interface LeaveMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly reason: string | null;
}

export interface CommittedOffset {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** ms since the Unix epoch. */
  readonly committedAtMs: number;
}

export interface OffsetToCommit {
  readonly topicId: Buffer;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** Kept this long (ms) whatever the group's retention; absent or null: as the group. */
  readonly retentionMs?: number | null;
}

export interface GroupMemberView {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly metadata: Buffer;
  readonly assignment: Buffer;
  readonly lastHeartbeatMs: number;
  readonly sessionTimeoutMs: number;
}

export interface GroupView {
  readonly groupId: string;
  readonly state: GroupState;
  readonly protocolType: string;
  readonly protocolName: string;
  readonly generation: number;
  readonly members: readonly GroupMemberView[];
}

/**
 * Callbacks may run before the method returns, or much later; each runs exactly once. Buffers in requests
 * become the coordinator's: the caller copies what lies in a shared read buffer.
 */
export interface GroupCoordinator {
  join(namespace: string, request: JoinRequest, reply: (response: JoinResponse) => void): void;
  sync(namespace: string, request: SyncRequest, reply: (response: SyncResponse) => void): void;
  heartbeat(namespace: string, member: MemberRef): GroupError;
  leave(
    namespace: string,
    groupId: string,
    members: readonly LeaveMember[],
  ): { readonly error: GroupError; readonly members: readonly GroupError[] };
  /** generation -1 and memberId '': a client that manages its own partitions. Replies when durable. */
  commitOffsets(
    namespace: string,
    member: MemberRef,
    offsets: readonly OffsetToCommit[],
    reply: (error: GroupError, perOffset: readonly GroupError[]) => void,
  ): void;
  /**
   * Replies once every commit that committedOffset and committedOffsets show now is durable: at once when none
   * is under way. Ask it before answering a client with offsets, so that a crash cannot take back what it read.
   */
  whenOffsetsDurable(namespace: string, groupId: string, reply: (error: GroupError) => void): void;
  /** Unknown groups have no offsets; nor has a topic that was deleted and created again since the commit. */
  committedOffset(
    namespace: string,
    groupId: string,
    topic: string,
    partition: number,
  ): CommittedOffset | null;
  committedOffsets(
    namespace: string,
    groupId: string,
  ): readonly {
    readonly topic: string;
    readonly topicId: Buffer;
    readonly partition: number;
    readonly committed: CommittedOffset;
  }[];
  /** Whether the member may fetch offsets with this generation (fencing of newer protocol versions). */
  checkMember(namespace: string, member: MemberRef): GroupError;
  describe(namespace: string, groupId: string): GroupView | null;
  list(namespace: string): readonly GroupView[];
  delete(namespace: string, groupId: string): Promise<GroupError>;
  deleteOffsets(
    namespace: string,
    groupId: string,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<{ readonly error: GroupError; readonly perPartition: readonly GroupError[] }>;
  /** A connection ended: its dynamic members are evicted after the configured grace. */
  connectionClosed(connectionId: number): void;
}
