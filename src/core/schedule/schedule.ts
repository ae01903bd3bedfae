import type { Durability, LogEngine } from '../../storage/types.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type Message, Message as StoredMessage, copyMessage } from '../message/message.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { NamespaceSchedule, LANES } from './namespace-schedule.ts';

const META_PREFIX = 'schedules/';
const SEGMENT_BYTES = 64 << 20;

export interface ScheduleOptions {
  readonly engine: LogEngine;
  readonly logger: Logger;
  readonly store: QueueStore;
  readonly durability: Durability;
  readonly messagesMax: () => number;
}

/** What became of a message that was to be delayed. Reused. */
export interface DeferOutcome {
  accepted: number;
  rejected: boolean;
}

/** A message that waits. Valid during the call. */
export interface DelayedMessage {
  /** Names it in its namespace until it is due. */
  readonly id: number;
  readonly dueMs: number;
  /** Who routes it then. */
  readonly exchange: string;
  readonly message: Message;
}

/** A message that came before its namespace had logs. */
interface Early {
  readonly exchange: string;
  readonly message: Message;
  readonly dueMs: number;
}

/** Messages that are routed later: durable when they are persistent, in order of time, and cancellable. */
export class Schedule {
  private readonly options: ScheduleOptions;
  private readonly namespaces = new Map<string, NamespaceSchedule>();
  private readonly early = new Map<string, Early[]>();
  private readonly outcome: DeferOutcome = { accepted: 0, rejected: false };

  constructor(options: ScheduleOptions) {
    this.options = options;
    options.store.guestLoader = this;
  }

  /** Messages that wait. */
  get count(): number {
    let count = 0;
    for (const namespace of this.namespaces.values()) count += namespace.count;
    for (const list of this.early.values()) count += list.length;
    return count;
  }

  /** Keeps a copy of the message for message.delayMs; then the exchange routes it. */
  defer(namespace: string, exchange: string, message: Message): DeferOutcome {
    const { outcome, options } = this;
    const { turn } = options.store;
    const full = this.count >= options.messagesMax();
    const refused = full || (message.persistent && options.engine.diskState() === 'blocked');
    outcome.accepted = refused ? 0 : 1;
    outcome.rejected = refused;
    if (refused) return outcome;
    const dueMs = turn.nowMs + Math.max(0, message.delayMs);
    const schedule = this.namespaces.get(namespace);
    if (schedule === undefined) this.deferEarly(namespace, { exchange, message, dueMs });
    else schedule.add(exchange, message, dueMs);
    return outcome;
  }

  /** Takes a message back that is not due yet; false when there is none (any more). */
  cancel(namespace: string, id: number): Promise<boolean> {
    return this.namespaces.get(namespace)?.cancel(id) ?? Promise.resolve(false);
  }

  /** Visits what waits, until visit says false; ordered within each magnitude of delay by when it came. */
  async list(namespace: string, visit: (delayed: DelayedMessage) => boolean): Promise<void> {
    await this.namespaces.get(namespace)?.list(visit);
  }

  load(): void {
    for (const { key, value } of this.options.engine.meta.range(META_PREFIX)) {
      const namespace = decodeURIComponent(key.slice(META_PREFIX.length));
      const firstLog: unknown = (JSON.parse(value) as { firstLog?: unknown }).firstLog;
      if (typeof firstLog === 'number') this.make(namespace, firstLog, { restore: true });
    }
  }

  /** Finds the deadlines of what was stored. */
  async prepare(): Promise<void> {
    for (const namespace of this.namespaces.values()) await namespace.load();
  }

  /** Lets time have its effects: when exchanges are there. */
  start(): void {
    for (const namespace of this.namespaces.values()) namespace.start();
  }

  close(): void {
    for (const namespace of this.namespaces.values()) namespace.close();
  }

  /** Everything that waits in the namespace is forgotten. Resolves when that is durable. */
  async dropNamespace(namespace: string): Promise<void> {
    const schedule = this.namespaces.get(namespace);
    if (schedule === undefined) return;
    this.namespaces.delete(namespace);
    const deleteLogs = schedule.logs;
    schedule.drop();
    const key = META_PREFIX + encodeURIComponent(namespace);
    await this.options.engine.meta.txn({ then: [{ op: 'delete', key }], deleteLogs });
  }

  private make(
    namespace: string,
    firstLog: number,
    options: { readonly restore: boolean },
  ): NamespaceSchedule {
    const { store, logger } = this.options;
    const schedule = new NamespaceSchedule({ store, logger, namespace, firstLog, ...options });
    this.namespaces.set(namespace, schedule);
    return schedule;
  }

  /** The first message of a namespace makes its logs; until they are there, no ticket is told as committed. */
  private deferEarly(namespace: string, { exchange, message, dueMs }: Early): void {
    const kept = new StoredMessage();
    copyMessage(message, kept);
    kept.body = Buffer.from(message.body.subarray(message.bodyStart, message.bodyEnd));
    kept.bodyStart = 0;
    kept.bodyEnd = kept.body.length;
    const { properties, propertiesStart, propertiesEnd } = message;
    kept.properties = Buffer.from(properties.subarray(propertiesStart, propertiesEnd));
    kept.propertiesStart = 0;
    kept.propertiesEnd = kept.properties.length;
    const early = { exchange, message: kept, dueMs };
    const waiting = this.early.get(namespace);
    if (waiting !== undefined) {
      waiting.push(early);
      return;
    }
    this.early.set(namespace, [early]);
    this.options.store.turn.postpone();
    void this.create(namespace);
  }

  /** Never rejects. */
  private async create(namespace: string): Promise<void> {
    const { engine, store, logger, durability } = this.options;
    const key = META_PREFIX + encodeURIComponent(namespace);
    try {
      const firstLog = await engine.allocateLogIds(LANES);
      const spec = {
        durability,
        retentionMs: Infinity,
        retentionBytes: Infinity,
        segmentBytes: SEGMENT_BYTES,
      };
      const createLogs = Array.from({ length: LANES }, (_, lane) => ({
        id: firstLog + lane,
        name: `schedule/${namespace}/${lane}`,
        spec,
      }));
      const { succeeded } = await engine.meta.txn({
        compares: [{ key, modRevision: 0 }],
        then: [{ op: 'put', key, value: JSON.stringify({ firstLog }) }],
        createLogs,
      });
      if (!succeeded) throw new Error('the schedule was made by somebody else');
      const schedule = this.make(namespace, firstLog, { restore: false });
      schedule.start();
      for (const { exchange, message, dueMs } of this.early.get(namespace) ?? []) {
        schedule.add(exchange, message, dueMs);
      }
    } catch (error) {
      // As when an append fails: the publishers are told that the outcome is unknown.
      const failure = error instanceof Error ? error : new Error(String(error));
      logger.error('schedule.failed', 'messages cannot be delayed', { namespace, error });
      store.turn.fail(failure);
    }
    this.early.delete(namespace);
    store.turn.resume();
  }
}
