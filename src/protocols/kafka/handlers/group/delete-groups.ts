import {
  DELETE_GROUPS,
  readDeleteGroupsRequest,
  writeDeleteGroupsResponse,
} from '../../codec/generated/delete-groups.ts';
import { groupErrorCode, KAFKA_ERROR } from '../../errors.ts';
import { answerLater } from '../answer-later.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';

/** Deletes empty groups with their offsets, answered when that is durable. */
export const deleteGroupsHandler: ApiHandler = {
  api: DELETE_GROUPS,
  minVersion: 0,
  maxVersion: 2,
  handle(context, reader, version): void {
    const request = readDeleteGroupsRequest(reader, version);
    const groupIds = [...new Set(request.groupsNames)];
    const results = Promise.all(groupIds.map((groupId) => deleteGroup(context, groupId)));
    answerLater(
      context,
      writeDeleteGroupsResponse,
      results.then((answers) => ({ throttleTimeMs: 0, results: answers })),
    );
  },
};

async function deleteGroup(
  context: RequestContext,
  groupId: string,
): Promise<{ groupId: string; errorCode: number }> {
  if (!context.allows('delete', 'group', groupId)) {
    return { groupId, errorCode: KAFKA_ERROR.GROUP_AUTHORIZATION_FAILED };
  }
  const error = await context.broker.groups.delete(context.namespace, groupId);
  return { groupId, errorCode: groupErrorCode(error) };
}
