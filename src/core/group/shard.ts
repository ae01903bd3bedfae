import type { Clock } from '../../base/clock.ts';
import { LyrebirdError } from '../../base/errors.ts';
import { type Random, randomUuid } from '../../base/random.ts';
import {
  APPEND_REFUSED,
  type CommitListener,
  type LogEngine,
  type LogId,
  type Position,
} from '../../storage/types.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { GroupError } from '../group-types.ts';
import type { TopicRegistry } from '../types.ts';
import { ClassicGroup } from './classic-group.ts';
import { CommittedOffsets, type PlacedOffset, type TopicPartition } from './committed-offsets.ts';
import type { GroupEvent, GroupStats } from './events.ts';
import type { GroupRecord } from './group-record.ts';
import type { GroupHost } from './host.ts';
import {
  decodeNote,
  decodeSnapshot,
  encodeNote,
  encodeSnapshot,
  type GroupNote,
} from './note-codec.ts';
import type { CoordinatorOptions } from './options.ts';
import type { ConnectionIndex } from './session.ts';

/** What all shards of a coordinator share. */
export interface ShardContext {
  readonly engine: LogEngine;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly topics: TopicRegistry;
  readonly options: CoordinatorOptions;
  readonly stats: GroupStats;
  readonly connections: ConnectionIndex;
  readonly onEvent: (event: GroupEvent) => void;
}

/** One group: who is in it, and what it has committed. */
export interface GroupEntry {
  readonly groupId: string;
  readonly group: ClassicGroup;
  readonly offsets: CommittedOffsets;
  /** The last generation note that was journalled, for the snapshot. */
  record: Buffer | null;
  /** Commits that are not durable yet, and the position of the last one. */
  unsettledCommits: number;
  lastCommit: Position;
}

/** Tells once how an append ended. */
class Settlement implements CommitListener {
  private readonly settled: (error: GroupError) => void;

  constructor(settled: (error: GroupError) => void) {
    this.settled = settled;
  }

  onCommitted(): void {
    this.settled('none');
  }

  onCommitFailed(): void {
    this.settled('storage-failed');
  }
}

/** The groups whose state one log keeps. Memory changes at once, answers wait until the note is durable. */
export class GroupShard implements GroupHost {
  readonly log: LogId;
  readonly namespace: string;
  private readonly context: ShardContext;
  private readonly entries = new Map<string, GroupEntry>();
  private dirty = false;

  constructor(context: ShardContext, namespace: string, log: LogId) {
    this.context = context;
    this.namespace = namespace;
    this.log = log;
  }

  // ---- what a group asks of its host

  get clock(): Clock {
    return this.context.clock;
  }

  get options(): CoordinatorOptions {
    return this.context.options;
  }

  get logger(): Logger {
    return this.context.logger;
  }

  get stats(): GroupStats {
    return this.context.stats;
  }

  get connections(): ConnectionIndex {
    return this.context.connections;
  }

  newMemberId(prefix: string): string {
    const hex = randomUuid(this.context.random).toString('hex');
    const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
    return `${prefix}-${parts.join('-')}-${hex.slice(20)}`;
  }

  persist(groupId: string, record: GroupRecord, settled: (error: GroupError) => void): void {
    const entry = this.entries.get(groupId);
    const note = encodeNote({ kind: 'generation', groupId, record });
    if (entry === undefined) {
      settled('coordinator-unavailable');
      return;
    }
    if (note.length > this.options.groupRecordBytesMax) {
      this.logger.error(
        'group.record-refused',
        `the state of group ${groupId} takes ${note.length} bytes: more than groupRecordBytesMax`,
        { namespace: this.namespace, groupId, limit: this.options.groupRecordBytesMax },
      );
      settled('storage-failed');
      return;
    }
    if (this.append(note, settled) >= 0) entry.record = note;
  }

  emit(event: GroupEvent): void {
    this.context.onEvent(event);
  }

  vacated(groupId: string): void {
    const entry = this.entries.get(groupId);
    // A group that was never journalled has nothing that could come back.
    if (!entry?.group.vacant || entry.record !== null || entry.offsets.size > 0) return;
    this.forget(entry);
  }

  // ---- what the coordinator asks

  get(groupId: string): GroupEntry | undefined {
    return this.entries.get(groupId);
  }

  all(): Iterable<GroupEntry> {
    return this.entries.values();
  }

  /** The group, made when it does not exist; null when there are too many. */
  getOrCreate(groupId: string): GroupEntry | null {
    const existing = this.entries.get(groupId);
    if (existing !== undefined) return existing;
    if (this.stats.groups >= this.options.groupsMax) {
      this.logger.warn('group.limit', `group ${groupId} is refused: groupsMax is reached`, {
        namespace: this.namespace,
        groupId,
        limit: this.options.groupsMax,
      });
      return null;
    }
    return this.create(groupId);
  }

  commit(
    entry: GroupEntry,
    offsets: readonly PlacedOffset[],
    settled: (error: GroupError) => void,
  ): void {
    entry.unsettledCommits++;
    const note = encodeNote({ kind: 'commit', groupId: entry.groupId, offsets });
    const position = this.append(note, (error) => {
      entry.unsettledCommits--;
      settled(error);
    });
    if (position < 0) return;
    for (const offset of offsets) entry.offsets.set(offset);
    entry.lastCommit = position;
    this.stats.offsetCommits += offsets.length;
  }

