import type { Timer } from '../../base/clock.ts';
import type {
  GroupError,
  GroupState,
  JoinResponse,
  SyncRequest,
  SyncResponse,
} from '../group-types.ts';
import type { EvictionCause } from './events.ts';
import type { GroupRecord } from './group-record.ts';
import type { GroupHost, GroupNames } from './host.ts';
import { EMPTY_ASSIGNMENT, type GroupMember } from './member.ts';
import type { Membership } from './membership.ts';
import { describeMember, refusedJoin, refusedSync } from './replies.ts';

/** A client's rebalance timeout counts as at least this, so that waiting is never a busy loop. */
const REBALANCE_TIMEOUT_MIN_MS = 100;
/**
 * How long the first join of a group waits for members that were just given an id, and so are one round trip away:
 * consumers that start together then share the first generation instead of revoking what they just got.
 */
const PENDING_MEMBERS_WAIT_MS = 250;

/**
 * The generations of a group, one after the other:
 *
 *   empty --join--> preparing-rebalance --all joined, or time out--> completing-rebalance
 *     ^                 ^        |                                        |      |
 *     |                 |        +-- nobody is left --> empty             |      +-- leader's assignment
 *     |                 +---- join, leave or eviction of a member --------+      v   is durable
 *     +------------------------------- (always through preparing-rebalance) --- stable
 *
 * A member that joins is parked until everybody has joined; a member that asks for its assignment is parked
 * until the leader has sent all of them and they are durable.
 */
export class RebalanceCycle {
  state: GroupState = 'empty';
  generation = 0;
  /** What the members are, such as 'consumer'; '' until a member joined. */
  protocolType = '';
  /** How this generation assigns; '' when empty. */
  protocolName = '';
  /** Wall clock of the last change of state. */
  sinceMs: number;
  private readonly host: GroupHost;
  private readonly names: GroupNames;
  private readonly membership: Membership;
  private previousState: GroupState = 'dead';
  private joinTimer: Timer | null = null;
  private syncTimer: Timer | null = null;
  /** Members of this generation that have not asked for their assignment yet. */
  private readonly awaitedSyncs = new Set<string>();
  /** What the leader sent, while it is being made durable. */
  private unsettledAssignments: ReadonlyMap<string, Buffer> | null = null;
  /** Somebody came while the first rebalance waited for more members. */
  private joinedDuringDelay = false;

  constructor(host: GroupHost, names: GroupNames, membership: Membership) {
    this.host = host;
    this.names = names;
    this.membership = membership;
    this.sinceMs = host.clock.wallMs();
  }

  /** A member was added, changed, or went: begins a rebalance, or completes the one under way. */
  rebalanceOrComplete(reason: string): void {
    if (this.state === 'preparing-rebalance') this.maybeCompleteJoin();
    else if (this.state !== 'dead') this.prepareRebalance(reason);
  }

  /** Completes the rebalance under way when everybody has joined. */
  maybeCompleteJoin(): void {
    if (this.state !== 'preparing-rebalance' || this.delaysFirstRebalance()) return;
    if (this.membership.allJoined) this.completeJoin();
  }

  /** A member was added: the first rebalance may go on waiting for more. */
  memberAdded(): void {
    if (this.delaysFirstRebalance()) this.joinedDuringDelay = true;
  }

  /** A member goes by another id from now on. */
  memberRenamed(from: string, to: string): void {
    if (this.awaitedSyncs.delete(from)) this.awaitedSyncs.add(to);
  }

  /** The leader sent the assignments of this generation. */
  settleAssignments(request: SyncRequest): void {
    if (this.unsettledAssignments !== null) return;
    const sent = new Map<string, Buffer>();
    for (const { memberId, assignment } of request.assignments) sent.set(memberId, assignment);
    const assignments = new Map<string, Buffer>();
    for (const { memberId } of this.membership.values()) {
      assignments.set(memberId, sent.get(memberId) ?? EMPTY_ASSIGNMENT);
    }
    this.unsettledAssignments = assignments;
    this.host.persist(this.names.groupId, this.record(assignments), (error) => {
      // Another rebalance may have begun meanwhile: then these assignments are of no use to anybody.
      if (this.unsettledAssignments !== assignments) return;
      this.unsettledAssignments = null;
      if (error === 'none') {
        this.becomeStable(assignments);
      } else {
        this.propagateFailure(error);
        this.prepareRebalance('the assignment could not be stored');
      }
    });
  }

  /** The member asked for its assignment. */
  countSync(member: GroupMember): void {
    if (!this.awaitedSyncs.delete(member.memberId)) return;
    if (this.awaitedSyncs.size === 0) this.stopAwaitingSyncs();
  }

