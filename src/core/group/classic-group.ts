import { strict as assert } from 'node:assert';
import type {
  GroupError,
  GroupState,
  GroupView,
  JoinRequest,
  JoinResponse,
  LeaveMember,
  MemberRef,
  SyncRequest,
  SyncResponse,
} from '../group-types.ts';
import type { GroupRecord } from './group-record.ts';
import type { GroupHost, GroupNames } from './host.ts';
import { EMPTY_ASSIGNMENT, GroupMember, type MemberFacts } from './member.ts';
import { Membership } from './membership.ts';
import { RebalanceCycle } from './rebalance-cycle.ts';
import { because, describeMember, refusedJoin, refusedSync } from './replies.ts';
import { Session } from './session.ts';

type JoinReply = (response: JoinResponse) => void;
type SyncReply = (response: SyncResponse) => void;

/**
 * A group whose members agree among themselves, as a state machine without input or output: requests come in
 * as calls, time through the host's clock, answers go out through the given callbacks. rebalance-cycle.ts has
 * the states; this class decides what each request means in them.
 */
export class ClassicGroup {
  readonly names: GroupNames;
  private readonly host: GroupHost;
  private readonly membership = new Membership();
  private readonly cycle: RebalanceCycle;

  constructor(host: GroupHost, names: GroupNames) {
    this.host = host;
    this.names = names;
    this.cycle = new RebalanceCycle(host, names, this.membership);
  }

  get state(): GroupState {
    return this.cycle.state;
  }

  /** Wall clock of the last change of state. */
  get stateSinceMs(): number {
    return this.cycle.sinceMs;
  }

  /** '' for a group that only holds offsets of clients that manage their partitions themselves. */
  get protocolType(): string {
    return this.cycle.protocolType;
  }

  /** Nobody is in the group or on the way into it. */
  get vacant(): boolean {
    return this.cycle.state === 'empty' && this.membership.pendingSize === 0;
  }

  join(request: JoinRequest, reply: JoinReply): void {
    if (this.state === 'dead') {
      reply(refusedJoin('coordinator-unavailable', request.memberId));
    } else if (!this.hasRoomFor(request.memberId)) {
      this.turnAway(request, reply);
    } else if (!this.accepts(request)) {
      reply(refusedJoin('inconsistent-protocol', request.memberId));
    } else if (request.memberId === '') {
      this.joinNew(request, reply);
    } else {
      this.joinKnown(request, reply);
    }
  }

  sync(request: SyncRequest, reply: SyncReply): void {
    const error = this.checkSync(request);
    const member = this.membership.get(request.memberId);
    if (error !== 'none' || member === undefined) {
      reply(refusedSync(error));
      return;
    }
    member.session.seen(request.connectionId);
    this.cycle.countSync(member);
    if (this.state === 'stable') {
      member.session.extend(member.sessionTimeoutMs);
      reply(this.cycle.assigned(member));
      return;
    }
    // A client that asks again cannot be waiting for the earlier answer any more.
    member.syncReply?.(refusedSync('rebalance-in-progress'));
    member.syncReply = reply;
    if (this.membership.leaderId === member.memberId) this.cycle.settleAssignments(request);
  }

  heartbeat(ref: MemberRef): GroupError {
    const error = this.checkMember(ref, ref.generation);
    const member = this.membership.get(ref.memberId);
    if (error !== 'none' || member === undefined) return error;
    member.lastHeartbeatMs = this.host.clock.wallMs();
    member.session.beat(ref.connectionId);
    member.session.extend(this.sessionMsOf(member));
    return this.state === 'preparing-rebalance' ? 'rebalance-in-progress' : 'none';
  }

  /** One result per member asked for, in order. */
  leave(members: readonly LeaveMember[]): readonly GroupError[] {
    const left: string[] = [];
    const results = members.map((leaving) => {
      const error = this.leaveOne(leaving);
      if (error === 'none') left.push(leaving.instanceId ?? leaving.memberId);
      return error;
    });
    if (left.length > 0) this.cycle.rebalanceOrComplete(`${left.join(', ')} left`);
    if (this.vacant) this.host.vacated(this.names.groupId);
    return results;
  }

