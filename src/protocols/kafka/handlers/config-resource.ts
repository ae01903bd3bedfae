import { BROKER_CONFIG_BY_NAME } from '../configs/broker-configs.ts';
import { findConfigDefect, indexByName, splitList } from '../configs/definition.ts';
import type { ConfigDefinition } from '../configs/definition.ts';
import type { ConfigValues } from '../configs/dynamic-configs.ts';
import { CLIENT_METRICS_CONFIGS, GROUP_CONFIGS } from '../configs/resource-configs.ts';
import { TOPIC_CONFIG_BY_NAME } from '../configs/topic-configs.ts';
import { KAFKA_ERROR, topicErrorCode } from '../errors.ts';
import { CLUSTER_NAME } from './authorized-operations.ts';
import type { RequestContext } from './handler.ts';
import { checkTopicSettings, findTopicConfigDefect, noticeIneffective } from './topic-settings.ts';

/** Kinds of things that have configurations (source: org.apache.kafka.common.config.ConfigResource). */
export const RESOURCE = {
  topic: 2,
  broker: 4,
  brokerLogger: 8,
  clientMetrics: 16,
  group: 32,
} as const;

const GROUP_CONFIG_BY_NAME = indexByName(GROUP_CONFIGS);
const CLIENT_METRICS_CONFIG_BY_NAME = indexByName(CLIENT_METRICS_CONFIGS);

/** With a retriable error: admin clients try again. */
const BUSY = 'Others keep changing the same configurations.';

/** What went wrong with one resource. */
export class ConfigRefusal {
  readonly code: number;
  readonly message: string;

  constructor(code: number, message: string) {
    this.code = code;
    this.message = message;
  }
}

/** Why the client may not touch the resource, or null. */
export function findAccessRefusal(
  context: RequestContext,
  operation: 'describe-configs' | 'alter-configs',
  type: number,
  name: string,
): ConfigRefusal | null {
  if (type === RESOURCE.topic) {
    if (context.allows(operation, 'topic', name)) return null;
    return new ConfigRefusal(KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED, 'Topic authorization failed.');
  }
  if (type === RESOURCE.group) {
    if (context.allows(operation, 'group', name)) return null;
    return new ConfigRefusal(KAFKA_ERROR.GROUP_AUTHORIZATION_FAILED, 'Group authorization failed.');
  }
  if (context.allows(operation, 'cluster', CLUSTER_NAME)) return null;
  return new ConfigRefusal(
    KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED,
    'Cluster authorization failed.',
  );
}

/** Brokers are named by their number; '' means all of them. */
export function findBrokerNameRefusal(context: RequestContext, name: string): ConfigRefusal | null {
  if (name === '' || name === String(context.broker.nodeId)) return null;
  return new ConfigRefusal(
    KAFKA_ERROR.INVALID_REQUEST,
    `Unexpected broker id, expected ${context.broker.nodeId} or empty string, but received ${name}`,
  );
}

/** The values that were set for a resource, or why there is no such resource. */
export function currentValues(
  context: RequestContext,
  type: number,
  name: string,
): ConfigValues | ConfigRefusal {
  const dynamic = context.services.dynamicConfigs;
  switch (type) {
    case RESOURCE.topic: {
      const topic = context.broker.topics.byName(context.namespace, name);
      if (topic !== null) return topic.overrides;
      return new ConfigRefusal(
        KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION,
        `The topic '${name}' does not exist.`,
      );
    }
    case RESOURCE.broker:
      return findBrokerNameRefusal(context, name) ?? dynamic.get('broker', name);
    case RESOURCE.group:
      if (name !== '') return dynamic.get('group', name);
      return new ConfigRefusal(KAFKA_ERROR.INVALID_REQUEST, 'Group name may not be empty.');
    case RESOURCE.clientMetrics:
      if (name !== '') return dynamic.get('client-metrics', name);
      return new ConfigRefusal(KAFKA_ERROR.INVALID_REQUEST, 'Subscription name may not be empty.');
    case RESOURCE.brokerLogger:
      return findBrokerNameRefusal(context, name) ?? {};
    default:
      return new ConfigRefusal(KAFKA_ERROR.INVALID_REQUEST, `Unknown resource type ${type}`);
  }
}

