import { TimerWheel } from '../../base/timer-wheel.ts';
import type { Clock } from '../../base/clock.ts';
import type { Unsubscribe } from '../../storage/types.ts';
import type { CommitListener, Durability, LogEngine } from '../../storage/types.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { EventBus } from '../events.ts';
import { BufferPool } from '../message/buffer-pool.ts';
import { EnvelopeReader } from '../message/envelope.ts';
import { Message } from '../message/message.ts';
import type {
  Arguments,
  NewQueue,
  QueueOutcome,
  QueueRegistry,
  QueueView,
} from '../queue-types.ts';
import { Lane, type LaneOwner, NO_LOG } from './lane.ts';
import { LaneNotes } from './lane-image.ts';
import { MarkPages } from './lane-marks.ts';
import { LaneReads } from './lane-reads.ts';
import { LaneReplay } from './lane-replay.ts';
import { ENVELOPE } from '../message/envelope.ts';
import { packMark } from './lane-marks.ts';
import { Queue } from './queue.ts';
import type { MutableDelivery, QueueContext } from './queue-context.ts';
import { type PublishOutcome, QueuePublisher, type RoutingPort } from './queue-publisher.ts';
import {
  QUEUE_PREFIX,
  decodeQueueRecord,
  encodeQueueRecord,
  parseQueueKey,
  queueKey,
} from './queue-record.ts';
import { findArgumentProblem, findDifference, mergeSettings } from './queue-settings.ts';
import { TargetSet } from './target-set.ts';
import { Turn } from './turn.ts';

/** Policies in force for a queue. */
export interface QueuePolicies {
  readonly policy: { readonly name: string; readonly definition: Arguments } | null;
  readonly operatorPolicy: { readonly name: string; readonly definition: Arguments } | null;
}

const NO_POLICIES: QueuePolicies = { policy: null, operatorPolicy: null };

export interface QueueStoreOptions {
  readonly engine: LogEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventBus;
  /** Of durable queues. */
  readonly durability: Durability;
  readonly queuesMax: () => number;
  /** Of one namespace; default: no limit of its own. */
  readonly namespaceQueuesMax?: (namespace: string) => number;
  /** Memory of messages in queues that are not durable. */
  readonly memoryBytesMax: () => number;
  /** Which policies apply to a queue that is made; default: none. */
  readonly policiesOf?: (queue: NewQueue) => QueuePolicies;
}

const SPARE_BUFFER_BYTES = 16 << 20;
const SEGMENT_BYTES = 64 << 20;

/** The queues of a broker. Durable ones are defined in the metadata store, each change of them one transaction. */
export class QueueStore implements QueueRegistry {
  revision = 0;
  readonly turn: Turn;
  private readonly options: QueueStoreOptions;
  /** What queues share, for those who keep messages as queues do. */
  readonly context: QueueContext;
  /** Others load what they keep in lanes, as load() and prepare() do. */
  guestLoader: { load(): void; prepare(): Promise<void> } | null = null;
  private readonly unscanned: Lane[] = [];
  private readonly publisher: QueuePublisher;
  private readonly pool: BufferPool;
  private readonly replay: LaneReplay;
  private readonly timers: TimerWheel;
  private readonly namespaces = new Map<string, Map<string, Queue>>();
  /** Lanes of others that are recovered and saved with those of queues. */
  private readonly guests = new Set<Lane>();
  private readonly exclusive = new Map<number, Set<Queue>>();
  /** Transactions about a queue's name that are under way. */
  private readonly pending = new Map<string, Promise<unknown>>();
  private readonly acceptingCallbacks = new Set<() => void>();
  private readonly alarms = new Set<'memory' | 'disk'>();
  private blocked = false;
  private closed = false;
  private count = 0;
  private nextId = 1;
  private unsubscribe: Unsubscribe[] = [];

  constructor(options: QueueStoreOptions) {
    const { engine, clock, logger, durability } = options;
    this.options = options;
    this.pool = new BufferPool({ spareBytesMax: SPARE_BUFFER_BYTES });
    this.timers = new TimerWheel(clock, { tickMs: 1 });
    const turn = new Turn({ engine, clock, logger, durability, pool: this.pool });
    this.turn = turn;
    turn.onEnd = () => this.checkAccepting();
    const markPages = new MarkPages();
    this.replay = new LaneReplay({ engine, logger, pages: markPages });
    const message = new Message();
    this.context = {
      running: false,
      engine,
      clock,
      logger,
      turn,
      timers: this.timers,
      laneHost: { engine, markPages, touched: (lane) => turn.touched(lane) },
      message,
      envelopes: new EnvelopeReader(),
      delivery: newDelivery(message),
      deadLetter: (queue, letter, reason) => this.publisher.deadLetter(queue, letter, reason),
      overflowed: (queue) => this.publisher.overflowed(queue),
      discard: (queue, cause) => this.discard(queue, cause),
    };
    this.publisher = new QueuePublisher(this.context);
  }

