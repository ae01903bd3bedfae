import { strict as assert } from 'node:assert';
import type { GroupProtocol, JoinResponse } from '../group-types.ts';
import type { GroupMember, MemberTerms } from './member.ts';
import type { Session } from './session.ts';

/**
 * Who is in a group: members by id, static members by instance id, ids handed out but not used yet, the leader,
 * and the counts that decide when everybody has joined and which protocols all members know.
 */
export class Membership {
  private readonly members = new Map<string, GroupMember>();
  private readonly staticIds = new Map<string, string>();
  /** Ids of members that were told to join again with them. */
  private readonly pending = new Map<string, Session>();
  /** Protocol name -> how many members offer it. */
  private readonly offers = new Map<string, number>();
  private awaitingJoinCount = 0;
  /** '' exactly when there are no members. */
  leaderId = '';

  get size(): number {
    return this.members.size;
  }

  get pendingSize(): number {
    return this.pending.size;
  }

  get awaitingJoin(): number {
    return this.awaitingJoinCount;
  }

  get allJoined(): boolean {
    return this.awaitingJoinCount === this.members.size && this.pending.size === 0;
  }

  get(memberId: string): GroupMember | undefined {
    return this.members.get(memberId);
  }

  byInstance(instanceId: string): GroupMember | undefined {
    const memberId = this.staticIds.get(instanceId);
    return memberId === undefined ? undefined : this.members.get(memberId);
  }

  /** A copy: members may come and go while the caller answers them. */
  all(): readonly GroupMember[] {
    return [...this.members.values()];
  }

  values(): Iterable<GroupMember> {
    return this.members.values();
  }

  isPending(memberId: string): boolean {
    return this.pending.has(memberId);
  }

  addPending(memberId: string, session: Session): void {
    assert(!this.members.has(memberId) && !this.pending.has(memberId));
    this.pending.set(memberId, session);
  }

  /** False when the id was not pending. */
  removePending(memberId: string): boolean {
    const session = this.pending.get(memberId);
    if (session === undefined) return false;
    session.stop();
    return this.pending.delete(memberId);
  }

  add(member: GroupMember): void {
    assert(!this.members.has(member.memberId) && member.joinReply === null);
    if (member.instanceId !== null) {
      assert(!this.staticIds.has(member.instanceId));
      this.staticIds.set(member.instanceId, member.memberId);
    }
    this.members.set(member.memberId, member);
    this.countOffers(member, 1);
    if (this.leaderId === '') this.leaderId = member.memberId;
  }

  remove(member: GroupMember): void {
    if (!this.members.delete(member.memberId)) return;
    assert(member.joinReply === null && member.syncReply === null, 'a removed member was answered');
    member.session.stop();
    this.countOffers(member, -1);
    if (member.instanceId !== null) this.staticIds.delete(member.instanceId);
    if (this.leaderId === member.memberId) {
      const [next] = this.members.keys();
      this.leaderId = next ?? '';
    }
  }

  /** Puts replacement in the place of a static member, at its position and as leader if it was. */
  replace(member: GroupMember, replacement: GroupMember): void {
    assert(member.instanceId !== null && member.instanceId === replacement.instanceId);
    const wasLeader = this.leaderId === member.memberId;
    this.remove(member);
    this.add(replacement);
    if (wasLeader) this.leaderId = replacement.memberId;
  }

  /** Takes over what the member said in its newest join. */
  update(member: GroupMember, terms: MemberTerms): void {
    this.countOffers(member, -1);
    member.protocols = terms.protocols;
    member.subscribedTopics = terms.subscribedTopics;
    member.sessionTimeoutMs = terms.sessionTimeoutMs;
    member.rebalanceTimeoutMs = terms.rebalanceTimeoutMs;
    this.countOffers(member, 1);
  }

  /** The member waits for the others; a join of it that waited already is returned to be answered. */
  park(
    member: GroupMember,
    reply: (response: JoinResponse) => void,
  ): ((response: JoinResponse) => void) | null {
    assert(this.members.get(member.memberId) === member);
    const superseded = member.joinReply;
    member.joinReply = reply;
    if (superseded === null) this.awaitingJoinCount++;
    return superseded;
  }

  answerJoin(member: GroupMember, response: JoinResponse): void {
    const reply = member.joinReply;
    if (reply === null) return;
    member.joinReply = null;
    this.awaitingJoinCount--;
    reply(response);
  }

  /** The largest rebalance timeout of the members. */
  rebalanceTimeoutMs(): number {
    let largest = 0;
    for (const member of this.members.values()) {
      largest = Math.max(largest, member.rebalanceTimeoutMs);
    }
    return largest;
  }

  /** Leaves the leader, or makes a member that has joined the leader; false when nobody has. */
  electJoinedLeader(): boolean {
    if (this.members.get(this.leaderId)?.joinReply) return true;
    for (const member of this.members.values()) {
      if (member.joinReply === null) continue;
      this.leaderId = member.memberId;
      return true;
    }
    return false;
  }

  /** True when at least one of the protocols is offered by every member. */
  sharesProtocol(protocols: readonly GroupProtocol[]): boolean {
    return protocols.some(({ name }) => (this.offers.get(name) ?? 0) === this.members.size);
  }

  /** The protocol most members prefer among those that all of them offer; of equals the one voted for first. */
  selectProtocol(): string {
    const candidates = new Set<string>();
    for (const [name, count] of this.offers) {
      if (count === this.members.size) candidates.add(name);
    }
    const votes = new Map<string, number>();
    for (const member of this.members.values()) {
      const name = member.vote(candidates);
      if (name !== null) votes.set(name, (votes.get(name) ?? 0) + 1);
    }
    let selected = '';
    let most = 0;
    for (const [name, count] of votes) {
      if (count <= most) continue;
      selected = name;
      most = count;
    }
    assert(most > 0, 'members of a group share a protocol');
    return selected;
  }

  /** What all members together subscribe to; null when a member's subscription is unknown. */
  subscribedTopics(): ReadonlySet<string> | null {
    const topics = new Set<string>();
    for (const member of this.members.values()) {
      if (member.subscribedTopics === null) return null;
      for (const topic of member.subscribedTopics) topics.add(topic);
    }
    return topics;
  }

  /** Stops all sessions; nobody is answered. */
  stop(): void {
    for (const member of this.members.values()) member.session.stop();
    for (const session of this.pending.values()) session.stop();
    this.pending.clear();
  }

  private countOffers(member: GroupMember, change: 1 | -1): void {
    // A protocol named twice counts once.
    const names = new Set(member.protocols.map(({ name }) => name));
    for (const name of names) {
      const count = (this.offers.get(name) ?? 0) + change;
      if (count === 0) this.offers.delete(name);
      else this.offers.set(name, count);
    }
  }
}