/** The table of a resource's configurations; undefined: no such configuration. */
export function definitionOf(type: number, name: string): ConfigDefinition | undefined {
  switch (type) {
    case RESOURCE.topic:
      return TOPIC_CONFIG_BY_NAME.get(name);
    case RESOURCE.broker:
      return BROKER_CONFIG_BY_NAME.get(name);
    case RESOURCE.group:
      return GROUP_CONFIG_BY_NAME.get(name);
    case RESOURCE.clientMetrics:
      return CLIENT_METRICS_CONFIG_BY_NAME.get(name);
    default:
      return undefined;
  }
}

/** Why one configuration of a resource cannot have this value, or null. */
export function findValueRefusal(
  type: number,
  resourceName: string,
  name: string,
  value: string,
): ConfigRefusal | null {
  if (type === RESOURCE.topic) {
    const defect = findTopicConfigDefect(name, value);
    return defect === null ? null : new ConfigRefusal(KAFKA_ERROR.INVALID_CONFIG, defect);
  }
  if (type === RESOURCE.brokerLogger) {
    return new ConfigRefusal(
      KAFKA_ERROR.INVALID_REQUEST,
      'Log levels cannot be changed through this API.',
    );
  }
  const definition = definitionOf(type, name);
  if (definition === undefined) {
    return new ConfigRefusal(KAFKA_ERROR.INVALID_CONFIG, `Unknown configuration name: ${name}`);
  }
  if (type === RESOURCE.broker) {
    const refusal = findBrokerUpdateRefusal(resourceName, name);
    if (refusal !== null) return refusal;
  }
  const defect = findConfigDefect(definition, value);
  return defect === null ? null : new ConfigRefusal(KAFKA_ERROR.INVALID_CONFIG, defect);
}

function findBrokerUpdateRefusal(resourceName: string, name: string): ConfigRefusal | null {
  const definition = BROKER_CONFIG_BY_NAME.get(name);
  if (definition?.update === 'read-only' || definition?.effect === 'fixed') {
    return new ConfigRefusal(
      KAFKA_ERROR.INVALID_REQUEST,
      `Cannot update these configs dynamically: ${name}`,
    );
  }
  if (definition?.update === 'per-broker' && resourceName === '') {
    return new ConfigRefusal(
      KAFKA_ERROR.INVALID_REQUEST,
      `Cannot update these configs at default cluster level, broker id must be specified: ${name}`,
    );
  }
  return null;
}

/** Replaces a resource's values; resolves with a refusal when that failed. */
export async function replaceValues(
  context: RequestContext,
  type: number,
  name: string,
  values: ConfigValues,
): Promise<ConfigRefusal | null> {
  if (type !== RESOURCE.topic) {
    const kind =
      type === RESOURCE.group ? 'group' : type === RESOURCE.broker ? 'broker' : 'client-metrics';
    const outcome = await context.services.dynamicConfigs.set(kind, name, values);
    return outcome === 'ok' ? null : new ConfigRefusal(KAFKA_ERROR.NOT_CONTROLLER, BUSY);
  }
  const settings = checkTopicSettings(
    context,
    Object.entries(values).map(([key, value]) => ({ name: key, value })),
  );
  if (!settings.ok) return new ConfigRefusal(KAFKA_ERROR.INVALID_CONFIG, settings.message);
  const outcome = await context.broker.topics.alterConfig(
    context.namespace,
    name,
    settings.config,
    settings.overrides,
  );
  if (outcome.status === 'ok') {
    noticeIneffective(context, name, settings.overrides);
    return null;
  }
  const message = 'message' in outcome ? outcome.message : `Topic '${name}': ${outcome.status}`;
  return new ConfigRefusal(topicErrorCode(outcome.status), message);
}

/** Adds items to a list value, or takes them away. */
export function editList(current: string, items: string, edit: 'append' | 'subtract'): string {
  const now = splitList(current);
  const given = splitList(items);
  const edited =
    edit === 'append'
      ? [...now, ...given.filter((item) => !now.includes(item))]
      : now.filter((item) => !given.includes(item));
  return edited.join(',');
}
