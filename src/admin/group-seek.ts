import type { Broker } from '../core/broker.ts';
import type { GroupError, OffsetToCommit } from '../core/group-types.ts';
import type { PartitionView } from '../core/types.ts';
import type { SeekBody, SeekResult, SeekTarget } from './api.ts';
import { ApiError, expectNoGroupError, groupErrorText } from './api-error.ts';

interface Place {
  readonly topic: string;
  readonly partition: number;
}

type Move = SeekResult['offsets'][number];

/**
 * Moves the committed offsets of a group that nobody consumes with now. Offsets outside a log are moved to its
 * nearest end; a time after the last record means the end.
 */
export async function seekGroup(
  broker: Broker,
  scope: { readonly namespace: string; readonly group: string },
  body: SeekBody,
): Promise<SeekResult> {
  const { namespace, group } = scope;
  const described = broker.groups.describe(namespace, group);
  if (described === null && body.topics === undefined) {
    throw new ApiError('not-found', `there is no group ${group}; name topics to give it offsets`);
  }
  if ((described?.members.length ?? 0) > 0) {
    throw new ApiError('conflict', groupErrorText('non-empty-group', group));
  }
  const dryRun = body.dryRun !== false;
  const moves: Move[] = [];
  const commits: OffsetToCommit[] = [];
  for (const place of placesOf(broker, scope, body)) {
    const topic = broker.topics.byName(namespace, place.topic);
    const partition = topic?.partition(place.partition) ?? null;
    const from =
      broker.groups.committedOffset(namespace, group, place.topic, place.partition)?.offset ?? null;
    if (topic === null || partition === null) {
      moves.push({ ...place, from, to: null, error: 'there is no such partition' });
      continue;
    }
    const to = await targetOffset(broker, namespace, { place, partition, from }, body.target);
    if (typeof to === 'string') {
      moves.push({ ...place, from, to: null, error: to });
      continue;
    }
    moves.push({ ...place, from, to, error: null });
    const leaderEpoch = partition.leaderEpoch;
    commits.push({ ...place, topicId: topic.id, offset: to, leaderEpoch, metadata: '' });
  }
  if (dryRun || commits.length === 0) return { dryRun, offsets: moves };
  const failed = await commit(broker, scope, commits);
  return {
    dryRun,
    offsets: moves.map((move) => {
      const error = failed.get(`${move.topic}/${move.partition}`);
      return error === undefined ? move : { ...move, to: null, error };
    }),
  };
}

function placesOf(
  broker: Broker,
  { namespace, group }: { readonly namespace: string; readonly group: string },
  body: SeekBody,
): Place[] {
  if (body.topics === undefined) {
    return broker.groups
      .committedOffsets(namespace, group)
      .map(({ topic, partition }) => ({ topic, partition }));
  }
  return body.topics.flatMap(({ topic, partitions }) => {
    const view = broker.topics.byName(namespace, topic);
    if (view === null) throw new ApiError('not-found', `there is no topic ${topic}`);
    const chosen = partitions ?? Array.from({ length: view.partitionCount }, (_, i) => i);
    return chosen.map((partition) => ({ topic, partition }));
  });
}

/** Text: why there is none. */
async function targetOffset(
  broker: Broker,
  namespace: string,
  at: { readonly place: Place; readonly partition: PartitionView; readonly from: number | null },
  target: SeekTarget,
): Promise<number | string> {
  const { place, partition, from } = at;
  if ('to' in target)
    return target.to === 'earliest' ? partition.logStart : partition.highWatermark;
  if ('offset' in target) return within(partition, target.offset);
  if ('shift' in target) {
    return from === null
      ? 'the group has no offset to shift'
      : within(partition, from + target.shift);
  }
  if ('time' in target) {
    const instant = typeof target.time === 'number' ? target.time : Date.parse(target.time);
    return (await partition.offsetForTimestamp(instant))?.offset ?? partition.highWatermark;
  }
  const other = broker.groups.committedOffset(
    namespace,
    target.group,
    place.topic,
    place.partition,
  );
  return other === null
    ? `group ${target.group} has no offset here`
    : within(partition, other.offset);
}

function within(partition: PartitionView, offset: number): number {
  return Math.min(Math.max(offset, partition.logStart), partition.highWatermark);
}

/** What could not be committed, by `topic/partition`. */
async function commit(
  broker: Broker,
  { namespace, group }: { readonly namespace: string; readonly group: string },
  commits: readonly OffsetToCommit[],
): Promise<Map<string, string>> {
  const member = { groupId: group, memberId: '', instanceId: null, generation: -1 };
  const { error, perOffset } = await new Promise<{
    error: GroupError;
    perOffset: readonly GroupError[];
  }>((resolve) => {
    broker.groups.commitOffsets(namespace, member, commits, (error, perOffset) =>
      resolve({ error, perOffset }),
    );
  });
  expectNoGroupError(error, group);
  const failed = new Map<string, string>();
  for (const [index, { topic, partition }] of commits.entries()) {
    const problem = perOffset[index] ?? 'none';
    if (problem !== 'none') failed.set(`${topic}/${partition}`, groupErrorText(problem, group));
  }
  return failed;
}
