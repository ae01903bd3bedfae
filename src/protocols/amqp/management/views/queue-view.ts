import type { PolicySubject } from '../../../../core/policy/policy-types.ts';
import type { QueueTotals, QueueView } from '../../../../core/queue-types.ts';
import { wireArguments } from '../../arguments.ts';
import { vhostOf } from '../../vhost.ts';
import { instantText, type Json } from '../json.ts';
import type { Management } from '../management.ts';
import { consumerDetails } from './consumer-view.ts';

const SUBJECTS: Readonly<Record<string, PolicySubject>> = {
  quorum: 'quorum_queue',
  stream: 'stream',
};

export function queueTypeOf(queue: QueueView): string {
  const type = queue.arguments['queue-type'];
  return typeof type === 'string' && type !== '' ? type : 'classic';
}

/** What stays the same while a queue lives: all that disable_stats leaves. */
export function queueFacts(management: Management, queue: QueueView): Json {
  return {
    arguments: wireArguments(queue.arguments),
    auto_delete: queue.autoDelete,
    durable: queue.durable,
    exclusive: queue.exclusiveOwner !== null,
    name: queue.name,
    node: management.nodeName,
    state: queue.paused ? 'flow' : 'running',
    type: queueTypeOf(queue),
    vhost: vhostOf(queue.namespace),
  };
}

export function queueTotals(queue: QueueView): Json {
  const { ready, unsettled } = queue.counts;
  return {
    messages: ready + unsettled,
    messages_ready: ready,
    messages_unacknowledged: unsettled,
  };
}

/** What queueBasics has. */
export const QUEUE_BASICS: readonly string[] = [
  'arguments',
  'auto_delete',
  'consumers',
  'durable',
  'exclusive',
  'memory',
  'messages',
  'messages_ready',
  'messages_unacknowledged',
  'name',
  'node',
  'policy',
  'state',
  'type',
  'vhost',
];

/** The columns that scripts ask for most, for long lists. */
export function queueBasics(management: Management, queue: QueueView): Json {
  return {
    ...queueFacts(management, queue),
    ...queueTotals(queue),
    consumers: queue.consumers.length,
    memory: queue.memoryBytes,
    policy: queue.policy,
  };
}

/** A queue as lists show it. */
export function queueRow(management: Management, queue: QueueView): Json {
  return {
    ...queueFacts(management, queue),
    ...state(management, queue),
    ...stats(management, queue),
  };
}

/** A queue on its own, with its consumers. */
export function queueDetail(management: Management, queue: QueueView): Json {
  return {
    consumer_details: queue.consumers.map((consumer) =>
      consumerDetails(management, queue, consumer),
    ),
    deliveries: [],
    incoming: [],
    ...queueRow(management, queue),
  };
}

function state(management: Management, queue: QueueView): Json {
  const { broker } = management;
  const { consumers, activeConsumer, idleSinceMs, headPublishedMs } = queue;
  const exclusive = consumers.find((consumer) => consumer.exclusive);
  const capacity = capacityOf(queue);
  const subject = SUBJECTS[queueTypeOf(queue)] ?? 'classic_queue';
  const { definition } = broker.policies.effective(subject, queue.namespace, queue.name);
  const owner = ownerOf(management, queue);
  return {
    consumer_capacity: capacity,
    consumer_utilisation: capacity,
    consumers: consumers.length,
    effective_policy_definition: definition,
    exclusive_consumer_tag: exclusive?.id ?? null,
    head_message_timestamp: headPublishedMs === null ? null : Math.floor(headPublishedMs / 1000),
    ...(idleSinceMs === null ? {} : { idle_since: idleSince(management, idleSinceMs) }),
    leader: management.nodeName,
    members: [management.nodeName],
    memory: queue.memoryBytes,
    online: [management.nodeName],
    operator_policy: queue.operatorPolicy,
    ...(owner === null ? {} : { owner_pid_details: owner }),
    policy: queue.policy,
    recoverable_slaves: null,
    single_active_consumer_tag: queue.settings.singleActiveConsumer
      ? (activeConsumer?.id ?? null)
      : null,
  };
}

function stats(management: Management, queue: QueueView): Json {
  const { rates } = management;
  const { ready, unsettled, readyBytes, unsettledBytes, persistent, delayed } = queue.counts;
  return {
    ...rates.stats(queue, 'messages', {
      messages: ready + unsettled,
      messages_ready: ready,
      messages_unacknowledged: unsettled,
    }),
    message_bytes: readyBytes + unsettledBytes,
    message_bytes_paged_out: 0,
    message_bytes_persistent: persistent === ready + unsettled ? readyBytes + unsettledBytes : 0,
    message_bytes_ram: 0,
    message_bytes_ready: readyBytes,
    message_bytes_unacknowledged: unsettledBytes,
    message_stats: rates.stats(queue, 'message_stats', messageCounters(queue.totals)),
    messages_delayed: delayed,
    messages_paged_out: 0,
    messages_persistent: persistent,
    messages_ram: 0,
    messages_ready_ram: 0,
    messages_unacknowledged_ram: 0,
  };
}

export function messageCounters(totals: QueueTotals): Readonly<Record<string, number>> {
  const { deliveredAck, deliveredNoAck, gotAck, gotNoAck } = totals;
  return {
    ack: totals.acknowledged,
    deliver: deliveredAck,
    deliver_get: deliveredAck + deliveredNoAck + gotAck + gotNoAck,
    deliver_no_ack: deliveredNoAck,
    get: gotAck,
    get_empty: totals.gotEmpty,
    get_no_ack: gotNoAck,
    publish: totals.published,
    redeliver: totals.redelivered,
  };
}

/** 1 while consumers could take more at once, 0 while messages wait for them. Over time it is not measured. */
export function capacityOf({ consumers, counts }: QueueView): number {
  if (consumers.length === 0) return 0;
  return counts.ready === 0 || consumers.some(({ ready }) => ready) ? 1 : 0;
}

function idleSince({ broker }: Management, sinceMs: number): string {
  const { clock } = broker;
  return instantText(clock.wallMs() - (clock.monotonicMs() - sinceMs));
}

function ownerOf(management: Management, { exclusiveOwner }: QueueView): Json | null {
  if (exclusiveOwner === null) return null;
  for (const connection of management.connections()) {
    if (connection.id !== exclusiveOwner) continue;
    const { remoteAddress, remotePort } = connection.connection;
    return { name: connection.name, peer_host: remoteAddress, peer_port: remotePort };
  }
  return null;
}

/** Columns that lists are sorted by without rendering every queue. */
export function queueSortKey(
  queue: QueueView,
  column: string,
): string | number | boolean | undefined {
  switch (column) {
    case 'name':
      return queue.name;
    case 'vhost':
      return vhostOf(queue.namespace);
    case 'messages':
      return queue.counts.ready + queue.counts.unsettled;
    case 'messages_ready':
      return queue.counts.ready;
    case 'messages_unacknowledged':
      return queue.counts.unsettled;
    case 'message_bytes':
      return queue.counts.readyBytes + queue.counts.unsettledBytes;
    case 'consumers':
      return queue.consumers.length;
    case 'memory':
      return queue.memoryBytes;
    case 'type':
      return queueTypeOf(queue);
    default:
      return undefined;
  }
}
