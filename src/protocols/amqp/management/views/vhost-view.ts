import type { Namespace } from '../../../../core/namespace/namespace-store.ts';
import { vhostOf } from '../../vhost.ts';
import type { Json } from '../json.ts';
import type { Management } from '../management.ts';
import { sumQueues } from './sums.ts';

export function vhostRow(management: Management, namespace: Namespace): Json {
  const { name, description, tags, defaultQueueType, metadata, tracing } = namespace;
  const { rates } = management;
  const sums = sumQueues(management.queuesIn(name));
  let received = 0;
  let sent = 0;
  for (const connection of management.connections()) {
    if (connection.namespace !== name) continue;
    received += connection.connection.bytesIn;
    sent += connection.connection.bytesOut;
  }
  return {
    cluster_state: { [management.nodeName]: 'running' },
    default_queue_type: defaultQueueType ?? 'undefined',
    description,
    message_stats: rates.stats(namespace, 'message_stats', sums.counters),
    ...rates.stats(namespace, 'messages', {
      messages: sums.ready + sums.unsettled,
      messages_ready: sums.ready,
      messages_unacknowledged: sums.unsettled,
    }),
    metadata: {
      ...metadata,
      description,
      tags,
      ...(defaultQueueType === null ? {} : { default_queue_type: defaultQueueType }),
    },
    name: vhostOf(name),
    ...rates.stats(namespace, 'octets', { recv_oct: received, send_oct: sent }),
    tags,
    tracing,
  };
}
