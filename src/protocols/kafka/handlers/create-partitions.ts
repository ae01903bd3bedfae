import type { TopicView } from '../../../core/types.ts';
import {
  CREATE_PARTITIONS,
  readCreatePartitionsRequest,
  writeCreatePartitionsResponse,
} from '../codec/generated/create-partitions.ts';
import type {
  CreatePartitionsRequest,
  CreatePartitionsRequestTopic,
  CreatePartitionsResponse,
  CreatePartitionsResponseTopic,
} from '../codec/generated/create-partitions.ts';
import { KAFKA_ERROR, topicErrorCode } from '../errors.ts';
import { answerLater } from './answer-later.ts';
import type { ApiHandler, RequestContext } from './handler.ts';
import { findReplicasDefect } from './replica-assignment.ts';

/** Gives topics more partitions. */
export const createPartitionsHandler: ApiHandler = {
  api: CREATE_PARTITIONS,
  minVersion: 0,
  maxVersion: 3,
  handle(context, reader, version): void {
    const request = readCreatePartitionsRequest(reader, version);
    answerLater(context, writeCreatePartitionsResponse, createPartitions(context, request));
  },
};

async function createPartitions(
  context: RequestContext,
  request: CreatePartitionsRequest,
): Promise<CreatePartitionsResponse> {
  const names = request.topics.map((topic) => topic.name);
  const results = await Promise.all(
    request.topics.map(async (asked): Promise<CreatePartitionsResponseTopic> => {
      const twice = names.indexOf(asked.name) !== names.lastIndexOf(asked.name);
      if (twice) {
        return failed(asked.name, KAFKA_ERROR.INVALID_REQUEST, 'Duplicate topic in request.');
      }
      return growTopic(context, asked, request.validateOnly);
    }),
  );
  return { throttleTimeMs: 0, results };
}

async function growTopic(
  context: RequestContext,
  asked: CreatePartitionsRequestTopic,
  validateOnly: boolean,
): Promise<CreatePartitionsResponseTopic> {
  const name = asked.name;
  if (!context.allows('alter', 'topic', name)) {
    return failed(name, KAFKA_ERROR.TOPIC_AUTHORIZATION_FAILED, 'Topic authorization failed.');
  }
  const topic = context.broker.topics.byName(context.namespace, name);
  if (topic === null) {
    return failed(
      name,
      KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION,
      'This server does not host this topic-partition.',
    );
  }
  const refusal = findRefusal(context, topic, asked);
  if (refusal !== null) return failed(name, refusal.code, refusal.message);
  if (!validateOnly) {
    const outcome = await context.broker.topics.setPartitionCount(
      context.namespace,
      name,
      asked.count,
    );
    if (outcome.status !== 'ok') {
      const message = 'message' in outcome ? outcome.message : outcome.status;
      return failed(name, topicErrorCode(outcome.status), message);
    }
  }
  return { name, errorCode: KAFKA_ERROR.NONE, errorMessage: null };
}

function findRefusal(
  context: RequestContext,
  topic: TopicView,
  asked: CreatePartitionsRequestTopic,
): { readonly code: number; readonly message: string } | null {
  const now = topic.partitionCount;
  if (asked.count === now) {
    return {
      code: KAFKA_ERROR.INVALID_PARTITIONS,
      message: `Topic already has ${now} partition(s).`,
    };
  }
  if (asked.count < now) {
    return {
      code: KAFKA_ERROR.INVALID_PARTITIONS,
      message: `The topic ${topic.name} currently has ${now} partition(s); ${asked.count} would not be an increase.`,
    };
  }
  if (asked.count > context.config.maxPartitionsPerTopic) {
    return {
      code: KAFKA_ERROR.INVALID_PARTITIONS,
      message: `A topic may have ${context.config.maxPartitionsPerTopic} partitions at most (topics.partitions_max).`,
    };
  }
  if (asked.assignments === null) return null;
  const added = asked.count - now;
  if (asked.assignments.length !== added) {
    return {
      code: KAFKA_ERROR.INVALID_REPLICA_ASSIGNMENT,
      message: `Attempted to add ${added} additional partition(s), but only ${asked.assignments.length} assignment(s) were specified.`,
    };
  }
  for (const assignment of asked.assignments) {
    const defect = findReplicasDefect(assignment.brokerIds, context.broker.nodeId);
    if (defect !== null) {
      return { code: KAFKA_ERROR.INVALID_REPLICA_ASSIGNMENT, message: defect };
    }
  }
  return null;
}

function failed(
  name: string,
  errorCode: number,
  errorMessage: string,
): CreatePartitionsResponseTopic {
  return { name, errorCode, errorMessage };
}
