import type { NewTopic, TopicView } from '../../../core/types.ts';
import {
  CREATE_TOPICS,
  readCreateTopicsRequest,
  writeCreateTopicsResponse,
} from '../codec/generated/create-topics.ts';
import type {
  CreateTopicsRequest,
  CreateTopicsRequestTopic,
  CreateTopicsResponse,
  CreateTopicsResponseConfig,
  CreateTopicsResponseTopic,
} from '../codec/generated/create-topics.ts';
import { ZERO_UUID } from '../codec/records.ts';
import { CONFIG_SOURCE } from '../configs/config-resolver.ts';
import type { ConfigValues } from '../configs/dynamic-configs.ts';
import { TOPIC_CONFIGS } from '../configs/topic-configs.ts';
import { KAFKA_ERROR, topicErrorCode } from '../errors.ts';
import { answerLater } from './answer-later.ts';
import { CLUSTER_NAME } from './authorized-operations.ts';
import type { ApiHandler, RequestContext } from './handler.ts';
import { findAssignmentDefect } from './replica-assignment.ts';
import { checkTopicSettings, noticeIneffective } from './topic-settings.ts';

const USE_DEFAULT = -1;

/** Creates topics, or tells what creating them would answer. */
export const createTopicsHandler: ApiHandler = {
  api: CREATE_TOPICS,
  minVersion: 0,
  maxVersion: 7,
  handle(context, reader, version): void {
    const request = readCreateTopicsRequest(reader, version);
    answerLater(context, writeCreateTopicsResponse, createTopics(context, request));
  },
};

async function createTopics(
  context: RequestContext,
  request: CreateTopicsRequest,
): Promise<CreateTopicsResponse> {
  const counts = new Map<string, number>();
  for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1);
  const answers: Promise<CreateTopicsResponseTopic>[] = [];
  for (const topic of request.topics) {
    const count = counts.get(topic.name) ?? 0;
    counts.delete(topic.name);
    if (count === 1) answers.push(createTopic(context, topic, request.validateOnly));
    else if (count > 1) {
      const error = { code: KAFKA_ERROR.INVALID_REQUEST, message: 'Duplicate topic name.' };
      answers.push(Promise.resolve(failed(topic.name, error)));
    }
  }
  return { throttleTimeMs: 0, topics: await Promise.all(answers) };
}

interface Refusal {
  readonly code: number;
  readonly message: string;
}

async function createTopic(
  context: RequestContext,
  asked: CreateTopicsRequestTopic,
  validateOnly: boolean,
): Promise<CreateTopicsResponseTopic> {
  const registry = context.broker.topics;
  const allowed =
    context.allows('create', 'cluster', CLUSTER_NAME) ||
    context.allows('create', 'topic', asked.name);
  if (!allowed) {
    return failed(asked.name, {
      code: KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED,
      message: 'Not authorized to create the topic.',
    });
  }
  // Told first, as Kafka does: a client that makes sure a topic exists looks for this error.
  if (registry.byName(context.namespace, asked.name) !== null)
    return failed(asked.name, exists(asked.name));
  const partitions = partitionsOf(context, asked);
  if (typeof partitions !== 'number') return failed(asked.name, partitions);
  const settings = checkTopicSettings(context, asked.configs);
  if (!settings.ok) {
    return failed(asked.name, { code: KAFKA_ERROR.INVALID_CONFIG, message: settings.message });
  }
  const topic: NewTopic = {
    namespace: context.namespace,
    name: asked.name,
    partitions,
    config: settings.config,
    overrides: settings.overrides,
  };
  if (validateOnly) {
    const status = registry.check(topic);
    if (status === null || status === 'ok') return created(context, topic, null);
    return failed(asked.name, refusalOf(asked.name, status, null));
  }
  const outcome = await registry.create(topic);
  if (outcome.status !== 'ok') {
    const message = 'message' in outcome ? outcome.message : null;
    return failed(asked.name, refusalOf(asked.name, outcome.status, message));
  }
  noticeIneffective(context, asked.name, settings.overrides);
  return created(context, topic, outcome.topic);
}

