import { randomUuid, type Random } from '../../base/random.ts';
import type { LogEngine, Unsubscribe } from '../../storage/types.ts';
import type { MetaEntry, MetaTxn } from '../../storage/meta-store.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { EventBus } from '../events.ts';
import type { MetadataImage } from '../metadata-image.ts';
import type { PartitionHost } from '../partition/partition.ts';
import type { NewTopic, TopicConfig, TopicOutcome, TopicRegistry, TopicView } from '../types.ts';
import { TopicCatalog } from './topic-catalog.ts';
import { collisionKey, findNameDefect } from './topic-name.ts';
import {
  TOPIC_PREFIX,
  decodeTopicRecord,
  encodeTopicRecord,
  logsFrom,
  parseTopicKey,
  partitionCountOf,
  topicKey,
  type TopicRecord,
} from './topic-record.ts';
import { Topic, logSpecOf, newPartitionLogs } from './topic.ts';

/** Changes of one topic by others that are waited out before a change gives up with 'busy'. */
const ATTEMPTS_MAX = 10;

export interface TopicStoreOptions {
  readonly engine: LogEngine;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: EventBus;
  readonly partitionHost: PartitionHost;
  readonly topicsMax: () => number;
  readonly partitionsMax: () => number;
}

/**
 * The topics of a broker, kept in the metadata store. Each change is one transaction, its logs included; what exists
 * changes when the store tells so, whoever made the change.
 */
export class TopicStore implements TopicRegistry {
  private readonly options: TopicStoreOptions;
  private readonly catalog = new TopicCatalog();
  /** Creations under way, by the name that must stay free meanwhile. */
  private readonly creating = new Map<string, Promise<TopicOutcome>>();
  private creatingPartitions = 0;
  private unwatch: Unsubscribe | null = null;

  constructor(options: TopicStoreOptions) {
    this.options = options;
  }

  get revision(): number {
    return this.catalog.revision;
  }

  /** Reads what exists; call it once, when the engine is open. */
  load(): void {
    const { meta } = this.options.engine;
    for (const entry of meta.range(TOPIC_PREFIX)) this.apply(entry.key, entry.value, false);
    this.unwatch = meta.watch(TOPIC_PREFIX, (event) => this.apply(event.key, event.value, true));
  }

  close(): void {
    this.unwatch?.();
    this.unwatch = null;
  }

  image(): MetadataImage {
    return this.catalog.image();
  }

  byName(namespace: string, name: string): Topic | null {
    return this.catalog.byName(namespace, name);
  }

  byId(id: Buffer): Topic | null {
    return this.catalog.byId(id);
  }

  list(namespace: string): readonly TopicView[] {
    return this.catalog.list(namespace);
  }

  check(topic: NewTopic): TopicOutcome['status'] | null {
    return this.findObstacle(topic)?.status ?? null;
  }

  async create(topic: NewTopic): Promise<TopicOutcome> {
    const { namespace, name } = topic;
    const pendingKey = `${namespace}/${collisionKey(name) ?? name}`;
    for (;;) {
      const obstacle = this.findObstacle(topic);
      if (obstacle !== null) return obstacle;
      const pending = this.creating.get(pendingKey);
      if (pending === undefined) break;
      await pending;
    }
    const creation = this.createNow(topic);
    this.creating.set(pendingKey, creation);
    this.creatingPartitions += topic.partitions;
    try {
      return await creation;
    } finally {
      this.creating.delete(pendingKey);
      this.creatingPartitions -= topic.partitions;
    }
  }

  async delete(namespace: string, name: string): Promise<TopicOutcome> {
    return this.change(namespace, name, (topic, entry) =>
      Promise.resolve({
        compares: [{ key: entry.key, modRevision: entry.modRevision }],
        then: [{ op: 'delete', key: entry.key }],
        deleteLogs: logsFrom(topic.record, 0),
      }),
    );
  }

  async setPartitionCount(namespace: string, name: string, total: number): Promise<TopicOutcome> {
    return this.change(namespace, name, async (topic, entry) => {
      const current = partitionCountOf(topic.record);
      const added = total - current;
      if (!(added > 0)) {
        const message = `the topic has ${current} partitions already; ${total} would not be more`;
        return { status: 'invalid-partitions', message };
      }
      const full = this.findPartitionLimit(added);
      if (full !== null) return full;
      const first = await this.options.engine.allocateLogIds(added);
      const record = { ...topic.record, logs: [...topic.record.logs, { first, count: added }] };
      const createLogs = newPartitionLogs(
        topic,
        logsFrom(record, current),
        current,
        logSpecOf(record.config),
      );
      return { ...put(entry, record), createLogs };
    });
  }

  async alterConfig(
    namespace: string,
    name: string,
    config: TopicConfig,
    overrides: Readonly<Record<string, string>>,
  ): Promise<TopicOutcome> {
    return this.change(namespace, name, (topic, entry) => {
      const record = { ...topic.record, config, overrides };
      const spec = logSpecOf(config);
      const alterLogs = logsFrom(record, 0).map((id) => ({ id, spec }));
      return Promise.resolve({ ...put(entry, record), alterLogs });
    });
  }

