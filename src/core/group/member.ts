import type { GroupProtocol, JoinResponse, SyncResponse } from '../group-types.ts';
import type { Session } from './session.ts';

export const EMPTY_ASSIGNMENT = Buffer.alloc(0);

export interface MemberFacts {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocols: readonly GroupProtocol[];
  readonly subscribedTopics: readonly string[] | null;
}

/** What a member says anew each time it joins. */
export type MemberTerms = Pick<
  MemberFacts,
  'sessionTimeoutMs' | 'rebalanceTimeoutMs' | 'protocols' | 'subscribedTopics'
>;

/** One member of a group. Membership keeps the counts that depend on protocols and joinReply: change them there. */
export class GroupMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly session: Session;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  protocols: readonly GroupProtocol[];
  subscribedTopics: readonly string[] | null;
  assignment: Buffer = EMPTY_ASSIGNMENT;
  joinReply: ((response: JoinResponse) => void) | null = null;
  syncReply: ((response: SyncResponse) => void) | null = null;
  /** Its first join is still under way: the client does not know its id yet and cannot send heartbeats. */
  isNew = false;
  /** Wall clock, for people. */
  lastHeartbeatMs: number;

  constructor(facts: MemberFacts, session: Session, nowMs: number) {
    this.memberId = facts.memberId;
    this.instanceId = facts.instanceId;
    this.clientId = facts.clientId;
    this.clientHost = facts.clientHost;
    this.session = session;
    this.sessionTimeoutMs = facts.sessionTimeoutMs;
    this.rebalanceTimeoutMs = facts.rebalanceTimeoutMs;
    this.protocols = facts.protocols;
    this.subscribedTopics = facts.subscribedTopics;
    this.lastHeartbeatMs = nowMs;
  }

  /** A member that waits for the others of its group cannot send heartbeats and is not expected to. */
  get waitsForOthers(): boolean {
    return !this.isNew && (this.joinReply !== null || this.syncReply !== null);
  }

  metadataOf(protocolName: string): Buffer {
    for (const protocol of this.protocols) {
      if (protocol.name === protocolName) return protocol.metadata;
    }
    return EMPTY_ASSIGNMENT;
  }

  /** True when the protocols are the same, in the same order, with the same metadata. */
  offersSame(protocols: readonly GroupProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every((protocol, index) => {
        const own = this.protocols[index];
        return own?.name === protocol.name && own.metadata.equals(protocol.metadata);
      })
    );
  }

  /** The name it likes best among the candidates. */
  vote(candidates: ReadonlySet<string>): string | null {
    for (const protocol of this.protocols) {
      if (candidates.has(protocol.name)) return protocol.name;
    }
    return null;
  }
}