  // ---- life

  /** What the engine replays while it is opened; false: it belongs to somebody else. */
  replayBatches(log: number, buffer: Buffer, start: number, end: number): boolean {
    return this.replay.onBatches(log, buffer, start, end);
  }

  replayNote(log: number, note: Buffer): boolean {
    return this.replay.onNote(log, note);
  }

  /**
   * Makes the queues that are stored. Call it in the turn in which the engine was opened: a checkpoint that comes first
   * would not have the state of queues in it.
   */
  load(): void {
    const { engine } = this.options;
    for (const { key, value } of engine.meta.range(QUEUE_PREFIX)) {
      const record = decodeQueueRecord(value);
      if (record === null) {
        this.options.logger.error('queue.unreadable', 'a queue is skipped', { key });
        continue;
      }
      const { namespace, name } = parseQueueKey(key);
      const { autoDelete } = record;
      const args = record.arguments;
      const wanted = { namespace, name, durable: true, autoDelete, exclusiveOwner: null };
      const logs = Array.from({ length: record.lanes }, (_, i) => record.firstLog + i);
      const queue = this.make({ ...wanted, arguments: args }, logs);
      for (const lane of queue.lanes) this.restore(lane);
    }
    this.guestLoader?.load();
    this.replay.clear();
    this.unsubscribe.push(
      engine.beforeCheckpoint(() => this.turn.flush()),
      engine.onCheckpoint(() => this.saveSnapshots({ last: false })),
      engine.onDiskState(() => this.diskChanged()),
      engine.onWritable(() => this.checkAccepting()),
    );
    this.diskChanged();
  }

  /** Policies are there now. Reads what has to be read before messages can move: deadlines, and what was not to survive. */
  async prepare(): Promise<void> {
    const { policiesOf } = this.options;
    for (const queues of this.namespaces.values()) {
      for (const queue of queues.values())
        this.applyPolicies(queue, policiesOf?.(queue) ?? NO_POLICIES);
    }
    for (const lane of this.unscanned) await this.scan(lane);
    this.unscanned.length = 0;
    await this.guestLoader?.prepare();
  }

  /** Lets time have its effects: when everything that messages may be routed to is there. */
  start(): void {
    this.context.running = true;
    for (const queues of this.namespaces.values()) {
      for (const queue of queues.values()) queue.started();
    }
  }

  /** A delayed message is due: the router gets it. */
  publishDue(namespace: string, exchange: string, message: Message): void {
    this.publisher.publishDue(namespace, exchange, message);
  }

  /** Where dead letters and due messages go. */
  connect(router: RoutingPort): void {
    this.publisher.router = router;
  }

  /** Appends what is left. Before the engine is closed; what happens to queues afterwards leaves no trace. */
  close(): void {
    if (this.closed) return;
    this.turn.close();
    this.saveSnapshots({ last: true });
    this.closed = true;
    this.timers.close();
  }

  /** As a crash would: what was not appended is lost. */
  abort(): void {
    this.closed = true;
    this.turn.abort();
    this.timers.close();
  }

  /** After the engine was closed. */
  dispose(): void {
    for (const unsubscribe of this.unsubscribe) unsubscribe();
  }

  // ---- messages

  targetSet(queues: readonly QueueView[]): TargetSet {
    const own = queues.map(asQueue);
    return own.length === 1 ? own[0]!.alone : new TargetSet(own);
  }

  publish(targets: object, message: Message): PublishOutcome {
    return this.publisher.publish(targets, message);
  }

  get ticket(): number {
    return this.turn.ticket;
  }

  whenCommitted(ticket: number, listener: CommitListener): void {
    this.turn.whenCommitted(ticket, listener);
  }

  atomically(work: () => void): void {
    this.turn.atomically(work);
  }

  accepting(): boolean {
    const accepting = this.blockedReason === null;
    if (!accepting) this.blocked = true;
    return accepting;
  }

