import type { QueueView } from '../../core/queue-types.ts';
import type { AmqpChannel } from './channel.ts';
import { locked, noQueue, notFound } from './errors.ts';
import { cleanName } from './names.ts';

/** The queue a method means: by its name, or the last one the channel declared. */
export function queueNamed(channel: AmqpChannel, name: string): string {
  if (name !== '') return cleanName(name);
  if (channel.lastQueue === null) throw notFound('no previously declared queue');
  return channel.lastQueue;
}

/** The queue, when it is there and this connection may use it. */
export function usableQueue(channel: AmqpChannel, name: string): QueueView {
  const { connection, services } = channel;
  const queue = services.queues.byName(connection.namespace, name);
  if (queue === null) throw noQueue(name, connection.vhost);
  if (queue.exclusiveOwner !== null && queue.exclusiveOwner !== connection.id) {
    throw locked(name, connection.vhost);
  }
  return queue;
}
