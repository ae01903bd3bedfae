import {
  ALTER_CONFIGS,
  readAlterConfigsRequest,
  writeAlterConfigsResponse,
} from '../codec/generated/alter-configs.ts';
import type {
  AlterConfigsRequestResource,
  AlterConfigsResponseResource,
} from '../codec/generated/alter-configs.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { answerLater } from './answer-later.ts';
import {
  ConfigRefusal,
  currentValues,
  findAccessRefusal,
  findValueRefusal,
  replaceValues,
} from './config-resource.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

/** Replaces all configurations of a resource: what is not named goes back to its default. */
export const alterConfigsHandler: ApiHandler = {
  api: ALTER_CONFIGS,
  minVersion: 0,
  maxVersion: 2,
  handle(context, reader, version): void {
    const request = readAlterConfigsRequest(reader, version);
    const responses = Promise.all(
      request.resources.map((resource) => alter(context, resource, request.validateOnly)),
    );
    answerLater(
      context,
      writeAlterConfigsResponse,
      responses.then((list) => ({ throttleTimeMs: 0, responses: list })),
    );
  },
};

async function alter(
  context: RequestContext,
  resource: AlterConfigsRequestResource,
  validateOnly: boolean,
): Promise<AlterConfigsResponseResource> {
  const { resourceType: type, resourceName: name } = resource;
  const answer = (refusal: ConfigRefusal | null): AlterConfigsResponseResource => ({
    errorCode: refusal?.code ?? KAFKA_ERROR.NONE,
    errorMessage: refusal?.message ?? null,
    resourceType: type,
    resourceName: name,
  });
  const denied = findAccessRefusal(context, 'alter-configs', type, name);
  if (denied !== null) return answer(denied);
  const current = currentValues(context, type, name);
  if (current instanceof ConfigRefusal) return answer(current);
  const values: Record<string, string> = {};
  for (const config of resource.configs) {
    if (config.value === null) {
      const message = `Null value not supported for: ${config.name}`;
      return answer(new ConfigRefusal(KAFKA_ERROR.INVALID_REQUEST, message));
    }
    const refusal = findValueRefusal(type, name, config.name, config.value);
    if (refusal !== null) return answer(refusal);
    values[config.name] = config.value.trim();
  }
  if (validateOnly) return answer(null);
  return answer(await replaceValues(context, type, name, values));
}
