import {
  FIND_COORDINATOR,
  readFindCoordinatorRequest,
  writeFindCoordinatorResponse,
} from '../../codec/generated/find-coordinator.ts';
import type { FindCoordinatorResponseCoordinator } from '../../codec/generated/find-coordinator.ts';
import { KAFKA_ERROR } from '../../errors.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';

/** From here on several keys are asked for at once (KIP-699). */
const BATCH_VERSION = 4;
const KEY_TYPE = { group: 0, transaction: 1 } as const;

/** Tells which broker coordinates a group or a transactional id: this one does. */
export const findCoordinatorHandler: ApiHandler = {
  api: FIND_COORDINATOR,
  minVersion: 0,
  maxVersion: 6,
  handle(context, reader, version): void {
    const request = readFindCoordinatorRequest(reader, version);
    const keys = version >= BATCH_VERSION ? request.coordinatorKeys : [request.key];
    const coordinators = keys.map((key) => find(context, request.keyType, key));
    const only = version >= BATCH_VERSION ? undefined : coordinators[0];
    context.respond(writeFindCoordinatorResponse, {
      throttleTimeMs: 0,
      errorCode: only?.errorCode ?? KAFKA_ERROR.NONE,
      errorMessage: only?.errorMessage ?? null,
      nodeId: only?.nodeId ?? -1,
      host: only?.host ?? '',
      port: only?.port ?? -1,
      coordinators,
    });
  },
};

function find(
  context: RequestContext,
  keyType: number,
  key: string,
): FindCoordinatorResponseCoordinator {
  if (keyType === KEY_TYPE.group) {
    if (!context.allows('describe', 'group', key)) {
      return nobody(key, KAFKA_ERROR.GROUP_AUTHORIZATION_FAILED, 'Not allowed to see this group.');
    }
  } else if (keyType === KEY_TYPE.transaction) {
    if (!context.allows('describe', 'transactional-id', key)) {
      const code = KAFKA_ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
      return nobody(key, code, 'Not allowed to see this transactional id.');
    }
  } else {
    return nobody(key, KAFKA_ERROR.INVALID_REQUEST, `There is no coordinator of type ${keyType}.`);
  }
  const { host, port } = context.advertisedAddress();
  const { nodeId } = context.broker;
  return { key, nodeId, host, port, errorCode: KAFKA_ERROR.NONE, errorMessage: null };
}

function nobody(
  key: string,
  errorCode: number,
  errorMessage: string,
): FindCoordinatorResponseCoordinator {
  return { key, nodeId: -1, host: '', port: -1, errorCode, errorMessage };
}
