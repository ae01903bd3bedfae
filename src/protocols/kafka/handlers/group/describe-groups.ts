import type { GroupView } from '../../../../core/group-types.ts';
import type { Operation } from '../../../../security/authorizer.ts';
import {
  DESCRIBE_GROUPS,
  readDescribeGroupsRequest,
  writeDescribeGroupsResponse,
} from '../../codec/generated/describe-groups.ts';
import type { DescribeGroupsResponseGroup } from '../../codec/generated/describe-groups.ts';
import { KAFKA_ERROR } from '../../errors.ts';
import { OPERATIONS_NOT_ASKED } from '../authorized-operations.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import { STATE_NAMES } from './group-states.ts';

/** From here on a group that does not exist is an error; before, it is a dead group. */
const NOT_FOUND_VERSION = 6;

/** Operations on groups with their bit (source: org.apache.kafka.common.acl.AclOperation codes). */
const GROUP_OPERATIONS: readonly (readonly [Operation, number])[] = [
  ['read', 3],
  ['delete', 6],
  ['describe', 8],
  ['describe-configs', 10],
  ['alter-configs', 11],
];

/** Tells the state of groups, with members and what they were assigned. */
export const describeGroupsHandler: ApiHandler = {
  api: DESCRIBE_GROUPS,
  minVersion: 0,
  maxVersion: 6,
  handle(context, reader, version): void {
    const request = readDescribeGroupsRequest(reader, version);
    const groups = request.groups.map((groupId) => {
      const described = describe(context, groupId);
      if (request.includeAuthorizedOperations && described.errorCode === KAFKA_ERROR.NONE) {
        described.authorizedOperations = authorizedOperations(context, groupId);
      }
      return described;
    });
    context.respond(writeDescribeGroupsResponse, { throttleTimeMs: 0, groups });
  },
};

function describe(context: RequestContext, groupId: string): DescribeGroupsResponseGroup {
  if (!context.allows('describe', 'group', groupId)) {
    return nothing(groupId, '', KAFKA_ERROR.GROUP_AUTHORIZATION_FAILED, null);
  }
  const view = context.broker.groups.describe(context.namespace, groupId);
  if (view !== null) return fromView(view);
  if (context.version < NOT_FOUND_VERSION) {
    return nothing(groupId, STATE_NAMES.dead, KAFKA_ERROR.NONE, null);
  }
  const message = `Group ${groupId} not found.`;
  return nothing(groupId, STATE_NAMES.dead, KAFKA_ERROR.GROUP_ID_NOT_FOUND, message);
}

function fromView(view: GroupView): DescribeGroupsResponseGroup {
  return {
    errorCode: KAFKA_ERROR.NONE,
    errorMessage: null,
    groupId: view.groupId,
    groupState: STATE_NAMES[view.state],
    protocolType: view.protocolType,
    protocolData: view.state === 'stable' ? view.protocolName : '',
    members: view.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      // Kafka's own spelling of an address without a resolved name.
      clientHost: `/${member.clientHost}`,
      memberMetadata: member.metadata,
      memberAssignment: member.assignment,
    })),
    authorizedOperations: OPERATIONS_NOT_ASKED,
  };
}

function nothing(
  groupId: string,
  groupState: string,
  errorCode: number,
  errorMessage: string | null,
): DescribeGroupsResponseGroup {
  return {
    errorCode,
    errorMessage,
    groupId,
    groupState,
    protocolType: '',
    protocolData: '',
    members: [],
    authorizedOperations: OPERATIONS_NOT_ASKED,
  };
}

function authorizedOperations(context: RequestContext, groupId: string): number {
  let bits = 0;
  for (const [operation, bit] of GROUP_OPERATIONS) {
    if (context.allows(operation, 'group', groupId)) bits |= 1 << bit;
  }
  return bits;
}
