import type { Timer } from '../../base/clock.ts';
import type { LogId, Unsubscribe } from '../../storage/types.ts';
import type { MetricFamily } from '../../telemetry/metric-family.ts';
import type {
  CommittedOffset,
  GroupError,
  GroupView,
  JoinRequest,
  JoinResponse,
  LeaveMember,
  MemberRef,
  OffsetToCommit,
  SyncRequest,
  SyncResponse,
} from '../group-types.ts';
import type { PlacedOffset } from './committed-offsets.ts';
import type { GroupStats } from './events.ts';
import { expireShard } from './expiry.ts';
import type { OwnedGroupCoordinator } from './index.ts';
import { groupMetrics } from './metrics.ts';
import { NamespaceShards } from './namespace-shards.ts';
import { encodeSnapshot, extendSnapshot, isGroupNote } from './note-codec.ts';
import { refusedJoin, refusedSync } from './replies.ts';
import { ConnectionIndex } from './session.ts';
import type { GroupEntry, GroupShard, ShardContext } from './shard.ts';

/** Finds the group a request is about, and the log that keeps it; everything else is the group's business. */
export class Coordinator implements OwnedGroupCoordinator {
  private readonly context: ShardContext;
  private readonly namespaces = new Map<string, NamespaceShards>();
  /** Notes of the engine's replay, until restore() knows whose logs they are of. */
  private readonly replayed = new Map<LogId, Buffer[]>();
  /** Logs whose snapshot was made longer instead of anew: to be put right at the next checkpoint. */
  private readonly extended = new Set<LogId>();
  private readonly unsubscribe: Unsubscribe;
  private expiryTimer: Timer | null = null;
  private expiryTurn = 0;
  private closed = false;

  constructor(dependencies: Omit<ShardContext, 'stats' | 'connections'>) {
    this.context = {
      ...dependencies,
      connections: new ConnectionIndex(),
      stats: {
        groups: 0,
        members: 0,
        rebalances: 0,
        evictions: 0,
        offsetCommits: 0,
        offsetExpirations: 0,
        offsetDeletions: 0,
      },
    };
    this.unsubscribe = dependencies.engine.onCheckpoint(() => {
      for (const shard of this.shards()) shard.saveSnapshot();
      this.saveReplayed();
    });
  }

  // ---- life

  replayNote(log: LogId, note: Buffer): void {
    if (!isGroupNote(note)) return;
    const notes = this.replayed.get(log);
    if (notes === undefined) this.replayed.set(log, [Buffer.from(note)]);
    else notes.push(Buffer.from(note));
  }

  restore(): void {
    for (const namespace of NamespaceShards.load(this.context)) {
      this.namespaces.set(namespace.namespace, namespace);
      for (const shard of namespace.all()) {
        shard.restore(this.replayed.get(shard.log) ?? []);
        if (this.extended.has(shard.log)) shard.changed();
      }
    }
    this.replayed.clear();
    this.extended.clear();
    this.scheduleExpiry();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.expiryTimer?.cancel();
    this.unsubscribe();
    for (const namespace of this.namespaces.values()) namespace.close();
  }

  stats(): GroupStats {
    return this.context.stats;
  }

  metrics(): Iterable<MetricFamily> {
    return groupMetrics(this.context.stats);
  }

  topicDeleted(topicId: Buffer): void {
    for (const shard of this.shards()) {
      for (const entry of shard.all()) {
        const gone = entry.offsets.ofTopics((_, id) => id.equals(topicId));
        if (gone.length === 0) continue;
        this.context.stats.offsetDeletions += gone.length;
        shard.removeOffsets(entry, gone, () => {});
        shard.vacated(entry.groupId);
      }
    }
  }

  connectionClosed(connectionId: number): void {
    for (const session of this.context.connections.take(connectionId)) {
      session.connectionClosed(connectionId);
    }
  }

  // ---- members

  join(namespace: string, request: JoinRequest, reply: (response: JoinResponse) => void): void {
    const { sessionTimeoutMinMs, sessionTimeoutMaxMs } = this.context.options;
    const { groupId, memberId, sessionTimeoutMs } = request;
    if (groupId === '') {
      reply(refusedJoin('invalid-group-id', memberId));
      return;
    }
    if (sessionTimeoutMs < sessionTimeoutMinMs || sessionTimeoutMs > sessionTimeoutMaxMs) {
      reply(refusedJoin('invalid-session-timeout', memberId));
      return;
    }
    this.whenReady(
      namespace,
      groupId,
      (shard) => {
        const entry = memberId === '' ? shard.getOrCreate(groupId) : shard.get(groupId);
        if (entry) {
          entry.group.join(request, reply);
          shard.vacated(groupId);
        } else {
          const error = memberId === '' ? 'coordinator-unavailable' : 'unknown-member';
          reply(refusedJoin(error, memberId));
        }
      },
      (error) => reply(refusedJoin(error, memberId)),
    );
  }

