import {
  HEARTBEAT,
  readHeartbeatRequest,
  writeHeartbeatResponse,
} from '../../codec/generated/heartbeat.ts';
import type { HeartbeatRequest } from '../../codec/generated/heartbeat.ts';
import { groupErrorCode, KAFKA_ERROR } from '../../errors.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';

/** Keeps a member's session alive and tells it when the group rebalances. */
export const heartbeatHandler: ApiHandler = {
  api: HEARTBEAT,
  minVersion: 0,
  maxVersion: 4,
  handle(context, reader, version): void {
    const request = readHeartbeatRequest(reader, version);
    const errorCode = heartbeat(context, request);
    context.respond(writeHeartbeatResponse, { throttleTimeMs: 0, errorCode });
  },
};

function heartbeat(context: RequestContext, request: HeartbeatRequest): number {
  const { groupId } = request;
  if (!context.allows('read', 'group', groupId)) return KAFKA_ERROR.GROUP_AUTHORIZATION_FAILED;
  if (groupId === '') return KAFKA_ERROR.INVALID_GROUP_ID;
  return groupErrorCode(
    context.broker.groups.heartbeat(context.namespace, {
      groupId,
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      generation: request.generationId,
      connectionId: context.connectionId,
    }),
  );
}
