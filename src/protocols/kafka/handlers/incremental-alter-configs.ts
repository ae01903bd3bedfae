import {
  INCREMENTAL_ALTER_CONFIGS,
  readIncrementalAlterConfigsRequest,
  writeIncrementalAlterConfigsResponse,
} from '../codec/generated/incremental-alter-configs.ts';
import type {
  IncrementalAlterConfigsRequestConfig,
  IncrementalAlterConfigsRequestResource,
  IncrementalAlterConfigsResponseResource,
} from '../codec/generated/incremental-alter-configs.ts';
import type { ConfigValues } from '../configs/dynamic-configs.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { answerLater } from './answer-later.ts';
import {
  ConfigRefusal,
  currentValues,
  definitionOf,
  editList,
  findAccessRefusal,
  findValueRefusal,
  replaceValues,
} from './config-resource.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

/** What happens to one configuration (source: org.apache.kafka.clients.admin.AlterConfigOp). */
const OPERATION = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

/** Changes single configurations of a resource and leaves the others. */
export const incrementalAlterConfigsHandler: ApiHandler = {
  api: INCREMENTAL_ALTER_CONFIGS,
  minVersion: 0,
  maxVersion: 1,
  handle(context, reader, version): void {
    const request = readIncrementalAlterConfigsRequest(reader, version);
    const responses = Promise.all(
      request.resources.map((resource) => alter(context, resource, request.validateOnly)),
    );
    answerLater(
      context,
      writeIncrementalAlterConfigsResponse,
      responses.then((list) => ({ throttleTimeMs: 0, responses: list })),
    );
  },
};

async function alter(
  context: RequestContext,
  resource: IncrementalAlterConfigsRequestResource,
  validateOnly: boolean,
): Promise<IncrementalAlterConfigsResponseResource> {
  const { resourceType: type, resourceName: name } = resource;
  const answer = (refusal: ConfigRefusal | null): IncrementalAlterConfigsResponseResource => ({
    errorCode: refusal?.code ?? KAFKA_ERROR.NONE,
    errorMessage: refusal?.message ?? null,
    resourceType: type,
    resourceName: name,
  });
  const denied = findAccessRefusal(context, 'alter-configs', type, name);
  if (denied !== null) return answer(denied);
  const current = currentValues(context, type, name);
  if (current instanceof ConfigRefusal) return answer(current);
  const changed = applyChanges(resource, current);
  if (changed instanceof ConfigRefusal) return answer(changed);
  if (validateOnly) return answer(null);
  return answer(await replaceValues(context, type, name, changed));
}

function applyChanges(
  resource: IncrementalAlterConfigsRequestResource,
  current: ConfigValues,
): ConfigValues | ConfigRefusal {
  const values: Record<string, string> = { ...current };
  const seen = new Set<string>();
  for (const change of resource.configs) {
    if (seen.has(change.name)) {
      return new ConfigRefusal(KAFKA_ERROR.INVALID_REQUEST, `${change.name} is changed twice`);
    }
    seen.add(change.name);
    if (change.configOperation === OPERATION.delete) {
      const known = definitionOf(resource.resourceType, change.name) !== undefined;
      if (!known) {
        return new ConfigRefusal(
          KAFKA_ERROR.INVALID_CONFIG,
          `Unknown configuration name: ${change.name}`,
        );
      }
      delete values[change.name];
      continue;
    }
    const value = newValue(resource, change, values);
    if (value instanceof ConfigRefusal) return value;
    const refusal = findValueRefusal(
      resource.resourceType,
      resource.resourceName,
      change.name,
      value,
    );
    if (refusal !== null) return refusal;
    values[change.name] = value.trim();
  }
  return values;
}

/** The value after the change; not yet checked. */
function newValue(
  resource: IncrementalAlterConfigsRequestResource,
  change: IncrementalAlterConfigsRequestConfig,
  values: ConfigValues,
): string | ConfigRefusal {
  if (change.value === null) {
    return new ConfigRefusal(
      KAFKA_ERROR.INVALID_REQUEST,
      `Null value not supported for: ${change.name}`,
    );
  }
  if (change.configOperation === OPERATION.set) return change.value;
  const definition = definitionOf(resource.resourceType, change.name);
  if (definition !== undefined && definition.type !== 'list') {
    return new ConfigRefusal(
      KAFKA_ERROR.INVALID_CONFIG,
      `Can't ${change.configOperation === OPERATION.append ? 'APPEND' : 'SUBTRACT'} to key ${change.name} because its type is not LIST.`,
    );
  }
  const now = values[change.name] ?? definition?.defaultValue ?? '';
  switch (change.configOperation) {
    case OPERATION.append:
      return editList(now, change.value, 'append');
    case OPERATION.subtract:
      return editList(now, change.value, 'subtract');
    default:
      return new ConfigRefusal(
        KAFKA_ERROR.INVALID_REQUEST,
        `Unknown operation type ${change.configOperation}`,
      );
  }
}