  sync(namespace: string, request: SyncRequest, reply: (response: SyncResponse) => void): void {
    const found = this.find(namespace, request.groupId);
    if (typeof found !== 'string') found.entry.group.sync(request, reply);
    else reply(refusedSync(found));
  }

  heartbeat(namespace: string, member: MemberRef): GroupError {
    const found = this.find(namespace, member.groupId);
    return typeof found === 'string' ? found : found.entry.group.heartbeat(member);
  }

  leave(
    namespace: string,
    groupId: string,
    members: readonly LeaveMember[],
  ): { readonly error: GroupError; readonly members: readonly GroupError[] } {
    const found = this.find(namespace, groupId);
    if (typeof found !== 'string') {
      return { error: 'none', members: found.entry.group.leave(members) };
    }
    if (found !== 'unknown-member') return { error: found, members: members.map(() => found) };
    return { error: 'none', members: members.map(() => 'unknown-member') };
  }

  /** In this kind of group neither members nor strangers are fenced when they read offsets. */
  checkMember(): GroupError {
    return this.closed ? 'coordinator-unavailable' : 'none';
  }

  // ---- offsets

  commitOffsets(
    namespace: string,
    member: MemberRef,
    offsets: readonly OffsetToCommit[],
    reply: (error: GroupError, perOffset: readonly GroupError[]) => void,
  ): void {
    const refuse = (error: GroupError): void => {
      reply(
        error,
        offsets.map(() => error),
      );
    };
    this.whenReady(
      namespace,
      member.groupId,
      (shard) => {
        const simple = member.generation < 0;
        const entry = simple ? shard.getOrCreate(member.groupId) : shard.get(member.groupId);
        if (!entry) {
          refuse(simple ? 'coordinator-unavailable' : 'group-not-found');
          return;
        }
        const error = entry.group.checkCommit(member);
        if (error === 'none') this.commitChecked(shard, entry, offsets, reply);
        else refuse(error);
        shard.vacated(member.groupId);
      },
      refuse,
    );
  }

  whenOffsetsDurable(namespace: string, groupId: string, reply: (error: GroupError) => void): void {
    const found = this.find(namespace, groupId);
    if (typeof found !== 'string') found.shard.whenSettled(found.entry, reply);
    else reply(found === 'coordinator-unavailable' ? found : 'none');
  }

  committedOffset(
    namespace: string,
    groupId: string,
    topic: string,
    partition: number,
  ): CommittedOffset | null {
    const found = this.find(namespace, groupId);
    if (typeof found === 'string') return null;
    const topicId = this.context.topics.byName(namespace, topic)?.id;
    return topicId === undefined ? null : found.entry.offsets.get(topic, topicId, partition);
  }

  committedOffsets(
    namespace: string,
    groupId: string,
  ): readonly {
    readonly topic: string;
    readonly topicId: Buffer;
    readonly partition: number;
    readonly committed: CommittedOffset;
  }[] {
    const found = this.find(namespace, groupId);
    if (typeof found === 'string') return [];
    const current = [];
    for (const committed of found.entry.offsets.entries()) {
      const { topic, topicId, partition } = committed;
      if (this.context.topics.byName(namespace, topic)?.id.equals(topicId) !== true) continue;
      current.push({ topic, topicId, partition, committed });
    }
    return current;
  }

  // ---- administration

  describe(namespace: string, groupId: string): GroupView | null {
    const found = this.find(namespace, groupId);
    return typeof found === 'string' ? null : found.entry.group.view();
  }

  list(namespace: string): readonly GroupView[] {
    const views: GroupView[] = [];
    for (const shard of this.namespaces.get(namespace)?.all() ?? []) {
      for (const { group } of shard.all()) views.push(group.view());
    }
    return views;
  }

  delete(namespace: string, groupId: string): Promise<GroupError> {
    const found = this.find(namespace, groupId);
    if (typeof found === 'string') return Promise.resolve(notFound(found));
    const { shard, entry } = found;
    if (entry.group.state !== 'empty') return Promise.resolve('non-empty-group');
    this.context.stats.offsetDeletions += entry.offsets.size;
    return new Promise((resolve) => {
      shard.deleteGroup(entry, 'request', resolve);
    });
  }