  /** Whether the member may commit offsets now; its session goes on when it may. */
  checkCommit(ref: MemberRef): GroupError {
    if (ref.generation < 0) {
      if (this.state === 'empty') return 'none';
      // A client without membership has no say while the group has members.
      if (ref.memberId === '' && ref.instanceId === null) return 'unknown-member';
    }
    const error = this.checkMember(ref, ref.generation);
    const member = this.membership.get(ref.memberId);
    if (error !== 'none' || member === undefined) return error;
    // The member knows its new generation but not its partitions: what it wants to commit is of the old one.
    if (this.state === 'completing-rebalance') return 'rebalance-in-progress';
    member.session.seen(ref.connectionId);
    member.session.extend(this.sessionMsOf(member));
    return 'none';
  }

  /** The topics of the members; null when a member's subscription is unknown. */
  subscribedTopics(): ReadonlySet<string> | null {
    return this.membership.subscribedTopics();
  }

  view(): GroupView {
    const { state, protocolType, protocolName, generation } = this.cycle;
    return {
      groupId: this.names.groupId,
      state,
      protocolType,
      protocolName,
      generation,
      members: this.membership.all().map((member) => ({
        memberId: member.memberId,
        instanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        metadata: state === 'stable' ? member.metadataOf(protocolName) : EMPTY_ASSIGNMENT,
        assignment: member.assignment,
        lastHeartbeatMs: member.lastHeartbeatMs,
        sessionTimeoutMs: member.sessionTimeoutMs,
      })),
    };
  }

  /** Takes over what a record says; its members get a fresh session. Only for a group that nobody used yet. */
  restore(record: GroupRecord): void {
    assert(this.vacant && this.membership.size === 0, 'only an unused group can be restored');
    this.cycle.restore(record);
    for (const facts of record.members) {
      const member = this.newMember(facts);
      member.assignment = facts.assignment;
      this.membership.add(member);
      this.host.stats.members++;
      member.session.extend(member.sessionTimeoutMs);
    }
    if (this.membership.get(record.leaderId)) this.membership.leaderId = record.leaderId;
  }

  /** Ends the group: whoever waits is told the error. Nothing is journalled. */
  kill(error: GroupError): void {
    if (this.state === 'dead') return;
    this.membership.stop();
    this.host.stats.members -= this.membership.size;
    this.cycle.kill(error);
  }

  // ---- joining

  private joinNew(request: JoinRequest, reply: JoinReply): void {
    const memberId = this.host.newMemberId(request.instanceId ?? request.clientId);
    if (request.instanceId !== null) {
      const existing = this.membership.byInstance(request.instanceId);
      if (existing === undefined) this.addMember(memberId, request, reply);
      else this.replaceStatic(existing, memberId, request, reply);
    } else if (request.requireKnownMemberId) {
      this.addPending(memberId, request);
      reply(refusedJoin('member-id-required', memberId));
    } else {
      this.addMember(memberId, request, reply);
    }
  }

  private joinKnown(request: JoinRequest, reply: JoinReply): void {
    const { memberId } = request;
    if (request.instanceId === null && this.membership.removePending(memberId)) {
      this.addMember(memberId, request, reply);
      return;
    }
    const error = this.checkMember(request, this.cycle.generation);
    const member = this.membership.get(memberId);
    if (error !== 'none' || member === undefined) {
      reply(refusedJoin(error, memberId));
      return;
    }
    member.session.seen(request.connectionId);
    const unchanged = member.offersSame(request.protocols);
    const leads = this.membership.leaderId === memberId;
    if (
      unchanged &&
      (this.state === 'completing-rebalance' || (this.state === 'stable' && !leads))
    ) {
      // It missed the answer to its first join of this generation, or only wants to know where things stand.
      member.session.extend(member.sessionTimeoutMs);
      reply(this.cycle.joined(member, { asLeader: leads }));
      return;
    }
    // A leader that joins again asks for a rebalance: it may have seen changes that its metadata does not show.
    const what = unchanged ? 'joins again' : 'joins again with other metadata';
    this.park(member, request, reply);
    this.rebalance(member, what, request.reason);
  }

  private addPending(memberId: string, request: JoinRequest): void {
    const session = new Session({
      clock: this.host.clock,
      connections: this.host.connections,
      disconnectGraceMs: this.host.options.disconnectGraceMs,
      onSilent: () => this.dropPending(memberId),
    });
    this.membership.addPending(memberId, session);
    session.seen(request.connectionId);
    session.extend(request.sessionTimeoutMs);
  }

