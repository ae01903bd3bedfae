import {
  LIST_CONFIG_RESOURCES,
  readListConfigResourcesRequest,
  writeListConfigResourcesResponse,
} from '../codec/generated/list-config-resources.ts';
import type { ListConfigResourcesResponseConfigResource } from '../codec/generated/list-config-resources.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { CLUSTER_NAME } from './authorized-operations.ts';
import { RESOURCE } from './config-resource.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

const ALL_TYPES: readonly number[] = Object.values(RESOURCE);

/** Lists what has configurations. Version 0 knows client metrics only. */
export const listConfigResourcesHandler: ApiHandler = {
  api: LIST_CONFIG_RESOURCES,
  minVersion: 0,
  maxVersion: 1,
  handle(context, reader, version): void {
    const request = readListConfigResourcesRequest(reader, version);
    const wanted = version === 0 ? [RESOURCE.clientMetrics] : request.resourceTypes;
    const types = wanted.length === 0 ? ALL_TYPES : wanted;
    const error = findError(context, types);
    context.respond(writeListConfigResourcesResponse, {
      throttleTimeMs: 0,
      errorCode: error,
      configResources:
        error === KAFKA_ERROR.NONE ? types.flatMap((type) => list(context, type)) : [],
    });
  },
};

function findError(context: RequestContext, types: readonly number[]): number {
  if (!context.allows('describe-configs', 'cluster', CLUSTER_NAME)) {
    return KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED;
  }
  const unknown = types.some((type) => !ALL_TYPES.includes(type));
  return unknown ? KAFKA_ERROR.UNSUPPORTED_VERSION : KAFKA_ERROR.NONE;
}

function list(
  context: RequestContext,
  resourceType: number,
): ListConfigResourcesResponseConfigResource[] {
  return namesOf(context, resourceType).map((resourceName) => ({ resourceName, resourceType }));
}

function namesOf(context: RequestContext, type: number): readonly string[] {
  switch (type) {
    case RESOURCE.topic:
      return context.broker.topics.list(context.namespace).map((topic) => topic.name);
    case RESOURCE.broker:
    case RESOURCE.brokerLogger:
      return [String(context.broker.nodeId)];
    case RESOURCE.group:
      return context.services.dynamicConfigs.names('group');
    default:
      return context.services.dynamicConfigs.names('client-metrics');
  }
}
