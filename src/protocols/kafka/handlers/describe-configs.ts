import {
  DESCRIBE_CONFIGS,
  readDescribeConfigsRequest,
  writeDescribeConfigsResponse,
} from '../codec/generated/describe-configs.ts';
import type {
  DescribeConfigsRequest,
  DescribeConfigsRequestResource,
  DescribeConfigsResponseConfig,
  DescribeConfigsResponseResource,
} from '../codec/generated/describe-configs.ts';
import { BROKER_CONFIGS, BROKER_CONFIG_BY_NAME } from '../configs/broker-configs.ts';
import { CONFIG_SOURCE } from '../configs/config-resolver.ts';
import type { ConfigSynonym } from '../configs/config-resolver.ts';
import { CONFIG_TYPE_CODE } from '../configs/definition.ts';
import type { ConfigDefinition } from '../configs/definition.ts';
import type { ConfigValues } from '../configs/dynamic-configs.ts';
import { CLIENT_METRICS_CONFIGS, GROUP_CONFIGS } from '../configs/resource-configs.ts';
import { TOPIC_CONFIGS } from '../configs/topic-configs.ts';
import { KAFKA_ERROR } from '../errors.ts';
import { ConfigRefusal, currentValues, findAccessRefusal, RESOURCE } from './config-resource.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

/** Lists the configurations of topics, brokers, groups and client metrics, with where each value comes from. */
export const describeConfigsHandler: ApiHandler = {
  api: DESCRIBE_CONFIGS,
  minVersion: 0,
  maxVersion: 4,
  handle(context, reader, version): void {
    const request = readDescribeConfigsRequest(reader, version);
    context.respond(writeDescribeConfigsResponse, {
      throttleTimeMs: 0,
      results: request.resources.map((resource) => describe(context, request, resource)),
    });
  },
};

function describe(
  context: RequestContext,
  request: DescribeConfigsRequest,
  resource: DescribeConfigsRequestResource,
): DescribeConfigsResponseResource {
  const { resourceType: type, resourceName: name } = resource;
  const refusal = findAccessRefusal(context, 'describe-configs', type, name);
  const values = refusal ?? currentValues(context, type, name);
  if (values instanceof ConfigRefusal) {
    return {
      errorCode: values.code,
      errorMessage: values.message,
      resourceType: type,
      resourceName: name,
      configs: [],
    };
  }
  const keys = resource.configurationKeys;
  const wanted = keys === null ? null : new Set(keys);
  const configs: DescribeConfigsResponseConfig[] = [];
  for (const definition of definitionsOf(type, name, values)) {
    if (wanted !== null && !wanted.has(definition.name)) continue;
    configs.push(describeConfig(context, request, { type, name, values, definition }));
  }
  return {
    errorCode: KAFKA_ERROR.NONE,
    errorMessage: null,
    resourceType: type,
    resourceName: name,
    configs,
  };
}

/** For all brokers together only what was set is listed: their own values may differ. */
function definitionsOf(
  type: number,
  name: string,
  values: ConfigValues,
): readonly ConfigDefinition[] {
  switch (type) {
    case RESOURCE.topic:
      return TOPIC_CONFIGS;
    case RESOURCE.broker:
      return name === '' ? BROKER_CONFIGS.filter((one) => one.name in values) : BROKER_CONFIGS;
    case RESOURCE.group:
      return GROUP_CONFIGS;
    case RESOURCE.clientMetrics:
      return Object.keys(values).length === 0 ? [] : CLIENT_METRICS_CONFIGS;
    default:
      return [];
  }
}

interface ConfigPlace {
  readonly type: number;
  readonly name: string;
  readonly values: ConfigValues;
  readonly definition: ConfigDefinition;
}

function describeConfig(
  context: RequestContext,
  request: DescribeConfigsRequest,
  place: ConfigPlace,
): DescribeConfigsResponseConfig {
  const { type, definition } = place;
  const isSensitive = definition.type === 'password';
  const synonyms = synonymsOf(context, place);
  const first = synonyms[0];
  const source = first?.source ?? CONFIG_SOURCE.default;
  const hide = (value: string | null): string | null => (isSensitive ? null : value);
  return {
    name: definition.name,
    value: hide(first?.value ?? null),
    readOnly: type === RESOURCE.broker && isReadOnly(definition.name),
    isDefault: source === CONFIG_SOURCE.default,
    configSource: source,
    isSensitive,
    synonyms: request.includeSynonyms
      ? synonyms.map((one) => ({ name: one.name, value: hide(one.value), source: one.source }))
      : [],
    configType: CONFIG_TYPE_CODE[definition.type],
    documentation: request.includeDocumentation ? `${definition.doc} (${definition.effect})` : null,
  };
}

function isReadOnly(name: string): boolean {
  const definition = BROKER_CONFIG_BY_NAME.get(name);
  return definition?.update === 'read-only' || definition?.effect === 'fixed';
}

function synonymsOf(context: RequestContext, place: ConfigPlace): readonly ConfigSynonym[] {
  const { type, name, values, definition } = place;
  const resolver = context.services.configResolver;
  if (type === RESOURCE.topic) return resolver.topicSynonyms(definition.name, values);
  if (type === RESOURCE.broker) {
    const all = resolver.brokerSynonyms(definition.name);
    return name === ''
      ? all.filter((one) => one.source === CONFIG_SOURCE.dynamicDefaultBroker)
      : all;
  }
  const own = values[definition.name];
  const found: ConfigSynonym[] = [];
  if (own !== undefined) {
    const source = type === RESOURCE.group ? CONFIG_SOURCE.group : CONFIG_SOURCE.clientMetrics;
    found.push({ name: definition.name, value: own, source });
  }
  found.push({
    name: definition.name,
    value: definition.defaultValue,
    source: CONFIG_SOURCE.default,
  });
  return found;
}