  private addMember(memberId: string, request: JoinRequest, reply: JoinReply): void {
    const member = this.newMember(factsOf(memberId, request));
    member.isNew = true;
    if (this.membership.size === 0) this.cycle.protocolType = request.protocolType;
    this.membership.add(member);
    this.host.stats.members++;
    this.membership.park(member, reply);
    this.cycle.memberAdded();
    member.session.seen(request.connectionId);
    member.session.extend(this.host.options.newMemberJoinTimeoutMs);
    const { instanceId } = member;
    this.host.emit({ type: 'member-joined', ...this.names, memberId, instanceId });
    this.rebalance(member, 'joins', request.reason);
  }

  /** A static member came back without its id: it gets a new one, and whoever still uses the old one is fenced. */
  private replaceStatic(
    existing: GroupMember,
    memberId: string,
    request: JoinRequest,
    reply: JoinReply,
  ): void {
    const formerLeaderId = this.membership.leaderId;
    this.cycle.refuseWaiting(existing, 'fenced-instance');
    const member = this.newMember(factsOf(memberId, request));
    member.assignment = existing.assignment;
    this.membership.replace(existing, member);
    this.cycle.memberRenamed(existing.memberId, memberId);
    this.membership.park(member, reply);
    member.session.seen(request.connectionId);
    member.session.extend(request.sessionTimeoutMs);
    this.host.logger.info(
      'group.member-replaced',
      `${describeMember(member, this.membership.leaderId)} takes the place of ${existing.memberId}`,
      { ...this.names, memberId, formerMemberId: existing.memberId },
    );
    if (this.state === 'stable' && this.membership.selectProtocol() === this.cycle.protocolName) {
      this.keepGeneration(member, formerLeaderId, request, reply);
    } else {
      this.rebalance(member, `takes the place of ${existing.memberId}`, request.reason);
    }
  }

  /** Answers a static member that came back with the generation that goes on, once its new id is durable. */
  private keepGeneration(
    member: GroupMember,
    formerLeaderId: string,
    request: JoinRequest,
    reply: JoinReply,
  ): void {
    this.host.persist(this.names.groupId, this.cycle.record(null), (error) => {
      // When a rebalance began meanwhile, the join takes part in that one and is answered by it.
      if (member.joinReply !== reply || this.state !== 'stable') return;
      member.session.extend(member.sessionTimeoutMs);
      if (error !== 'none') {
        this.membership.answerJoin(member, refusedJoin(error, ''));
        return;
      }
      const leads = this.membership.leaderId === member.memberId;
      const skipAssignment = leads && request.supportsSkipAssignment;
      this.membership.answerJoin(member, {
        ...this.cycle.joined(member, { asLeader: skipAssignment }),
        skipAssignment,
        // A client that cannot skip the assignment must not believe that it leads.
        leaderId: request.supportsSkipAssignment ? this.membership.leaderId : formerLeaderId,
      });
    });
  }

  /** The member's newest terms count, and its join waits for the others. */
  private park(member: GroupMember, request: JoinRequest, reply: JoinReply): void {
    this.membership.update(member, factsOf(member.memberId, request));
    const superseded = this.membership.park(member, reply);
    superseded?.(refusedJoin('rebalance-in-progress', member.memberId));
  }

  private rebalance(member: GroupMember, what: string, reason: string | null): void {
    const who = describeMember(member, this.membership.leaderId);
    this.cycle.rebalanceOrComplete(`${who} ${what}${because(reason)}`);
  }

  private turnAway(request: JoinRequest, reply: JoinReply): void {
    reply(refusedJoin('group-full', ''));
    const member = this.membership.get(request.memberId);
    if (member === undefined) return;
    this.cycle.drop(member, 'group-full');
    this.cycle.maybeCompleteJoin();
  }

  private accepts(request: JoinRequest): boolean {
    if (request.protocolType === '' || request.protocols.length === 0) return false;
    if (this.state === 'empty') return true;
    return (
      request.protocolType === this.cycle.protocolType &&
      this.membership.sharesProtocol(request.protocols)
    );
  }

  private hasRoomFor(memberId: string): boolean {
    const most = this.host.options.groupSizeMax;
    if (memberId === '' && this.membership.pendingSize >= most) return false;
    const member = this.membership.get(memberId);
    if (this.state === 'preparing-rebalance') {
      // Those that joined count: after the limit was lowered, the last to join again have to go.
      const joined = member !== undefined && member.joinReply !== null;
      return joined || this.membership.awaitingJoin < most;
    }
    return member !== undefined || this.membership.size < most;
  }

  // ---- going

