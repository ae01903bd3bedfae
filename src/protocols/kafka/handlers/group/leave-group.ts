import {
  LEAVE_GROUP,
  readLeaveGroupRequest,
  writeLeaveGroupResponse,
} from '../../codec/generated/leave-group.ts';
import type { LeaveGroupRequest, LeaveGroupResponse } from '../../codec/generated/leave-group.ts';
import { groupErrorCode, KAFKA_ERROR } from '../../errors.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';

/** From here on several members leave at once, static ones by their instance id alone (KIP-345). */
const BATCH_VERSION = 3;

/** Removes members from a group at their wish, or static members at an administrator's. */
export const leaveGroupHandler: ApiHandler = {
  api: LEAVE_GROUP,
  minVersion: 0,
  maxVersion: 5,
  handle(context, reader, version): void {
    const request = readLeaveGroupRequest(reader, version);
    context.respond(writeLeaveGroupResponse, leave(context, request, version));
  },
};

function leave(
  context: RequestContext,
  request: LeaveGroupRequest,
  version: number,
): LeaveGroupResponse {
  const { groupId } = request;
  if (!context.allows('read', 'group', groupId)) {
    return { throttleTimeMs: 0, errorCode: KAFKA_ERROR.GROUP_AUTHORIZATION_FAILED, members: [] };
  }
  if (groupId === '') {
    return { throttleTimeMs: 0, errorCode: KAFKA_ERROR.INVALID_GROUP_ID, members: [] };
  }
  const leaving =
    version >= BATCH_VERSION
      ? request.members
      : [{ memberId: request.memberId, groupInstanceId: null, reason: null }];
  const result = context.broker.groups.leave(
    context.namespace,
    groupId,
    leaving.map(({ memberId, groupInstanceId, reason }) => ({
      memberId,
      instanceId: groupInstanceId,
      reason,
    })),
  );
  const errorCode = groupErrorCode(result.error);
  if (version < BATCH_VERSION) {
    const only = groupErrorCode(result.members[0] ?? 'none');
    return { throttleTimeMs: 0, errorCode: errorCode === 0 ? only : errorCode, members: [] };
  }
  if (errorCode !== KAFKA_ERROR.NONE) return { throttleTimeMs: 0, errorCode, members: [] };
  return {
    throttleTimeMs: 0,
    errorCode,
    members: leaving.map(({ memberId, groupInstanceId }, index) => ({
      memberId,
      groupInstanceId,
      errorCode: groupErrorCode(result.members[index] ?? 'unknown-member'),
    })),
  };
}
