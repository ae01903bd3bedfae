import assert from 'node:assert/strict';
import type { Clock, Timer } from '../base/clock.ts';
import { LyrebirdError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { TaskGroup } from '../base/task-group.ts';
import { TimerWheel } from '../base/timer-wheel.ts';
import type { Authorizer } from '../security/authorizer.ts';
import type { Security, SecurityOptions } from '../security/security.ts';
import type {
  Durability,
  Identity,
  LogEngine,
  ReplayVisitor,
  Unsubscribe,
} from '../storage/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { MetricFamily, MetricSource } from '../telemetry/metric-family.ts';
import type { Broker } from './broker.ts';
import { EventBus } from './events.ts';
import {
  createGroupCoordinator,
  type CoordinatorOptions,
  type OwnedGroupCoordinator,
} from './group/index.ts';
import { Limits } from './limits.ts';
import { deleteContents } from './namespace/delete-contents.ts';
import type { NamespaceStore } from './namespace/namespace-store.ts';
import { Tenancy } from './namespace/tenancy.ts';
import type { Usage } from './namespace/usage.ts';
import type { ParameterStore } from './parameters/parameter-store.ts';
import { PartitionStates } from './partition/partition-states.ts';
import { PolicyApplier, queuePolicies } from './policy/policy-applier.ts';
import type { PolicyStore } from './policy/policy-store.ts';
import { PropertiesReaders } from './message/properties.ts';
import { ProducerIds } from './producer-ids.ts';
import { QueueStore } from './queue/queue-store.ts';
import { Schedule } from './schedule/schedule.ts';
import { QuotaRegistry } from './quota/quota-registry.ts';
import { createRouter } from './routing/create-router.ts';
import type { MessageRouter } from './routing/router.ts';
import { SettingsStore } from './settings.ts';
import { TopicStore } from './topic/topic-store.ts';

export interface CoreBrokerOptions {
  /** Values of limits by name; see limits.ts. */
  readonly limits?: Readonly<Record<string, number>>;
  readonly groups?: Partial<CoordinatorOptions>;
  readonly queues?: {
    /** Of durable queues. Default 'fsync'. */
    readonly durability?: Durability;
  };
  readonly security?: Partial<SecurityOptions>;
}

export interface CoreBrokerDependencies {
  /** Not open yet: the broker opens and closes it. */
  readonly engine: LogEngine;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Default: the users' permissions decide, and whoever did not authenticate may do everything. */
  readonly authorizer?: Authorizer;
  readonly options?: CoreBrokerOptions;
}

/** How often producers are looked through for those that expired. */
const PRODUCER_EXPIRY_INTERVAL_MS = 600_000;

/**
 * The broker without protocols, composed on an engine. Life: open(), then use, then close(). Nothing is shared
 * between brokers of one process.
 */
export class CoreBroker implements Broker, MetricSource {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly engine: LogEngine;
  readonly authorizer: Authorizer;
  readonly events: EventBus;
  readonly limits: Limits;
  readonly timers: TimerWheel;
  readonly tasks: TaskGroup;
  readonly topics: TopicStore;
  readonly groups: OwnedGroupCoordinator;
  readonly queues: QueueStore;
  readonly router: MessageRouter;
  readonly schedule: Schedule;
  readonly messages: PropertiesReaders;
  readonly settings: SettingsStore;
  readonly quotas: QuotaRegistry;
  readonly security: Security;
  readonly namespaces: NamespaceStore;
  readonly usage: Usage;
  readonly policies: PolicyStore;
  readonly parameters: ParameterStore;
  private readonly tenancy: Tenancy;
  private readonly policyApplier: PolicyApplier;
  private readonly states: PartitionStates;
  private readonly producerIds: ProducerIds;
  private readonly unsubscribe: Unsubscribe[] = [];
  private identity: Identity | null = null;
  private expiryTimer: Timer | null = null;
  private closing: Promise<void> | null = null;

  constructor(dependencies: CoreBrokerDependencies) {
    const { engine, clock, random, logger, authorizer, options = {} } = dependencies;
    this.engine = engine;
    this.clock = clock;
    this.random = random;
    this.logger = logger;
    this.events = new EventBus(logger);
    const limits = new Limits(options.limits);
    this.limits = limits;
    this.timers = new TimerWheel(clock);
    this.tasks = new TaskGroup((task, error) => {
      logger.error('broker.task-failed', 'background work failed', { task, error });
    });
    this.states = new PartitionStates({
      engine,
      clock,
      logger,
      producersPerPartitionMax: () => limits.get('producersPerPartition'),
      producerExpirationMs: () => limits.get('producerExpiration'),
    });
    this.topics = new TopicStore({
      engine,
      random,
      logger,
      events: this.events,
      partitionHost: {
        engine,
        clock,
        states: this.states,
        decompressedBytesMax: () => limits.get('decompressedBatch'),
      },
      topicsMax: () => limits.get('topics'),
      partitionsMax: () => limits.get('partitions'),
    });
    this.settings = new SettingsStore(engine.meta, this.events);
    this.quotas = new QuotaRegistry({
      meta: engine.meta,
      clock,
      logger,
      events: this.events,
      bucketsMax: () => limits.get('quotaBuckets'),
    });
    const security = options.security ?? {};
    const { events } = this;
    this.tenancy = new Tenancy({ meta: engine.meta, clock, random, logger, events, security });
    ({
      namespaces: this.namespaces,
      security: this.security,
      usage: this.usage,
      policies: this.policies,
      parameters: this.parameters,
    } = this.tenancy);
    this.authorizer = authorizer ?? this.security.authorizer;
    this.namespaces.addCleaner((namespace) => this.deleteContents(namespace));
    this.messages = new PropertiesReaders();
    this.queues = this.newQueueStore(options.queues?.durability ?? 'fsync');
    this.policyApplier = new PolicyApplier({ policies: this.policies, target: this.queues, clock });
    this.schedule = this.newSchedule(options.queues?.durability ?? 'fsync');
    this.router = this.newRouter();
    this.producerIds = new ProducerIds(engine.meta);
    this.groups = createGroupCoordinator({
      engine,
      clock,
      random,
      logger,
      topics: this.topics,
      onEvent: (event) => this.events.emit('group', event),
      ...(options.groups === undefined ? {} : { options: options.groups }),
    });
  }

  get clusterId(): string {
    assert(this.identity !== null, 'the broker is open');
    return this.identity.clusterId.toString('base64url');
  }

  get nodeId(): number {
    assert(this.identity !== null, 'the broker is open');
    return this.identity.nodeId;
  }

  /** Recovers storage and state; resolves when the broker can be used. Rejects as LogEngine.open does. */
  async open(): Promise<void> {
    const { engine, states, groups, queues, events } = this;
    this.unsubscribe.push(engine.onCheckpoint(() => states.checkpoint()));
    const visitor: ReplayVisitor = {
      onBatches: (log, buffer, start, end) => {
        if (!queues.replayBatches(log, buffer, start, end)) states.replay(log, buffer, start, end);
      },
      onNote: (log, note) => {
        if (!queues.replayNote(log, note)) groups.replayNote(log, note);
      },
    };
    this.identity = await engine.open(visitor);
    queues.load();
    this.topics.load();
    this.settings.load();
    this.quotas.load();
    // In the turn in which the engine opened: a checkpoint before it would forget what was replayed of groups.
    groups.restore();
    await this.tenancy.load();
    await queues.prepare();
    this.router.load();
    // Only now: what is due by then finds its way.
    queues.start();
    this.schedule.start();
    this.unsubscribe.push(
      events.on('topic-deleted', ({ topic }) => groups.topicDeleted(topic.id)),
      events.on('policies-changed', ({ namespace }) => this.policyApplier.changed(namespace)),
      engine.onDiskState((state) => events.emit('disk-state', { state })),
      // Whoever owns the log next appends to it: what is known here of its producers grows old.
      engine.onOwnership((log, change) => {
        if (change === 'lost') states.drop(log);
      }),
    );
    this.scheduleProducerExpiry();
    this.tasks.run('delete-namespaces', () => this.namespaces.resumeDeletions());
  }

  /** drain: what was accepted becomes durable first. abort: as a crash would. Idempotent. */
  close(mode: 'drain' | 'abort'): Promise<void> {
    this.closing ??= this.closeNow(mode);
    return this.closing;
  }

  async allocateProducerId(): Promise<number> {
    if (this.closing !== null) throw new LyrebirdError('LB3001', 'the broker is closed');
    return this.producerIds.allocate();
  }

  *metrics(): Iterable<MetricFamily> {
    const { topicCount, partitionCount } = this.topics.image();
    yield gauge('lyrebird_topics', 'Topics that exist.', topicCount);
    yield gauge('lyrebird_partitions', 'Partitions of all topics.', partitionCount);
    const producers = this.states.producerCounts();
    yield gauge(
      'lyrebird_producers',
      'Idempotent producers remembered, over all partitions.',
      producers.total,
    );
    yield gauge(
      'lyrebird_partition_producers_max',
      'Idempotent producers remembered by the partition that has most.',
      producers.largest,
    );
    yield gauge(
      'lyrebird_quota_buckets',
      'Clients whose rates are being metered.',
      this.quotas.bucketCount,
    );
    yield gauge('lyrebird_queues', 'Queues that exist.', this.queues.queueCount);
    yield gauge(
      'lyrebird_queue_memory_bytes',
      'Memory of messages in queues that are not durable.',
      this.queues.memoryBytes,
    );
    yield gauge(
      'lyrebird_delayed_messages',
      'Messages that wait for their time.',
      this.schedule.count,
    );
    yield gauge('lyrebird_exchanges', 'Exchanges that exist.', this.router.exchangeCount);
    yield gauge('lyrebird_bindings', 'Bindings that exist.', this.router.bindingCount);
    yield* this.groups.metrics();
    yield gauge('lyrebird_timeouts', 'Timeouts that wait.', this.timers.size);
  }

  private newRouter(): MessageRouter {
    const { engine, random, logger, events, limits, messages, topics, queues, policies } = this;
    const router = createRouter({
      engine,
      random,
      logger,
      events,
      limits,
      readers: messages,
      topics,
      queues,
      schedule: this.schedule,
      policies,
    });
    queues.connect(router);
    this.namespaces.addCleaner((namespace) => router.dropNamespace(namespace));
    this.namespaces.addCleaner((namespace) => this.schedule.dropNamespace(namespace));
    return router;
  }

  private newSchedule(durability: Durability): Schedule {
    const { engine, logger, queues: store, limits } = this;
    const messagesMax = (): number => limits.get('delayedMessages');
    return new Schedule({ engine, logger, store, durability, messagesMax });
  }

  private newQueueStore(durability: Durability): QueueStore {
    const { engine, clock, logger, events, limits, policies, namespaces } = this;
    return new QueueStore({
      engine,
      clock,
      logger,
      events,
      durability,
      queuesMax: () => limits.get('queues'),
      namespaceQueuesMax: (name) => namespaces.get(name)?.limits.maxQueues ?? Infinity,
      memoryBytesMax: () => limits.get('queueMemory'),
      policiesOf: (queue) => queuePolicies(policies, queue),
    });
  }

  private async closeNow(mode: 'drain' | 'abort'): Promise<void> {
    this.expiryTimer?.cancel();
    this.timers.close();
    this.policyApplier.close();
    await this.tasks.close();
    this.schedule.close();
    if (mode === 'drain') this.queues.close();
    else this.queues.abort();
    await this.engine.close(mode);
    // Only now: a drain ends with a checkpoint that saves the state of groups and partitions.
    this.groups.close();
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    this.queues.dispose();
    this.router.close();
    this.topics.close();
    this.settings.close();
    this.quotas.close();
    this.tenancy.close();
  }

  /** Deletes what core has of a namespace, besides its records. */
  private async deleteContents(namespace: string): Promise<void> {
    const { queues, topics } = this;
    const namesOf = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name);
    await deleteContents('queue', namesOf(queues.list(namespace)), (name) =>
      queues.delete(namespace, name, {}),
    );
    await deleteContents('topic', namesOf(topics.list(namespace)), (name) =>
      topics.delete(namespace, name),
    );
  }

  private scheduleProducerExpiry(): void {
    this.expiryTimer = this.clock.setTimer(PRODUCER_EXPIRY_INTERVAL_MS, () => {
      this.tasks.run('expire-producers', (signal) => this.states.expireProducers(signal));
      this.scheduleProducerExpiry();
    });
  }
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: 'gauge', samples: [{ labels: {}, value }] };
}