  get blockedReason(): 'memory' | 'disk' | 'storage' | null {
    const { engine, memoryBytesMax } = this.options;
    if (engine.diskState() === 'blocked' || this.alarms.has('disk')) return 'disk';
    if (!engine.writable()) return 'storage';
    if (this.alarms.has('memory')) return 'memory';
    return this.pool.keptBytes >= memoryBytesMax() ? 'memory' : null;
  }

  onAccepting(callback: () => void): () => void {
    const own = (): void => callback();
    this.acceptingCallbacks.add(own);
    return () => void this.acceptingCallbacks.delete(own);
  }

  setAlarm(resource: 'memory' | 'disk', raised: boolean): void {
    if (raised) this.alarms.add(resource);
    else this.alarms.delete(resource);
    this.blocked = true;
    if (!raised) this.checkAccepting();
    else for (const callback of this.acceptingCallbacks) callback();
  }

  get memoryBytes(): number {
    return this.pool.keptBytes;
  }

  get queueCount(): number {
    return this.count;
  }

  // ---- queues

  byName(namespace: string, name: string): Queue | null {
    return this.namespaces.get(namespace)?.get(name) ?? null;
  }

  list(namespace: string): readonly Queue[] {
    const queues = [...(this.namespaces.get(namespace)?.values() ?? [])];
    return queues.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  declare(wanted: NewQueue): Promise<QueueOutcome> | QueueOutcome {
    const { namespace, name } = wanted;
    const pending = this.pending.get(queueKey(namespace, name));
    if (pending !== undefined) return pending.then(() => this.declare(wanted));
    const existing = this.byName(namespace, name);
    if (existing !== null) return compare(wanted, existing);
    const problem = findArgumentProblem(wanted.arguments);
    if (problem !== null) return { status: 'invalid-argument', ...problem };
    const queuesMax = this.options.queuesMax();
    if (this.count + this.pending.size >= queuesMax) {
      const message = `the limit of ${queuesMax} queues (queues.max) is reached`;
      return { status: 'limit', message };
    }
    const namespaceMax = this.options.namespaceQueuesMax?.(namespace) ?? Infinity;
    if ((this.namespaces.get(namespace)?.size ?? 0) >= namespaceMax) {
      const message = `queue limit in namespace '${namespace}' (${namespaceMax}) is reached`;
      return { status: 'limit', message };
    }
    if (isStored(wanted)) return this.createStored(wanted);
    const lanes = mergeSettings(wanted.arguments).maxPriority + 1;
    const logs = new Array<number>(lanes).fill(NO_LOG);
    return { status: 'ok', queue: this.created(this.make(wanted, logs)), created: true };
  }

  async delete(
    namespace: string,
    name: string,
    conditions: { readonly ifUnused?: boolean; readonly ifEmpty?: boolean },
  ): Promise<
    | { readonly status: 'ok'; readonly messages: number }
    | { readonly status: 'unknown' | 'in-use' | 'not-empty' | 'failed' }
  > {
    const queue = this.byName(namespace, name);
    if (queue === null) return { status: 'unknown' };
    if (conditions.ifUnused === true && queue.consumers.length > 0) return { status: 'in-use' };
    if (conditions.ifEmpty === true && queue.ready > 0) return { status: 'not-empty' };
    const messages = this.remove(queue);
    if (!isStored(queue)) return { status: 'ok', messages };
    const done = await this.deleteStored(queue);
    return done ? { status: 'ok', messages } : { status: 'failed' };
  }

  connectionClosed(connectionId: number): void {
    const queues = this.exclusive.get(connectionId);
    if (queues === undefined) return;
    for (const queue of queues) this.remove(queue);
  }

  /** The policies of a queue changed. */
  applyPolicies(queue: QueueView, policies: QueuePolicies): void {
    const own = asQueue(queue);
    if (own.gone) return;
    own.policy = policies.policy?.name ?? null;
    own.operatorPolicy = policies.operatorPolicy?.name ?? null;
    own.applySettings({
      ...settingsOf(own.arguments, policies),
      maxPriority: own.settings.maxPriority,
    });
    this.revision++;
  }

  // ---- inside

  private make(wanted: NewQueue, logs: readonly number[]): Queue {
    const policies = this.options.policiesOf?.(wanted) ?? NO_POLICIES;
    const settings = settingsOf(wanted.arguments, policies);
    const queue = new Queue(this.context, { ...wanted, id: this.nextId++, settings, logs });
    queue.policy = policies.policy?.name ?? null;
    queue.operatorPolicy = policies.operatorPolicy?.name ?? null;
    let queues = this.namespaces.get(queue.namespace);
    if (queues === undefined) {
      queues = new Map();
      this.namespaces.set(queue.namespace, queues);
    }
    queues.set(queue.name, queue);
    this.count++;
    this.revision++;
    const { exclusiveOwner } = queue;
    if (exclusiveOwner !== null) {
      const owned = this.exclusive.get(exclusiveOwner);
      if (owned === undefined) this.exclusive.set(exclusiveOwner, new Set([queue]));
      else owned.add(queue);
    }
    return queue;
  }

  private created(queue: Queue): Queue {
    queue.started();
    this.options.events.emit('queue-created', { queue });
    return queue;
  }

  private createStored(wanted: NewQueue): Promise<QueueOutcome> {
    const key = queueKey(wanted.namespace, wanted.name);
    const creation = this.createStoredNow(key, wanted);
    this.pending.set(key, creation);
    return creation.finally(() => this.pending.delete(key));
  }

  /** Never rejects. */
  private async createStoredNow(key: string, wanted: NewQueue): Promise<QueueOutcome> {
    const { engine, durability, logger } = this.options;
    const { namespace, name, autoDelete } = wanted;
    const lanes = mergeSettings(wanted.arguments).maxPriority + 1;
    try {
      const firstLog = await engine.allocateLogIds(lanes);
      const logs = Array.from({ length: lanes }, (_, i) => firstLog + i);
      const record = { firstLog, lanes, autoDelete, arguments: wanted.arguments };
      const spec = {
        durability,
        retentionMs: Infinity,
        retentionBytes: Infinity,
        segmentBytes: SEGMENT_BYTES,
      };
      const { succeeded } = await engine.meta.txn({
        compares: [{ key, modRevision: 0 }],
        then: [{ op: 'put', key, value: encodeQueueRecord(record) }],
        createLogs: logs.map((id, lane) => ({
          id,
          name: `queue/${namespace}/${name}/${lane}`,
          spec,
        })),
      });
      if (!succeeded) return { status: 'failed', message: 'the queue is being changed elsewhere' };
      return { status: 'ok', queue: this.created(this.make(wanted, logs)), created: true };
    } catch (error) {
      logger.error('queue.create-failed', 'a queue could not be stored', {
        namespace,
        name,
        error,
      });
      return { status: 'failed', message: 'the queue could not be stored' };
    }
  }

  /** Takes it out of memory; returns how many messages it had. */
  private remove(queue: Queue): number {
    const { namespace, name, exclusiveOwner } = queue;
    this.namespaces.get(namespace)?.delete(name);
    this.count--;
    this.revision++;
    if (exclusiveOwner !== null) {
      const owned = this.exclusive.get(exclusiveOwner);
      owned?.delete(queue);
      if (owned?.size === 0) this.exclusive.delete(exclusiveOwner);
    }
    const messages = queue.end();
    this.options.events.emit('queue-deleted', { queue });
    return messages;
  }

  /** Never rejects; false when the queue may be there again after a restart. */
  private deleteStored(queue: Queue): Promise<boolean> {
    const { engine, logger } = this.options;
    const { namespace, name } = queue;
    const key = queueKey(namespace, name);
    const deleteLogs = queue.lanes.map(({ log }) => log);
    const deletion = engine.meta.txn({ then: [{ op: 'delete', key }], deleteLogs }).then(
      () => true,
      (error: unknown) => {
        logger.error('queue.delete-failed', 'a deleted queue may come back', {
          namespace,
          name,
          error,
        });
        return false;
      },
    );
    this.pending.set(key, deletion);
    return deletion.finally(() => this.pending.delete(key));
  }

  private discard(queue: Queue, cause: 'auto-delete' | 'expired'): void {
    if (queue.gone) return;
    const { namespace, name } = queue;
    this.options.logger.info('queue.discarded', `queue ${name} is deleted: ${cause}`, {
      namespace,
    });
    this.remove(queue);
    if (isStored(queue)) void this.deleteStored(queue);
  }

  /** A lane of somebody else: recovered when load() is under way, saved with those of queues. */
  addGuest(log: number, owner: LaneOwner, options: { readonly restore: boolean }): Lane {
    const lane = new Lane(this.context.laneHost, owner, log);
    this.guests.add(lane);
    const bounds = options.restore ? this.options.engine.bounds(log) : null;
    if (bounds !== null) lane.restore(this.replay.take(log), bounds.pendingEnd);
    return lane;
  }

  removeGuest(lane: Lane): void {
    this.guests.delete(lane);
    lane.drop();
    this.turn.forget(lane);
  }

  private restore(lane: Lane): void {
    const { engine } = this.options;
    const image = this.replay.take(lane.log);
    const bounds = engine.bounds(lane.log);
    if (bounds === null) return;
    lane.restore(image, Math.max(bounds.committedEnd, bounds.pendingEnd));
    const vanishing = lane.live > 0 && lane.persistentCount < lane.live;
    if (!vanishing && image.deadlineCount === 0) return;
    if (lane.persistentCount <= 0) {
      lane.purge();
      return;
    }
    this.unscanned.push(lane);
  }

  /** Finds the deadlines of what is there, and drops what was not to survive a restart. */
  private async scan(lane: Lane): Promise<void> {
    const vanished: number[] = [];
    await new LaneReads(this.turn).scan(lane, (window) => {
      const flags = window.buffer[window.keyStart]!;
      const bytes = window.valueEnd - window.valueStart;
      if ((flags & ENVELOPE.persistent) === 0) {
        vanished.push(window.offset, bytes);
      } else if ((flags & ENVELOPE.ttl) !== 0) {
        window.read(this.context.message, this.context.envelopes);
        const deadline = window.timestamp + this.context.message.ttlMs;
        lane.addDeadline(deadline, window.offset, packMark(bytes, true));
      }
      return true;
    });
    for (let i = 0; i < vanished.length; i += 2) {
      lane.settleWaiting(vanished[i]!, packMark(vanished[i + 1]!, false));
    }
  }

  private saveSnapshots(options: { readonly last: boolean }): void {
    if (this.closed) return;
    const notes = new LaneNotes();
    const { snapshots } = this.options.engine;
    const save = (lane: Lane): void => {
      const differs = lane.changed || (options.last && lane.announcesTooMuch);
      if (!differs || lane.log === NO_LOG) return;
      lane.changed = false;
      snapshots.save(lane.log, notes.snapshot(lane, options));
    };
    for (const lane of this.guests) save(lane);
    for (const queues of this.namespaces.values()) {
      for (const queue of queues.values()) {
        for (const lane of queue.lanes) save(lane);
      }
    }
  }

  private diskChanged(): void {
    this.publisher.refusing = this.options.engine.diskState() === 'blocked';
    if (!this.publisher.refusing) this.turn.retry();
    this.checkAccepting();
  }

  private checkAccepting(): void {
    if (!this.blocked) return;
    const nearlyFull = this.pool.keptBytes >= this.options.memoryBytesMax() * 0.9;
    if (nearlyFull || this.blockedReason !== null) return;
    this.blocked = false;
    for (const callback of this.acceptingCallbacks) callback();
  }
}

/** Exclusive queues go with their connection: there is nothing to keep. */
function isStored(queue: Pick<NewQueue, 'durable' | 'exclusiveOwner'>): boolean {
  return queue.durable && queue.exclusiveOwner === null;
}

function asQueue(queue: QueueView): Queue {
  if (queue instanceof Queue) return queue;
  throw new TypeError('a queue of another registry');
}

function settingsOf(args: Arguments, { policy, operatorPolicy }: QueuePolicies): Queue['settings'] {
  return mergeSettings(args, policy?.definition, operatorPolicy?.definition);
}

function newDelivery(message: Message): MutableDelivery {
  const queue = null as unknown as QueueView; // Set before anybody sees it.
  return { queue, message, ref: 0, bytes: 0, redelivered: false, returns: 0 };
}

/** What declaring a queue that exists comes to. */
function compare(wanted: NewQueue, queue: Queue): QueueOutcome {
  const owner = queue.exclusiveOwner;
  if (owner !== null && owner !== wanted.exclusiveOwner) return { status: 'locked', queue };
  const differs = (property: string, received: unknown, current: unknown): QueueOutcome => ({
    status: 'inequivalent',
    queue,
    property,
    received: String(received),
    current: String(current),
  });
  if (wanted.durable !== queue.durable) return differs('durable', wanted.durable, queue.durable);
  if (wanted.autoDelete !== queue.autoDelete) {
    return differs('auto_delete', wanted.autoDelete, queue.autoDelete);
  }
  if ((wanted.exclusiveOwner !== null) !== (owner !== null)) {
    return differs('exclusive', wanted.exclusiveOwner !== null, owner !== null);
  }
  const difference = findDifference(wanted.arguments, queue.arguments);
  if (difference !== null) return { status: 'inequivalent', queue, ...difference };
  queue.used();
  return { status: 'ok', queue, created: false };
}