/** How many partitions the topic gets, or why it cannot have what was asked for. */
function partitionsOf(context: RequestContext, asked: CreateTopicsRequestTopic): number | Refusal {
  if (asked.assignments.length > 0) {
    if (asked.numPartitions !== USE_DEFAULT || asked.replicationFactor !== USE_DEFAULT) {
      return {
        code: KAFKA_ERROR.INVALID_REQUEST,
        message:
          'A manual partition assignment was specified, but numPartitions or replicationFactor was not set to -1.',
      };
    }
    const defect = findAssignmentDefect(asked.assignments, context.broker.nodeId);
    if (defect !== null) {
      return { code: KAFKA_ERROR.INVALID_REPLICA_ASSIGNMENT, message: defect };
    }
    return limited(context, asked.assignments.length);
  }
  const factor = asked.replicationFactor;
  if (factor !== USE_DEFAULT && factor < 1) {
    return {
      code: KAFKA_ERROR.INVALID_REPLICATION_FACTOR,
      message: 'Replication factor was set to an invalid non-positive value.',
    };
  }
  if (asked.numPartitions !== USE_DEFAULT && asked.numPartitions < 1) {
    return {
      code: KAFKA_ERROR.INVALID_PARTITIONS,
      message: 'Number of partitions was set to an invalid non-positive value.',
    };
  }
  if (factor > 1) {
    return {
      code: KAFKA_ERROR.INVALID_REPLICATION_FACTOR,
      message: `Unable to replicate the partition ${factor} time(s): only 1 broker(s) are registered.`,
    };
  }
  if (asked.numPartitions === USE_DEFAULT) return context.config.defaultPartitions;
  return limited(context, asked.numPartitions);
}

function limited(context: RequestContext, partitions: number): number | Refusal {
  const max = context.config.maxPartitionsPerTopic;
  if (partitions <= max) return partitions;
  return {
    code: KAFKA_ERROR.INVALID_PARTITIONS,
    message: `A topic may have ${max} partitions at most (topics.partitions_max).`,
  };
}

function exists(name: string): Refusal {
  return { code: KAFKA_ERROR.TOPIC_ALREADY_EXISTS, message: `Topic '${name}' already exists.` };
}

function refusalOf(
  name: string,
  status: Parameters<typeof topicErrorCode>[0],
  message: string | null,
): Refusal {
  if (status === 'exists') return exists(name);
  return { code: topicErrorCode(status), message: message ?? `Topic '${name}': ${status}` };
}

function created(
  context: RequestContext,
  topic: NewTopic,
  view: TopicView | null,
): CreateTopicsResponseTopic {
  return {
    name: topic.name,
    topicId: view?.id ?? ZERO_UUID,
    errorCode: KAFKA_ERROR.NONE,
    errorMessage: null,
    topicConfigErrorCode: KAFKA_ERROR.NONE,
    numPartitions: topic.partitions,
    replicationFactor: 1,
    configs: describeSettings(context, topic.overrides),
  };
}

function describeSettings(
  context: RequestContext,
  overrides: ConfigValues,
): CreateTopicsResponseConfig[] {
  return TOPIC_CONFIGS.map((definition) => {
    const synonym = context.services.configResolver.topicSynonyms(definition.name, overrides)[0];
    return {
      name: definition.name,
      value: synonym?.value ?? null,
      readOnly: false,
      configSource: synonym?.source ?? CONFIG_SOURCE.default,
      isSensitive: false,
    };
  });
}

function failed(name: string, refusal: Refusal): CreateTopicsResponseTopic {
  return {
    name,
    topicId: ZERO_UUID,
    errorCode: refusal.code,
    errorMessage: refusal.message,
    topicConfigErrorCode: KAFKA_ERROR.NONE,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  };
}