  private leaveOne(leaving: LeaveMember): GroupError {
    if (leaving.memberId === '') {
      // An administrator names static members without knowing their ids.
      const named =
        leaving.instanceId === null ? undefined : this.membership.byInstance(leaving.instanceId);
      if (named === undefined) return 'unknown-member';
      this.sayGoodbye(named, leaving.reason);
      return 'none';
    }
    if (this.membership.removePending(leaving.memberId)) return 'none';
    const error = this.checkMember(leaving, this.cycle.generation);
    const member = this.membership.get(leaving.memberId);
    if (error !== 'none' || member === undefined) return error;
    this.sayGoodbye(member, leaving.reason);
    return 'none';
  }

  private sayGoodbye(member: GroupMember, reason: string | null): void {
    const { memberId, instanceId } = member;
    this.host.logger.info(
      'group.member-left',
      `${describeMember(member, this.membership.leaderId)} left group ${this.names.groupId}${because(reason)}`,
      { ...this.names, memberId },
    );
    this.cycle.drop(member, 'unknown-member');
    this.host.emit({ type: 'member-left', ...this.names, memberId, instanceId });
  }

  private dropPending(memberId: string): void {
    if (!this.membership.removePending(memberId)) return;
    this.host.logger.info(
      'group.pending-dropped',
      `${memberId} of group ${this.names.groupId} did not join with the id it was given`,
      { ...this.names },
    );
    this.cycle.maybeCompleteJoin();
    if (this.vacant) this.host.vacated(this.names.groupId);
  }

  private memberSilent(member: GroupMember, cause: 'deadline' | 'disconnected'): void {
    if (this.membership.get(member.memberId) !== member) return;
    const who = describeMember(member, this.membership.leaderId);
    const silence = `no request for ${Math.round(member.session.silentMs)} ms`;
    if (cause === 'disconnected') {
      this.cycle.evict(member, 'disconnected', 'its connection ended and it did not come back');
    } else if (member.isNew) {
      this.cycle.evict(member, 'join-timeout', 'its first join waited too long');
    } else if (member.waitsForOthers) {
      // Nothing is expected of it; when it is answered its session starts afresh.
      return;
    } else {
      const limit = `its session timeout is ${member.sessionTimeoutMs} ms`;
      this.cycle.evict(member, 'session-timeout', `${silence}, ${limit}`);
    }
    this.cycle.rebalanceOrComplete(
      `${who} was evicted: ${cause === 'disconnected' ? 'its connection ended' : silence}`,
    );
  }

  // ---- checking

  private checkMember(
    ref: { readonly memberId: string; readonly instanceId: string | null },
    generation: number,
  ): GroupError {
    if (this.state === 'dead') return 'coordinator-unavailable';
    if (ref.instanceId !== null) {
      const holder = this.membership.byInstance(ref.instanceId);
      if (holder === undefined) return 'unknown-member';
      if (holder.memberId !== ref.memberId) return 'fenced-instance';
    }
    if (this.membership.get(ref.memberId) === undefined) return 'unknown-member';
    return generation === this.cycle.generation ? 'none' : 'illegal-generation';
  }

  private checkSync(request: SyncRequest): GroupError {
    const error = this.checkMember(request, request.generation);
    if (error !== 'none') return error;
    const { protocolType, protocolName } = this.cycle;
    if (
      (request.protocolType !== null && request.protocolType !== protocolType) ||
      (request.protocolName !== null && request.protocolName !== protocolName)
    ) {
      return 'inconsistent-protocol';
    }
    return this.state === 'preparing-rebalance' ? 'rebalance-in-progress' : 'none';
  }

  private newMember(facts: MemberFacts): GroupMember {
    const session = new Session({
      clock: this.host.clock,
      connections: this.host.connections,
      // Static members are expected to be away for a while: only their session timeout counts.
      disconnectGraceMs:
        facts.instanceId === null ? this.host.options.disconnectGraceMs : Number.POSITIVE_INFINITY,
      onSilent: (cause) => this.memberSilent(member, cause),
    });
    const member = new GroupMember(facts, session, this.host.clock.wallMs());
    return member;
  }

  private sessionMsOf(member: GroupMember): number {
    return member.isNew ? this.host.options.newMemberJoinTimeoutMs : member.sessionTimeoutMs;
  }
}

function factsOf(memberId: string, request: JoinRequest): MemberFacts {
  return {
    memberId,
    instanceId: request.instanceId,
    clientId: request.clientId,
    clientHost: request.clientHost,
    sessionTimeoutMs: request.sessionTimeoutMs,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    protocols: request.protocols,
    subscribedTopics: request.subscribedTopics ?? null,
  };
}