  deleteOffsets(
    namespace: string,
    groupId: string,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<{ readonly error: GroupError; readonly perPartition: readonly GroupError[] }> {
    const fail = (error: GroupError) =>
      Promise.resolve({ error, perPartition: partitions.map(() => error) });
    const found = this.find(namespace, groupId);
    if (typeof found === 'string') return fail(notFound(found));
    const { shard, entry } = found;
    const empty = entry.group.state === 'empty';
    const subscribed = empty ? new Set<string>() : entry.group.subscribedTopics();
    // Nobody can say what these members use.
    if (subscribed === null) return fail('non-empty-group');
    const perPartition = partitions.map(({ topic }): GroupError =>
      subscribed.has(topic) ? 'subscribed-to-topic' : 'none',
    );
    const removed = partitions.filter(
      (partition, index) => perPartition[index] === 'none' && entry.offsets.has(partition),
    );
    return new Promise((resolve) => {
      shard.removeOffsets(entry, removed, (error) => {
        if (error === 'none') this.context.stats.offsetDeletions += removed.length;
        resolve(
          error === 'none'
            ? { error, perPartition }
            : { error, perPartition: partitions.map(() => error) },
        );
      });
    });
  }

  // ---- inside

  private commitChecked(
    shard: GroupShard,
    entry: GroupEntry,
    offsets: readonly OffsetToCommit[],
    reply: (error: GroupError, perOffset: readonly GroupError[]) => void,
  ): void {
    const nowMs = this.context.clock.wallMs();
    const accepted: PlacedOffset[] = [];
    const perOffset: GroupError[] = [];
    for (const offset of offsets) {
      if (offset.metadata.length > this.context.options.offsetMetadataMax) {
        perOffset.push('metadata-too-large');
        continue;
      }
      perOffset.push('none');
      const retentionMs = offset.retentionMs ?? -1;
      accepted.push({
        topic: offset.topic,
        topicId: offset.topicId,
        partition: offset.partition,
        offset: offset.offset,
        leaderEpoch: offset.leaderEpoch,
        metadata: offset.metadata,
        committedAtMs: nowMs,
        expiresAtMs: retentionMs < 0 ? -1 : nowMs + retentionMs,
      });
    }
    if (accepted.length === 0) {
      reply('none', perOffset);
      return;
    }
    shard.commit(entry, accepted, (error) => {
      if (error === 'none') reply('none', perOffset);
      else
        reply(
          error,
          offsets.map(() => error),
        );
    });
  }

  private whenReady(
    namespace: string,
    groupId: string,
    work: (shard: GroupShard) => void,
    refuse: (error: GroupError) => void,
  ): void {
    if (this.closed) {
      refuse('coordinator-unavailable');
      return;
    }
    let shards = this.namespaces.get(namespace);
    if (shards === undefined) {
      shards = new NamespaceShards(this.context, namespace, []);
      this.namespaces.set(namespace, shards);
    }
    const ready = shards;
    ready.whenReady(() => {
      const shard = ready.of(groupId);
      if (shard === null) refuse('coordinator-unavailable');
      else work(shard);
    }, refuse);
  }

  /** The group, or why a member of it cannot be served. */
  private find(
    namespace: string,
    groupId: string,
  ): { readonly shard: GroupShard; readonly entry: GroupEntry } | GroupError {
    if (this.closed) return 'coordinator-unavailable';
    const shard = this.namespaces.get(namespace)?.of(groupId);
    const entry = shard?.get(groupId);
    return shard && entry ? { shard, entry } : 'unknown-member';
  }

  private *shards(): Iterable<GroupShard> {
    for (const namespace of this.namespaces.values()) yield* namespace.all();
  }

  /** A checkpoint before restore(): what was replayed is not journalled behind it any more, so it goes along. */
  private saveReplayed(): void {
    const { snapshots } = this.context.engine;
    for (const [log, notes] of this.replayed) {
      const snapshot = snapshots.load(log);
      this.extended.add(log);
      snapshots.save(
        log,
        snapshot === null ? encodeSnapshot(notes) : extendSnapshot(snapshot, notes),
      );
    }
    this.replayed.clear();
  }

  /** Looks through one shard of every namespace per turn, so that no turn takes long. */
  private scheduleExpiry(): void {
    const { expirationIntervalMs, shardsPerNamespace } = this.context.options;
    const delayMs = expirationIntervalMs / shardsPerNamespace;
    this.expiryTimer = this.context.clock.setTimer(delayMs, () => {
      const turn = this.expiryTurn++;
      for (const namespace of this.namespaces.values()) {
        const shards = namespace.all();
        const shard = shards[turn % Math.max(1, shards.length)];
        if (shard !== undefined) expireShard(this.context, shard);
      }
      this.scheduleExpiry();
    });
  }
}

/** Administrators ask for groups, not for members. */
function notFound(error: GroupError): GroupError {
  return error === 'unknown-member' ? 'group-not-found' : error;
}