  private findObstacle(topic: NewTopic): Exclude<TopicOutcome, { status: 'ok' }> | null {
    const { namespace, name, partitions } = topic;
    const defect = findNameDefect(name);
    if (defect !== null) {
      return { status: 'invalid-name', message: `the topic name is invalid: ${defect}` };
    }
    if (this.catalog.byName(namespace, name) !== null) return { status: 'exists' };
    const other = this.catalog.collidingName(namespace, name);
    if (other !== null) {
      const message = `the topic name '${name}' collides with the existing topic '${other}'`;
      return { status: 'invalid-name', message };
    }
    if (!Number.isSafeInteger(partitions) || partitions < 1) {
      return { status: 'invalid-partitions', message: 'a topic has at least one partition' };
    }
    const topicsMax = this.options.topicsMax();
    if (this.catalog.topicCount + this.creating.size >= topicsMax) {
      return {
        status: 'limit',
        message: `the limit of ${topicsMax} topics (topics.max) is reached`,
      };
    }
    return this.findPartitionLimit(partitions);
  }

  private findPartitionLimit(added: number): Exclude<TopicOutcome, { status: 'ok' }> | null {
    const partitionsMax = this.options.partitionsMax();
    const used = this.catalog.partitionCount + this.creatingPartitions;
    if (used + added <= partitionsMax) return null;
    const message = `${added} more partitions would exceed the limit of ${partitionsMax} (partitions.max)`;
    return { status: 'limit', message };
  }

  /** Never rejects. */
  private async createNow(topic: NewTopic): Promise<TopicOutcome> {
    const { engine, random } = this.options;
    const { namespace, name, partitions, config, overrides } = topic;
    const key = topicKey(namespace, name);
    try {
      const first = await engine.allocateLogIds(partitions);
      const record: TopicRecord = {
        id: randomUuid(random),
        logs: [{ first, count: partitions }],
        config,
        overrides,
        internal: false,
      };
      const { succeeded } = await engine.meta.txn({
        compares: [{ key, modRevision: 0 }],
        then: [{ op: 'put', key, value: encodeTopicRecord(record) }],
        createLogs: newPartitionLogs(topic, logsFrom(record, 0), 0, logSpecOf(config)),
      });
      const created = this.current(namespace, name);
      if (!succeeded || created === null) return { status: 'exists' };
      return { status: 'ok', topic: created };
    } catch (error) {
      return this.failed('create', name, error);
    }
  }

  /** Changes a topic with one transaction, again from the start when somebody else changed it meanwhile. */
  private async change(
    namespace: string,
    name: string,
    plan: (topic: Topic, entry: MetaEntry) => Promise<MetaTxn | TopicOutcome>,
  ): Promise<TopicOutcome> {
    const { meta } = this.options.engine;
    try {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        const topic = this.current(namespace, name);
        const entry = meta.get(topicKey(namespace, name));
        if (topic === null || entry === null) return { status: 'unknown' };
        const planned = await plan(topic, entry);
        if ('status' in planned) return planned;
        const { succeeded } = await meta.txn(planned);
        if (!succeeded) continue;
        this.current(namespace, name);
        return { status: 'ok', topic };
      }
      return { status: 'busy' };
    } catch (error) {
      return this.failed('change', name, error);
    }
  }

  private failed(what: string, name: string, error: unknown): TopicOutcome {
    this.options.logger.warn('topic.change-failed', `could not ${what} a topic`, { name, error });
    return { status: 'failed', message: error instanceof Error ? error.message : String(error) };
  }

  /** The topic as the store has it now. */
  private current(namespace: string, name: string): Topic | null {
    const key = topicKey(namespace, name);
    this.apply(key, this.options.engine.meta.get(key)?.value ?? null, true);
    return this.catalog.byName(namespace, name);
  }

  /** Takes over what the store says of a key; nothing happens when that is known already. */
  private apply(key: string, value: string | null, tell: boolean): void {
    const { logger, events, partitionHost } = this.options;
    const { namespace, name } = parseTopicKey(key);
    const known = this.catalog.byName(namespace, name);
    if (value === this.catalog.valueOf(namespace, name)) return;
    let record: TopicRecord | null = null;
    try {
      if (value !== null) record = decodeTopicRecord(value);
    } catch (error) {
      logger.error('topic.record-unreadable', 'a topic is left out: its record cannot be read', {
        key,
        error,
      });
      return;
    }
    if (known !== null && (record === null || !record.id.equals(known.id))) {
      this.catalog.remove(known);
      known.retire();
      for (const log of logsFrom(known.record, 0)) partitionHost.states.drop(log);
      if (tell) events.emit('topic-deleted', { topic: known.info });
    }
    if (record === null || value === null) return;
    if (known === null || !record.id.equals(known.id)) {
      const topic = new Topic(partitionHost, { namespace, name }, record);
      this.catalog.put(topic, value);
      if (tell) events.emit('topic-created', { topic: topic.info });
      return;
    }
    const previousCount = known.partitionCount;
    known.update(record);
    this.catalog.put(known, value);
    if (!tell) return;
    const grown = known.partitionCount > previousCount;
    if (grown) events.emit('partitions-added', { topic: known.info, previousCount });
    else events.emit('config-changed', { topic: known.info });
  }
}

function put(entry: MetaEntry, record: TopicRecord): MetaTxn {
  return {
    compares: [{ key: entry.key, modRevision: entry.modRevision }],
    then: [{ op: 'put', key: entry.key, value: encodeTopicRecord(record) }],
  };
}
