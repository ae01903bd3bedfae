import type { NewTopic, TopicView } from '../../../core/types.ts';
import {
  METADATA,
  readMetadataRequest,
  writeMetadataResponse,
} from '../codec/generated/metadata.ts';
import type {
  MetadataRequest,
  MetadataRequestTopic,
  MetadataResponsePartition,
  MetadataResponseTopic,
} from '../codec/generated/metadata.ts';
import { isZeroUuid, ZERO_UUID } from '../codec/records.ts';
import { KAFKA_ERROR, topicErrorCode } from '../errors.ts';
import type { KafkaErrorCode } from '../errors.ts';
import {
  authorizedClusterOperations,
  authorizedTopicOperations,
  OPERATIONS_NOT_ASKED,
} from './authorized-operations.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

/** A topic that was asked for and its answer; null until its creation ended. */
interface Answers {
  readonly topics: (MetadataResponseTopic | null)[];
  creations: number;
}

/** Tells which topics exist and where to connect. Creates unknown topics when asked to, with a leader at once. */
export const metadataHandler: ApiHandler = {
  api: METADATA,
  minVersion: 0,
  maxVersion: 13,
  handle(context, reader, version): void {
    const request = readMetadataRequest(reader, version);
    // Version 0 has no null array: an empty one means all topics there.
    const all = request.topics === null || (version === 0 && request.topics.length === 0);
    if (all) {
      respond(context, request, allTopics(context, request));
      return;
    }
    const wanted = request.topics ?? [];
    const answers: Answers = { topics: [], creations: 0 };
    const canCreate = request.allowAutoTopicCreation && context.config.autoCreateTopics;
    for (const topic of wanted) {
      const found = findTopic(context, request, topic);
      if (found === null && canCreate) createTopic(context, request, topic.name ?? '', answers);
      else answers.topics.push(found ?? missingTopic(context, topic));
    }
    if (answers.creations === 0) respond(context, request, answered(answers));
  },
};

function answered(answers: Answers): MetadataResponseTopic[] {
  return answers.topics.filter((topic) => topic !== null);
}

function allTopics(context: RequestContext, request: MetadataRequest): MetadataResponseTopic[] {
  const topics: MetadataResponseTopic[] = [];
  for (const topic of context.broker.topics.list(context.namespace)) {
    if (context.allows('describe', 'topic', topic.name)) {
      topics.push(describeTopic(context, request, topic));
    }
  }
  return topics;
}

/** The topic's entry, or null when a topic of this name could be created. */
function findTopic(
  context: RequestContext,
  request: MetadataRequest,
  wanted: MetadataRequestTopic,
): MetadataResponseTopic | null {
  const byId = !isZeroUuid(wanted.topicId);
  if (byId) {
    const topic = context.broker.topics.byId(wanted.topicId);
    if (topic === null || topic.namespace !== context.namespace) {
      return failedTopic(wanted, KAFKA_ERROR.UNKNOWN_TOPIC_ID);
    }
    if (!context.allows('describe', 'topic', topic.name)) {
      return failedTopic(wanted, KAFKA_ERROR.UNKNOWN_TOPIC_ID);
    }
    return describeTopic(context, request, topic);
  }
  if (wanted.name === null) return failedTopic(wanted, KAFKA_ERROR.INVALID_REQUEST);
  if (!context.allows('describe', 'topic', wanted.name)) {
    return failedTopic(wanted, KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED);
  }
  const topic = context.broker.topics.byName(context.namespace, wanted.name);
  return topic === null ? null : describeTopic(context, request, topic);
}

