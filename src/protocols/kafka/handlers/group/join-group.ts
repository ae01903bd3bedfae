import type { JoinRequest, JoinResponse } from '../../../../core/group-types.ts';
import {
  JOIN_GROUP,
  readJoinGroupRequest,
  writeJoinGroupResponse,
} from '../../codec/generated/join-group.ts';
import type { JoinGroupRequest, JoinGroupResponse } from '../../codec/generated/join-group.ts';
import { groupErrorCode, KAFKA_ERROR } from '../../errors.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import { subscribedTopics } from './subscription.ts';

/** From here on new members are given an id and join again with it, so that a lost answer leaves no ghost (KIP-394). */
const KNOWN_MEMBER_ID_VERSION = 4;
/** From here on protocolType and protocolName may be null in the response. */
const NULLABLE_PROTOCOL_VERSION = 7;
/** From here on a leader that rejoins unchanged can be told to skip the assignment (KIP-814). */
const SKIP_ASSIGNMENT_VERSION = 9;

/** Joins a group, or joins it again; answered when the group's next generation begins. */
export const joinGroupHandler: ApiHandler = {
  api: JOIN_GROUP,
  minVersion: 0,
  maxVersion: 9,
  handle(context, reader, version): void {
    const request = readJoinGroupRequest(reader, version);
    if (!context.allows('read', 'group', request.groupId)) {
      const { memberId } = request;
      respond(context, refusal(KAFKA_ERROR.GROUP_AUTHORIZATION_FAILED, memberId));
      return;
    }
    context.broker.groups.join(context.namespace, toJoin(context, request), (response) =>
      respond(context, fromJoin(response)),
    );
  },
};

function toJoin(context: RequestContext, request: JoinGroupRequest): JoinRequest {
  const { version } = context;
  // The request's bytes are the connection's: what the group keeps is a copy.
  const protocols = request.protocols.map(({ name, metadata }) => ({
    name,
    metadata: Buffer.from(metadata),
  }));
  return {
    groupId: request.groupId,
    memberId: request.memberId,
    instanceId: request.groupInstanceId,
    clientId: context.clientId,
    clientHost: context.clientHost,
    sessionTimeoutMs: request.sessionTimeoutMs,
    rebalanceTimeoutMs:
      request.rebalanceTimeoutMs < 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
    protocolType: request.protocolType,
    protocols,
    requireKnownMemberId: version >= KNOWN_MEMBER_ID_VERSION,
    connectionId: context.connectionId,
    supportsSkipAssignment: version >= SKIP_ASSIGNMENT_VERSION,
    reason: request.reason,
    subscribedTopics: subscribedTopics(request.protocolType, protocols),
  };
}

function fromJoin(response: JoinResponse): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: groupErrorCode(response.error),
    generationId: response.generation,
    protocolType: response.protocolType,
    protocolName: response.protocolName,
    leader: response.leaderId,
    skipAssignment: response.skipAssignment,
    memberId: response.memberId,
    members: response.members.map(({ memberId, instanceId, metadata }) => ({
      memberId,
      groupInstanceId: instanceId,
      metadata,
    })),
  };
}

function refusal(errorCode: number, memberId: string): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  };
}

function respond(context: RequestContext, response: JoinGroupResponse): void {
  if (response.protocolName === null && context.version < NULLABLE_PROTOCOL_VERSION) {
    response.protocolName = '';
  }
  context.respond(writeJoinGroupResponse, response);
}
