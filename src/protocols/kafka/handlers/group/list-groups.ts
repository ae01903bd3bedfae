import {
  LIST_GROUPS,
  readListGroupsRequest,
  writeListGroupsResponse,
} from '../../codec/generated/list-groups.ts';
import { KAFKA_ERROR } from '../../errors.ts';
import { CLUSTER_NAME } from '../authorized-operations.ts';
import type { ApiHandler } from '../handler.ts';
import { CLASSIC_TYPE, STATE_NAMES } from './group-states.ts';

/** Lists the groups that the client may see, all or those in certain states and of certain types. */
export const listGroupsHandler: ApiHandler = {
  api: LIST_GROUPS,
  minVersion: 0,
  maxVersion: 5,
  handle(context, reader, version): void {
    const request = readListGroupsRequest(reader, version);
    const states = lowerCase(request.statesFilter);
    const types = lowerCase(request.typesFilter);
    const seesAll = context.allows('describe', 'cluster', CLUSTER_NAME);
    const typeAsked = types.size === 0 || types.has(CLASSIC_TYPE);
    const views = typeAsked ? context.broker.groups.list(context.namespace) : [];
    const groups = views
      .filter(({ state }) => states.size === 0 || states.has(STATE_NAMES[state].toLowerCase()))
      .filter(({ groupId }) => seesAll || context.allows('describe', 'group', groupId))
      .map(({ groupId, protocolType, state }) => ({
        groupId,
        protocolType,
        groupState: STATE_NAMES[state],
        groupType: CLASSIC_TYPE,
      }));
    context.respond(writeListGroupsResponse, {
      throttleTimeMs: 0,
      errorCode: KAFKA_ERROR.NONE,
      groups,
    });
  },
};

function lowerCase(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}
