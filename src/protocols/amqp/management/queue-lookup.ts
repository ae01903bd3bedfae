import type { QueueView } from '../../../core/queue-types.ts';
import type { TopicView } from '../../../core/types.ts';
import type { Call } from './call.ts';
import { notFound } from './http-error.ts';

/** What AMQP calls a queue: one of the broker's, or a topic, which is a stream. */
export type AnyQueue = QueueView | TopicView;

export function isStream(queue: AnyQueue): queue is TopicView {
  return 'partitionCount' in queue;
}

/** The queue that the path names. */
export function findQueue(call: Call): AnyQueue {
  const { management, namespace } = call;
  const name = call.param('queue');
  const found =
    management.queues.byName(namespace, name) ?? management.broker.topics.byName(namespace, name);
  if (found === null) throw notFound();
  return found;
}
