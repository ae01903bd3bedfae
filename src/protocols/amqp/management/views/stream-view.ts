import type { TopicView } from '../../../../core/types.ts';
import { wireArguments } from '../../arguments.ts';
import { streamArguments } from '../../stream/stream-arguments.ts';
import { vhostOf } from '../../vhost.ts';
import type { Json } from '../json.ts';
import type { Management } from '../management.ts';

/** What stays the same while a stream lives. */
export function streamFacts(management: Management, topic: TopicView): Json {
  return {
    arguments: { ...wireArguments(streamArguments(topic) ?? {}), 'x-queue-type': 'stream' },
    auto_delete: false,
    durable: true,
    exclusive: false,
    name: topic.name,
    node: management.nodeName,
    state: 'running',
    type: 'stream',
    vhost: vhostOf(topic.namespace),
  };
}

/** A topic as AMQP's tools see it: a queue that nothing is taken from. */
export function streamRow(management: Management, topic: TopicView): Json {
  const { messages, bytes } = contentOf(topic);
  const { rates } = management;
  return {
    ...streamFacts(management, topic),
    consumer_details: [],
    consumers: management.services.streams.count(topic),
    effective_policy_definition: {},
    leader: management.nodeName,
    members: [management.nodeName],
    memory: 0,
    message_bytes: bytes,
    message_stats: rates.stats(topic, 'message_stats', { publish: highWatermarks(topic) }),
    ...rates.stats(topic, 'messages', {
      messages,
      messages_ready: messages,
      messages_unacknowledged: 0,
    }),
    online: [management.nodeName],
    operator_policy: null,
    policy: null,
    single_active_consumer_tag: null,
  };
}

export function streamSortKey(topic: TopicView, column: string): string | number | undefined {
  switch (column) {
    case 'name':
      return topic.name;
    case 'vhost':
      return vhostOf(topic.namespace);
    case 'messages':
    case 'messages_ready':
      return contentOf(topic).messages;
    case 'messages_unacknowledged':
    case 'consumers':
    case 'memory':
      return 0;
    case 'type':
      return 'stream';
    default:
      return undefined;
  }
}

function contentOf(topic: TopicView): { readonly messages: number; readonly bytes: number } {
  let messages = 0;
  let bytes = 0;
  for (let index = 0; index < topic.partitionCount; index++) {
    const partition = topic.partition(index);
    if (partition === null) continue;
    messages += partition.highWatermark - partition.logStart;
    bytes += partition.bytes;
  }
  return { messages, bytes };
}

function highWatermarks(topic: TopicView): number {
  let sum = 0;
  for (let index = 0; index < topic.partitionCount; index++) {
    sum += topic.partition(index)?.highWatermark ?? 0;
  }
  return sum;
}
