import type { TopicPartition } from './committed-offsets.ts';
import type { GroupEntry, GroupShard, ShardContext } from './shard.ts';

/**
 * Drops committed offsets that nobody can want any more, and groups that are left with nothing:
 *
 * - of a topic that is gone: at once;
 * - of an empty group: the retention after it became empty;
 * - of a group with members: for topics that none of them subscribes to, the retention after the commit;
 * - of clients that manage their partitions themselves: the retention after the commit;
 * - committed with a life of their own: at its end, when one of the above allows it.
 */
export function expireShard(context: ShardContext, shard: GroupShard): void {
  for (const entry of shard.all()) {
    const expired = expiredOffsets(context, shard.namespace, entry);
    const nothingLeft = expired.length === entry.offsets.size;
    if (nothingLeft && entry.group.vacant) {
      context.stats.offsetExpirations += expired.length;
      shard.deleteGroup(entry, 'expired', () => {});
    } else if (expired.length > 0) {
      context.stats.offsetExpirations += expired.length;
      shard.removeOffsets(entry, expired, () => {});
    }
  }
}

function expiredOffsets(
  context: ShardContext,
  namespace: string,
  entry: GroupEntry,
): readonly TopicPartition[] {
  const nowMs = context.clock.wallMs();
  const { group } = entry;
  const simple = group.protocolType === '';
  const empty = group.state === 'empty';
  const subscribed = group.state === 'stable' ? group.subscribedTopics() : null;
  const expired: TopicPartition[] = [];
  for (const offset of entry.offsets.entries()) {
    const { topic, partition } = offset;
    if (context.topics.byName(namespace, topic)?.id.equals(offset.topicId) !== true) {
      expired.push({ topic, partition });
      continue;
    }
    const unwanted = empty || simple || (subscribed !== null && !subscribed.has(topic));
    if (!unwanted) continue;
    // An empty group still is the place where its members will go on: its own age counts, not the commit's.
    const sinceMs = empty && !simple ? group.stateSinceMs : offset.committedAtMs;
    const endMs =
      offset.expiresAtMs >= 0 ? offset.expiresAtMs : sinceMs + context.options.offsetsRetentionMs;
    if (endMs <= nowMs) expired.push({ topic, partition });
  }
  return expired;
}
