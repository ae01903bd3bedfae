import type { Arguments } from '../../../core/queue-types.ts';
import type { TopicOutcome, TopicView } from '../../../core/types.ts';
import type { AmqpChannel } from '../channel.ts';
import { tableGet, type FieldTable, type FieldValue } from '../codec/field-table.ts';
import { wireTypeName } from '../arguments.ts';
import {
  inequivalent,
  internalError,
  named,
  noQueue,
  notImplemented,
  preconditionFailed,
  type AmqpError,
} from '../errors.ts';
import type { DeclarationScope } from '../services.ts';
import {
  argumentText,
  findStreamDefect,
  findStreamDifference,
  streamArguments,
  streamSettings,
} from './stream-arguments.ts';
import { StreamConsumer } from './stream-consumer.ts';
import { parseStreamFilter } from './stream-filter.ts';
import { parseStreamOffset, resolveStreamOffset } from './stream-offset.ts';

/*
 * A stream queue is a topic of the connection's namespace. One that is declared here has one partition; topics that
 * others made are streams, too, with as many partitions as they have. A queue hides a topic of the same name.
 */

/** What basic.consume asks for; the queue and the tag are there. */
export interface StreamConsumption {
  readonly queue: string;
  readonly consumerTag: string;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  readonly noLocal: boolean;
  readonly arguments: FieldTable;
}

/** Declares a stream, or agrees that there is one as described. Throws or rejects when there is not. */
export function declareStream(
  channel: DeclarationScope,
  name: string,
  values: Arguments,
): Promise<void> | void {
  const { connection, services } = channel;
  const { namespace, vhost } = connection;
  const { broker, config, queues } = services;
  const subject = named('queue', name, vhost);
  const queue = queues.byName(namespace, name);
  if (queue !== null) {
    throw inequivalent(subject, {
      property: 'x-queue-type',
      received: 'stream',
      current: argumentText(queue.arguments['queue-type']),
    });
  }
  const defect = findStreamDefect(values);
  if (defect !== null) {
    throw preconditionFailed(`invalid arg '${defect.argument}' for ${subject}: ${defect.message}`);
  }
  const topic = broker.topics.byName(namespace, name);
  if (topic !== null) {
    checkEquivalence(channel, topic, values);
    return;
  }
  const settings = streamSettings(values, config);
  return broker.topics
    .create({ namespace, name, partitions: 1, ...settings })
    .then((outcome) => checkCreated(channel, name, values, outcome));
}

function checkCreated(
  channel: DeclarationScope,
  name: string,
  values: Arguments,
  outcome: TopicOutcome,
): void {
  const { namespace, vhost } = channel.connection;
  const subject = named('queue', name, vhost);
  switch (outcome.status) {
    case 'ok':
      return;
    case 'exists': {
      const topic = channel.services.broker.topics.byName(namespace, name);
      if (topic === null) throw internalError(`${subject} was deleted while it was declared`);
      checkEquivalence(channel, topic, values);
      return;
    }
    case 'invalid-name':
    case 'limit':
      throw preconditionFailed(`cannot declare ${subject}: ${outcome.message}`);
    case 'failed':
      throw internalError(outcome.message);
    default:
      throw internalError(`${subject} could not be declared (${outcome.status})`);
  }
}

function checkEquivalence(channel: DeclarationScope, topic: TopicView, values: Arguments): void {
  const difference = findStreamDifference(values, topic, channel.services.config);
  if (difference === null) return;
  throw inequivalent(named('queue', topic.name, channel.connection.vhost), difference);
}

/** Throws when a queue of another type is declared by the name of a stream that was declared as one. */
export function checkNoStream(channel: DeclarationScope, name: string, values: Arguments): void {
  const { namespace, vhost } = channel.connection;
  const topic = channel.services.broker.topics.byName(namespace, name);
  if (topic === null || streamArguments(topic) === null) return;
  throw inequivalent(named('queue', name, vhost), {
    property: 'x-queue-type',
    received: argumentText(values['queue-type']),
    current: 'stream',
  });
}

/**
 * Deletes a stream with everything in it; one that is not there is as good as deleted. Clients delete queues to begin anew,
 * whether these exist or not: a topic that others made is not what they mean.
 */
