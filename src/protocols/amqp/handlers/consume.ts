import { tableGet, type FieldTable } from '../codec/field-table.ts';
import type { ArgumentReader } from '../codec/argument-reader.ts';
import {
  readBasicCancel,
  readBasicConsume,
  writeBasicCancelOk,
  writeBasicConsumeOk,
  type BasicConsume,
} from '../codec/generated/basic.ts';
import { wireTypeName } from '../arguments.ts';
import type { AmqpChannel } from '../channel.ts';
import { ChannelConsumer } from '../consumer.ts';
import { REPLY_TO_QUEUE } from '../direct-reply.ts';
import {
  accessRefused,
  named,
  noQueue,
  notAllowed,
  notImplemented,
  preconditionFailed,
} from '../errors.ts';
import { queueNamed, usableQueue } from '../queue-names.ts';
import { consumeStream, streamNamed } from '../stream/stream-queues.ts';

const TAG_PREFIX = 'amq.ctag-';
const TAG_BYTES = 16;
const WITHOUT_EFFECT = [
  'x-cancel-on-ha-failover',
  'x-consumer-timeout',
  'x-consumer-disconnected-timeout',
];
const STREAM_ARGUMENTS = ['x-stream-offset', 'x-stream-filter', 'x-stream-match-unfiltered'];

export function basicConsume(channel: AmqpChannel, reader: ArgumentReader): void {
  const method = readBasicConsume(reader);
  const { connection, services } = channel;
  const name = queueNamed(channel, method.queue);
  const tag = method.consumerTag === '' ? generatedTag(channel) : method.consumerTag;
  if (channel.consumers.has(tag) || channel.replies?.tag === tag) {
    throw notAllowed(`attempt to reuse consumer tag '${tag}'`);
  }
  const { consumersPerChannelMax: max } = services.config;
  if (channel.consumers.size >= max) {
    throw notAllowed(`reached maximum (${max}) of consumers per channel`);
  }
  const answer = (): void => {
    if (method.noWait) return;
    writeBasicConsumeOk(connection.startOutput(), channel.number, { consumerTag: tag });
  };
  if (name === REPLY_TO_QUEUE) {
    consumeReplies(channel, method, tag);
    answer();
    return;
  }
  connection.access.check('read', 'queue', name);
  const priority = priorityOf(channel, name, method.arguments);
  const isStream = streamNamed(channel, name) !== null;
  tellWithoutEffect(channel, name, isStream ? [] : STREAM_ARGUMENTS, method.arguments);
  if (isStream) {
    channel.later(consumeStream(channel, { ...method, queue: name, consumerTag: tag }), (start) => {
      answer();
      start();
    });
    return;
  }
  consumeQueue(channel, method, { name, tag, priority }, answer);
}

/** What is taken for the sake of clients that send it. */
function tellWithoutEffect(
  channel: AmqpChannel,
  queue: string,
  ofStreams: readonly string[],
  table: FieldTable,
): void {
  for (const { key } of table) {
    if (!WITHOUT_EFFECT.includes(key) && !ofStreams.includes(key)) continue;
    const { logger } = channel.services.broker;
    const { vhost } = channel.connection;
    logger.info('amqp.argument-without-effect', `${key} has no effect here`, { queue, vhost });
  }
}

function consumeQueue(
  channel: AmqpChannel,
  method: BasicConsume,
  {
    name,
    tag,
    priority,
  }: { readonly name: string; readonly tag: string; readonly priority: number },
  answer: () => void,
): void {
  const { vhost } = channel.connection;
  const queue = usableQueue(channel, name);
  if (channel.globalPrefetch > 0 && queue.arguments['queue-type'] === 'quorum') {
    throw notImplemented(`${named('queue', name, vhost)} does not support global qos`);
  }
  const consumer = new ChannelConsumer(channel, {
    tag,
    queueName: name,
    noAck: method.noAck,
    exclusive: method.exclusive,
    priority,
    prefetch: channel.prefetch,
  });
  channel.consumers.set(tag, consumer);
  const attachment = queue.addConsumer(consumer);
  if (typeof attachment === 'string') {
    channel.consumers.delete(tag);
    if (attachment === 'gone') throw noQueue(name, vhost);
    throw accessRefused(`${named('queue', name, vhost)} in exclusive use`);
  }
  consumer.attachment = attachment;
  answer();
  consumer.start();
}

export function basicCancel(channel: AmqpChannel, reader: ArgumentReader): void {
  const { consumerTag, noWait } = readBasicCancel(reader);
  const consumer = channel.consumers.get(consumerTag);
  if (consumer !== undefined) {
    channel.consumers.delete(consumerTag);
    consumer.cancel();
  } else if (channel.replies?.tag === consumerTag) {
    channel.replies.cancel();
    channel.replies = null;
  }
  if (noWait) return;
  writeBasicCancelOk(channel.connection.startOutput(), channel.number, { consumerTag });
}

function consumeReplies(channel: AmqpChannel, method: BasicConsume, tag: string): void {
  if (!method.noAck) throw preconditionFailed('reply consumer cannot acknowledge');
  if (channel.replies !== null) throw preconditionFailed('reply consumer already set');
  channel.replies = channel.services.directReplies.register(channel, tag);
}

function priorityOf(channel: AmqpChannel, name: string, table: FieldTable): number {
  const field = tableGet(table, 'x-priority');
  if (field === null) return 0;
  if (typeof field.value === 'number' && Number.isInteger(field.value)) return field.value;
  throw preconditionFailed(
    `invalid arg 'x-priority' for ${named('queue', name, channel.connection.vhost)}: ` +
      `"expected integer, got ${wireTypeName(field)}"`,
  );
}

function generatedTag(channel: AmqpChannel): string {
  return TAG_PREFIX + channel.services.broker.random.bytes(TAG_BYTES).toString('base64url');
}
