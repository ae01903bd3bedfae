import type { SyncResponse } from '../../../../core/group-types.ts';
import {
  readSyncGroupRequest,
  SYNC_GROUP,
  writeSyncGroupResponse,
} from '../../codec/generated/sync-group.ts';
import { NO_BYTES } from '../../codec/records.ts';
import { groupErrorCode, KAFKA_ERROR } from '../../errors.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';

/** From here on a member says what it believes the group's protocol to be (KIP-559). */
const PROTOCOL_VERSION = 5;

/** Asks for the member's assignment; the leader brings those of all. Answered when they are durable. */
export const syncGroupHandler: ApiHandler = {
  api: SYNC_GROUP,
  minVersion: 0,
  maxVersion: 5,
  handle(context, reader, version): void {
    const request = readSyncGroupRequest(reader, version);
    const { groupId, memberId, protocolType, protocolName } = request;
    if (version >= PROTOCOL_VERSION && (protocolType === null || protocolName === null)) {
      refuse(context, KAFKA_ERROR.INCONSISTENT_GROUP_PROTOCOL);
      return;
    }
    if (!context.allows('read', 'group', groupId)) {
      refuse(context, KAFKA_ERROR.GROUP_AUTHORIZATION_FAILED);
      return;
    }
    if (groupId === '') {
      refuse(context, KAFKA_ERROR.INVALID_GROUP_ID);
      return;
    }
    const sync = {
      groupId,
      memberId,
      instanceId: request.groupInstanceId,
      generation: request.generationId,
      protocolType,
      protocolName,
      assignments: request.assignments.map((sent) => ({
        memberId: sent.memberId,
        assignment: Buffer.from(sent.assignment),
      })),
      connectionId: context.connectionId,
    };
    context.broker.groups.sync(context.namespace, sync, (response) => respond(context, response));
  },
};

function respond(context: RequestContext, response: SyncResponse): void {
  context.respond(writeSyncGroupResponse, {
    throttleTimeMs: 0,
    errorCode: groupErrorCode(response.error),
    protocolType: response.protocolType,
    protocolName: response.protocolName,
    assignment: response.assignment,
  });
}

function refuse(context: RequestContext, errorCode: number): void {
  context.respond(writeSyncGroupResponse, {
    throttleTimeMs: 0,
    errorCode,
    protocolType: null,
    protocolName: null,
    assignment: NO_BYTES,
  });
}
