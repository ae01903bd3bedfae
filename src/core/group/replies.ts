import type { GroupError, JoinResponse, SyncResponse } from '../group-types.ts';
import { EMPTY_ASSIGNMENT, type GroupMember } from './member.ts';

/** What a client says as its reason is logged up to this length. */
const REASON_LENGTH_MAX = 255;

/** The answer to a join that does not lead into a generation. */
export function refusedJoin(error: GroupError, memberId: string): JoinResponse {
  return {
    error,
    generation: -1,
    protocolType: null,
    protocolName: null,
    leaderId: '',
    memberId,
    skipAssignment: false,
    members: [],
  };
}

export function refusedSync(error: GroupError): SyncResponse {
  return { error, protocolType: null, protocolName: null, assignment: EMPTY_ASSIGNMENT };
}

/** A member as log lines name it. */
export function describeMember(member: GroupMember, leaderId: string): string {
  const role = member.memberId === leaderId ? 'leader' : 'member';
  const instance = member.instanceId === null ? '' : ` (instance ${member.instanceId})`;
  return `${role} ${member.memberId}${instance}`;
}

/** A client's reason as log lines carry it. */
export function because(reason: string | null): string {
  return reason === null || reason === '' ? '' : ` (${reason.slice(0, REASON_LENGTH_MAX)})`;
}