export async function deleteStream(channel: DeclarationScope, name: string): Promise<void> {
  const { connection, services } = channel;
  const topic = services.broker.topics.byName(connection.namespace, name);
  if (topic !== null && streamArguments(topic) === null) {
    throw preconditionFailed(
      `${named('queue', name, connection.vhost)} is a topic that was not declared as a stream; ` +
        'delete it where it was made',
    );
  }
  const outcome = await services.broker.topics.delete(connection.namespace, name);
  if (outcome.status === 'ok' || outcome.status === 'unknown') return;
  throw internalError(`${named('queue', name, connection.vhost)} could not be deleted`);
}

/** What is in a stream and who reads it; null: there is none by that name, or a queue hides it. */
export function streamNamed(
  channel: AmqpChannel,
  name: string,
): { readonly ready: number; readonly consumers: number } | null {
  const topic = topicNamed(channel, name);
  if (topic === null) return null;
  let ready = 0;
  for (let index = 0; index < topic.partitionCount; index++) {
    const partition = topic.partition(index);
    if (partition !== null) ready += partition.highWatermark - partition.logStart;
  }
  return { ready, consumers: channel.services.streams.count(topic) };
}

function topicNamed(channel: AmqpChannel, name: string): TopicView | null {
  const { connection, services } = channel;
  if (services.queues.byName(connection.namespace, name) !== null) return null;
  const topic = services.broker.topics.byName(connection.namespace, name);
  return topic === null || topic.internal ? null : topic;
}

/** Makes a consumer. What is returned starts it, once the client was told that it consumes. */
export async function consumeStream(
  channel: AmqpChannel,
  method: StreamConsumption,
): Promise<() => void> {
  const { connection, services } = channel;
  const { queue: name } = method;
  const topic = topicNamed(channel, name);
  if (topic === null) throw noQueue(name, connection.vhost);
  const subject = named('queue', name, connection.vhost);
  const { broker, streams } = services;
  const offsetField = tableGet(method.arguments, 'x-stream-offset');
  const start = parseStreamOffset(offsetField, broker.clock.wallMs());
  if (start === null) throw invalidOffset(subject, offsetField);
  const filter = parseStreamFilter(method.arguments);
  if (typeof filter === 'string') throw invalidFilter(subject, filter, method.arguments);
  if (channel.prefetch === 0) {
    throw preconditionFailed(`consumer prefetch count is not set for '${subject}'`);
  }
  if (method.noAck) {
    throw notImplemented(`automatic acknowledgement not supported by stream queues ${subject}`);
  }
  if (channel.globalPrefetch > 0) throw notImplemented(`${subject} does not support global qos`);
  if (method.exclusive) {
    broker.logger.info('amqp.argument-without-effect', 'streams have no exclusive consumers', {
      queue: name,
      vhost: connection.vhost,
    });
  }
  const consumer = new StreamConsumer(channel, {
    tag: method.consumerTag,
    queueName: name,
    topic,
    exclusive: method.exclusive,
    prefetch: channel.prefetch,
    filter,
  });
  for (let index = 0; index < topic.partitionCount; index++) {
    const partition = topic.partition(index);
    if (partition === null) continue;
    consumer.addPartition(partition, await resolveStreamOffset(start, partition));
  }
  return () => {
    channel.consumers.set(consumer.id, consumer);
    streams.add(consumer);
    const gone = broker.topics.byId(topic.id) === null;
    if (gone) consumer.topicDeleted();
    else consumer.partitionsAdded();
  };
}

function invalidOffset(subject: string, field: FieldValue | null): AmqpError {
  const type = field === null ? 'void' : wireTypeName(field);
  const value =
    typeof field?.value === 'string' ? `<<"${field.value}">>` : JSON.stringify(field?.value);
  return preconditionFailed(
    `invalid arg 'x-stream-offset' for ${subject}: {invalid_stream_offset_arg,{${type},${value}}}`,
  );
}

function invalidFilter(subject: string, argument: string, table: FieldTable): AmqpError {
  const field = tableGet(table, argument);
  const type = field === null ? 'void' : wireTypeName(field);
  return preconditionFailed(
    `invalid arg '${argument}' for ${subject}: {unacceptable_type,${type}}`,
  );
}