  /** Answers whatever the member waits for with an error. */
  refuseWaiting(member: GroupMember, error: GroupError): void {
    const memberId = error === 'unknown-member' ? '' : member.memberId;
    this.membership.answerJoin(member, refusedJoin(error, memberId));
    this.answerSync(member, refusedSync(error));
  }

  drop(member: GroupMember, error: GroupError): void {
    this.refuseWaiting(member, error);
    this.membership.remove(member);
    this.host.stats.members--;
    this.countSync(member);
  }

  evict(member: GroupMember, cause: EvictionCause, why: string): void {
    const who = describeMember(member, this.membership.leaderId);
    this.host.stats.evictions++;
    this.host.logger.warn(
      'group.member-evicted',
      `${who} of group ${this.names.groupId} was evicted: ${why}`,
      {
        ...this.names,
        memberId: member.memberId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        cause,
      },
    );
    this.drop(member, 'unknown-member');
    const { memberId, instanceId } = member;
    this.host.emit({ type: 'member-evicted', ...this.names, memberId, instanceId, cause });
  }

  /** What a member is told about the current generation. */
  joined(member: GroupMember, options: { readonly asLeader: boolean }): JoinResponse {
    return {
      error: 'none',
      generation: this.generation,
      protocolType: this.protocolType,
      protocolName: this.protocolName,
      leaderId: this.membership.leaderId,
      memberId: member.memberId,
      skipAssignment: false,
      members: options.asLeader
        ? this.membership.all().map((other) => ({
            memberId: other.memberId,
            instanceId: other.instanceId,
            metadata: other.metadataOf(this.protocolName),
          }))
        : [],
    };
  }

  assigned(member: GroupMember): SyncResponse {
    return {
      error: 'none',
      protocolType: this.protocolType,
      protocolName: this.protocolName,
      assignment: member.assignment,
    };
  }

  /** What a restart brings back; assignments, when given, stand in for those of the members. */
  record(assignments: ReadonlyMap<string, Buffer> | null): GroupRecord {
    return {
      generation: this.generation,
      protocolType: this.protocolType,
      protocolName: this.protocolName,
      leaderId: this.membership.leaderId,
      sinceMs: this.sinceMs,
      members: this.membership.all().map((member) => ({
        memberId: member.memberId,
        instanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        sessionTimeoutMs: member.sessionTimeoutMs,
        rebalanceTimeoutMs: member.rebalanceTimeoutMs,
        protocols: member.protocols,
        subscribedTopics: member.subscribedTopics,
        assignment: assignments?.get(member.memberId) ?? member.assignment,
      })),
    };
  }

  /** Takes over what a record says, but for its members. */
  restore(record: GroupRecord): void {
    this.generation = record.generation;
    this.protocolType = record.protocolType;
    this.protocolName = record.protocolName;
    this.sinceMs = record.sinceMs;
    if (record.members.length > 0) this.state = 'stable';
  }

  /** Ends it for good; whoever waits is told the error. */
  kill(error: GroupError): void {
    this.joinTimer?.cancel();
    this.stopAwaitingSyncs();
    this.unsettledAssignments = null;
    this.transition('dead');
    for (const member of this.membership.all()) this.refuseWaiting(member, error);
  }

  // ---- from the first join to the last

  private delaysFirstRebalance(): boolean {
    return (
      this.state === 'preparing-rebalance' &&
      this.previousState === 'empty' &&
      this.host.options.initialRebalanceDelayMs > 0
    );
  }

  private prepareRebalance(reason: string): void {
    const first = this.state === 'empty';
    if (first && this.membership.size === 0) return;
    if (this.state === 'completing-rebalance') this.propagateFailure('rebalance-in-progress');
    this.stopAwaitingSyncs();
    this.transition('preparing-rebalance');
    const { generation } = this;
    this.host.logger.info(
      'group.rebalancing',
      `group ${this.names.groupId} rebalances: ${reason}`,
      { ...this.names, generation, members: this.membership.size, reason },
    );
    this.host.emit({ type: 'group-rebalancing', ...this.names, generation, reason });
    const delayMs = this.host.options.initialRebalanceDelayMs;
    if (first && delayMs > 0) {
      this.delayFirstRebalance(delayMs, this.rebalanceTimeoutMs() - delayMs);
    } else if (this.membership.allJoined) {
      this.completeJoin();
    } else {
      const longestMs = this.rebalanceTimeoutMs();
      this.awaitJoins(first ? Math.min(PENDING_MEMBERS_WAIT_MS, longestMs) : longestMs);
    }
  }

