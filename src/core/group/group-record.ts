import type { MemberFacts } from './member.ts';

/** A member as it survives a restart. */
export interface MemberRecord extends MemberFacts {
  readonly assignment: Buffer;
}

/** A generation as it survives a restart: stable when it has members, else empty. */
export interface GroupRecord {
  readonly generation: number;
  readonly protocolType: string;
  /** '' without members. */
  readonly protocolName: string;
  readonly leaderId: string;
  /** Wall clock of the change of state: offsets of an empty group expire counted from it. */
  readonly sinceMs: number;
  readonly members: readonly MemberRecord[];
}