/** Creates the topic with default settings, then answers as for any other topic. */
function createTopic(
  context: RequestContext,
  request: MetadataRequest,
  name: string,
  answers: Answers,
): void {
  const place = answers.topics.length;
  answers.topics.push(null);
  if (
    !context.allows('create', 'cluster', 'kafka-cluster') &&
    !context.allows('create', 'topic', name)
  ) {
    answers.topics[place] = failedTopic(
      { name, topicId: ZERO_UUID },
      KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED,
    );
    return;
  }
  answers.creations++;
  const done = (entry: MetadataResponseTopic): void => {
    answers.topics[place] = entry;
    answers.creations--;
    if (answers.creations === 0) respond(context, request, answered(answers));
  };
  context.broker.topics.create(newTopic(context, name)).then(
    (outcome) => {
      // Somebody else may have created it at the same time: what counts is that it exists now.
      const topic = context.broker.topics.byName(context.namespace, name);
      if (topic !== null) return done(describeTopic(context, request, topic));
      const code =
        outcome.status === 'ok'
          ? KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION
          : topicErrorCode(outcome.status);
      done(failedTopic({ name, topicId: ZERO_UUID }, code));
    },
    (error: unknown) => {
      context.broker.logger.error('kafka.topic.create-failed', 'automatic creation failed', {
        topic: name,
        err: error,
      });
      done(failedTopic({ name, topicId: ZERO_UUID }, KAFKA_ERROR.UNKNOWN_SERVER_ERROR));
    },
  );
}

function describeTopic(
  context: RequestContext,
  request: MetadataRequest,
  topic: TopicView,
): MetadataResponseTopic {
  return {
    errorCode: KAFKA_ERROR.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: topic.internal,
    partitions: describePartitions(topic, context.broker.nodeId),
    topicAuthorizedOperations: request.includeTopicAuthorizedOperations
      ? authorizedTopicOperations(context, topic.name)
      : OPERATIONS_NOT_ASKED,
  };
}

function describePartitions(topic: TopicView, nodeId: number): MetadataResponsePartition[] {
  const nodes = [nodeId];
  const offline: number[] = [];
  const partitions = new Array<MetadataResponsePartition>(topic.partitionCount);
  for (let index = 0; index < topic.partitionCount; index++) {
    partitions[index] = {
      errorCode: KAFKA_ERROR.NONE,
      partitionIndex: index,
      leaderId: nodeId,
      leaderEpoch: topic.partition(index)?.leaderEpoch ?? 0,
      replicaNodes: nodes,
      isrNodes: nodes,
      offlineReplicas: offline,
    };
  }
  return partitions;
}

/** A topic that does not exist: a name that could not exist has an error of its own. */
function missingTopic(
  context: RequestContext,
  wanted: MetadataRequestTopic,
): MetadataResponseTopic {
  const status = context.broker.topics.check(newTopic(context, wanted.name ?? ''));
  const code =
    status === 'invalid-name'
      ? KAFKA_ERROR.INVALID_TOPIC_EXCEPTION
      : KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION;
  return failedTopic(wanted, code);
}

function newTopic(context: RequestContext, name: string): NewTopic {
  return {
    namespace: context.namespace,
    name,
    partitions: context.config.defaultPartitions,
    config: context.services.configResolver.topicConfig({}),
    overrides: {},
  };
}

function failedTopic(
  wanted: MetadataRequestTopic,
  errorCode: KafkaErrorCode,
): MetadataResponseTopic {
  return {
    errorCode,
    name: wanted.name,
    topicId: wanted.topicId,
    isInternal: false,
    partitions: [],
    topicAuthorizedOperations: OPERATIONS_NOT_ASKED,
  };
}

function respond(
  context: RequestContext,
  request: MetadataRequest,
  topics: MetadataResponseTopic[],
): void {
  const address = context.advertisedAddress();
  // Only since version 12 may a topic that was asked for by id have no name in the answer.
  if (context.version < 12) for (const topic of topics) topic.name ??= '';
  context.respond(writeMetadataResponse, {
    throttleTimeMs: 0,
    brokers: [
      { nodeId: context.broker.nodeId, host: address.host, port: address.port, rack: null },
    ],
    clusterId: context.broker.clusterId,
    controllerId: context.broker.nodeId,
    topics,
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
      ? authorizedClusterOperations(context)
      : OPERATIONS_NOT_ASKED,
    errorCode: KAFKA_ERROR.NONE,
  });
}