  removeOffsets(
    entry: GroupEntry,
    partitions: readonly TopicPartition[],
    settled: (error: GroupError) => void,
  ): void {
    if (partitions.length === 0) {
      settled('none');
      return;
    }
    const { groupId } = entry;
    const position = this.append(encodeNote({ kind: 'removal', groupId, partitions }), settled);
    if (position < 0) return;
    for (const partition of partitions) entry.offsets.delete(partition);
  }

  deleteGroup(
    entry: GroupEntry,
    cause: 'request' | 'expired',
    settled: (error: GroupError) => void,
  ): void {
    const { groupId } = entry;
    if (this.append(encodeNote({ kind: 'deleted', groupId }), settled) < 0) return;
    this.logger.info('group.deleted', `group ${groupId} was deleted (${cause})`, {
      namespace: this.namespace,
      groupId,
    });
    this.forget(entry);
    this.emit({ type: 'group-deleted', namespace: this.namespace, groupId, cause });
  }

  /** Replies when everything the group has committed so far is durable. */
  whenSettled(entry: GroupEntry, settled: (error: GroupError) => void): void {
    if (entry.unsettledCommits === 0) settled('none');
    else this.await(entry.lastCommit, settled);
  }

  /** The next checkpoint needs a snapshot. */
  changed(): void {
    this.dirty = true;
  }

  /** Saves the state for the checkpoint that is being made, when it changed since the last. */
  saveSnapshot(): void {
    if (!this.dirty) return;
    this.dirty = false;
    this.context.engine.snapshots.save(this.log, encodeSnapshot(this.snapshotNotes()));
  }

  /** Builds the groups from the last snapshot and the notes journalled after it. */
  restore(replayed: readonly Buffer[]): void {
    const records = new Map<string, GroupRecord>();
    const snapshot = this.context.engine.snapshots.load(this.log);
    if (snapshot !== null) {
      const notes = this.readable('snapshot', () => decodeSnapshot(snapshot)) ?? [];
      for (const note of notes) this.apply(note, records);
    }
    for (const note of replayed) this.apply(note, records);
    this.dirty = replayed.length > 0;
    for (const [groupId, record] of records) this.entries.get(groupId)?.group.restore(record);
  }

  /** Ends all groups without a trace in the journal. */
  kill(error: GroupError): void {
    for (const entry of this.entries.values()) entry.group.kill(error);
  }

  private *snapshotNotes(): Iterable<Buffer> {
    for (const { groupId, record, offsets } of this.entries.values()) {
      if (record !== null) yield record;
      if (offsets.size === 0) continue;
      yield encodeNote({ kind: 'commit', groupId, offsets: [...offsets.entries()] });
    }
  }

  private apply(bytes: Buffer, records: Map<string, GroupRecord>): void {
    const note = this.readable('note', () => decodeNote(bytes));
    if (note === null) return;
    const { groupId } = note;
    if (note.kind === 'deleted') {
      const entry = this.entries.get(groupId);
      if (entry !== undefined) this.forget(entry);
      records.delete(groupId);
      return;
    }
    const entry = this.entries.get(groupId) ?? this.create(groupId);
    if (note.kind === 'generation') {
      entry.record = bytes;
      records.set(groupId, note.record);
    } else {
      applyOffsets(entry, note);
    }
  }

  /** What decode returns; null, with an error line, when the bytes make no sense: the rest is kept. */
  private readable<T>(what: string, decode: () => T): T | null {
    try {
      return decode();
    } catch (error) {
      if (error instanceof LyrebirdError) throw error;
      this.logger.error(
        'group.unreadable',
        `a ${what} of group state cannot be read, it is skipped`,
        {
          namespace: this.namespace,
          log: this.log,
          error,
        },
      );
      return null;
    }
  }

  private create(groupId: string): GroupEntry {
    const names = { namespace: this.namespace, groupId };
    const entry: GroupEntry = {
      groupId,
      group: new ClassicGroup(this, names),
      offsets: new CommittedOffsets(),
      record: null,
      unsettledCommits: 0,
      lastCommit: 0,
    };
    this.entries.set(groupId, entry);
    this.stats.groups++;
    return entry;
  }

  private forget(entry: GroupEntry): void {
    if (!this.entries.delete(entry.groupId)) return;
    this.stats.groups--;
    entry.group.kill('unknown-member');
  }

  private append(note: Buffer, settled: (error: GroupError) => void): Position {
    const { engine } = this.context;
    const position = engine.appendNote(this.log, engine.owner(this.log).epoch, note);
    if (position >= 0) {
      this.dirty = true;
      this.await(position, settled);
      return position;
    }
    settled(position === APPEND_REFUSED.notOwner ? 'coordinator-unavailable' : 'storage-failed');
    return position;
  }

  private await(position: Position, settled: (error: GroupError) => void): void {
    this.context.engine.whenCommitted(position, this.options.durability, new Settlement(settled));
  }
}

function applyOffsets(
  entry: GroupEntry,
  note: Extract<GroupNote, { kind: 'commit' | 'removal' }>,
): void {
  if (note.kind === 'commit') {
    for (const offset of note.offsets) entry.offsets.set(offset);
  } else {
    for (const partition of note.partitions) entry.offsets.delete(partition);
  }
}