  /** Waits for more members as long as they keep coming, at most for the rebalance timeout. */
  private delayFirstRebalance(delayMs: number, restMs: number): void {
    this.joinedDuringDelay = false;
    this.joinTimer?.cancel();
    this.joinTimer = this.host.clock.setTimer(delayMs, () => {
      if (this.joinedDuringDelay && restMs > 0) {
        const nextMs = Math.min(this.host.options.initialRebalanceDelayMs, restMs);
        this.delayFirstRebalance(nextMs, restMs - nextMs);
      } else {
        this.completeJoin();
      }
    });
  }

  private awaitJoins(longestMs: number): void {
    this.joinTimer?.cancel();
    this.joinTimer = this.host.clock.setTimer(longestMs, () => this.completeJoin());
  }

  /** Everybody has joined, or has had the time to: those that did form the next generation. */
  private completeJoin(): void {
    if (this.state !== 'preparing-rebalance') return;
    this.joinTimer?.cancel();
    this.joinTimer = null;
    for (const member of this.membership.all()) {
      if (member.joinReply !== null || member.instanceId !== null) continue;
      this.evict(member, 'not-rejoined', 'it did not join again within the rebalance timeout');
    }
    if (this.membership.size === 0) {
      this.becomeEmpty();
    } else if (this.membership.electJoinedLeader()) {
      this.beginGeneration();
    } else {
      // Only static members that are away are left: their sessions decide.
      this.awaitJoins(this.rebalanceTimeoutMs());
    }
  }

  private becomeEmpty(): void {
    this.generation++;
    this.protocolName = '';
    this.transition('empty');
    const { generation } = this;
    this.host.emit({ type: 'group-emptied', ...this.names, generation });
    // Nobody waits for this: should it be lost, the former members come back at a restart and time out.
    this.host.persist(this.names.groupId, this.record(null), () => {});
    this.host.vacated(this.names.groupId);
  }

  private beginGeneration(): void {
    this.generation++;
    this.protocolName = this.membership.selectProtocol();
    this.transition('completing-rebalance');
    const { generation } = this;
    const members = this.membership.all();
    this.awaitedSyncs.clear();
    for (const member of members) this.awaitedSyncs.add(member.memberId);
    this.syncTimer = this.host.clock.setTimer(this.rebalanceTimeoutMs(), () =>
      this.expireSyncs(generation),
    );
    const answers = members.map((member) =>
      this.joined(member, { asLeader: member.memberId === this.membership.leaderId }),
    );
    members.forEach((member, index) => {
      member.isNew = false;
      member.session.extend(member.sessionTimeoutMs);
      const answer = answers[index];
      if (answer !== undefined) this.membership.answerJoin(member, answer);
    });
  }

  private rebalanceTimeoutMs(): number {
    return Math.max(REBALANCE_TIMEOUT_MIN_MS, this.membership.rebalanceTimeoutMs());
  }

  // ---- from the first sync to the last

  private becomeStable(assignments: ReadonlyMap<string, Buffer>): void {
    const members = this.membership.all();
    for (const member of members) {
      member.assignment = assignments.get(member.memberId) ?? EMPTY_ASSIGNMENT;
    }
    this.transition('stable');
    this.host.stats.rebalances++;
    const { generation, protocolName } = this;
    this.host.logger.info('group.stable', `group ${this.names.groupId} is stable`, {
      ...this.names,
      generation,
      members: members.length,
      protocolName,
      leaderId: this.membership.leaderId,
    });
    this.host.emit({
      type: 'group-rebalanced',
      ...this.names,
      generation,
      members: members.length,
      protocolName,
    });
    for (const member of members) this.answerSync(member, this.assigned(member));
  }

  private propagateFailure(error: GroupError): void {
    this.unsettledAssignments = null;
    for (const member of this.membership.all()) {
      member.assignment = EMPTY_ASSIGNMENT;
      this.answerSync(member, refusedSync(error));
    }
  }

  private answerSync(member: GroupMember, response: SyncResponse): void {
    const reply = member.syncReply;
    if (reply === null) return;
    member.syncReply = null;
    // It was not expected to send heartbeats while it waited.
    member.session.extend(member.sessionTimeoutMs);
    reply(response);
  }

  private stopAwaitingSyncs(): void {
    this.awaitedSyncs.clear();
    this.syncTimer?.cancel();
    this.syncTimer = null;
  }

  private expireSyncs(generation: number): void {
    this.syncTimer = null;
    if (generation !== this.generation || this.awaitedSyncs.size === 0) return;
    const late = [...this.awaitedSyncs];
    for (const memberId of late) {
      const member = this.membership.get(memberId);
      if (member === undefined) continue;
      this.evict(member, 'sync-timeout', 'it did not ask for its assignment in time');
    }
    this.rebalanceOrComplete(`${late.join(', ')} did not ask for the assignment in time`);
  }

  private transition(to: GroupState): void {
    this.previousState = this.state;
    this.state = to;
    this.sinceMs = this.host.clock.wallMs();
  }
}
