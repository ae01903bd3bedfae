/** A bound on something that could grow. */
export interface LimitDefinition {
  /** Dotted and stable: what it is set and documented by. */
  readonly name: string;
  readonly default: number;
  readonly unit: 'count' | 'bytes' | 'ms';
  /** The Prometheus gauge that tells how much of it is used; null where it bounds one operation, not a stock. */
  readonly metric: string | null;
  /** What happens to what exceeds it. */
  readonly overflow: string;
}

/** The limits of the core. Documented in docs/reference/limits.md; a test compares both ways. */
export const CORE_LIMITS = {
  topics: {
    name: 'topics.max',
    default: 100_000,
    unit: 'count',
    metric: 'lyrebird_topics',
    overflow: 'creating another topic is refused',
  },
  partitions: {
    name: 'partitions.max',
    default: 1_000_000,
    unit: 'count',
    metric: 'lyrebird_partitions',
    overflow: 'creating topics and adding partitions is refused',
  },
  producersPerPartition: {
    name: 'producers.per-partition.max',
    default: 10_000,
    unit: 'count',
    metric: 'lyrebird_partition_producers_max',
    overflow:
      'the tenth that has been silent longest is forgotten: their retries are no longer recognised',
  },
  producerExpiration: {
    name: 'producers.expiration',
    default: 86_400_000,
    unit: 'ms',
    metric: null,
    overflow: 'a producer that is silent longer is forgotten',
  },
  decompressedBatch: {
    name: 'batch.decompressed.max',
    default: 128 * 1024 * 1024,
    unit: 'bytes',
    metric: null,
    overflow:
      'the batch is not looked into: time lookups answer its first offset, key checks refuse it',
  },
  queues: {
    name: 'queues.max',
    default: 100_000,
    unit: 'count',
    metric: 'lyrebird_queues',
    overflow: 'declaring another queue is refused',
  },
  queueMemory: {
    name: 'queues.memory.max',
    default: 1024 * 1024 * 1024,
    unit: 'bytes',
    metric: 'lyrebird_queue_memory_bytes',
    overflow:
      'publishers are held back until messages of queues that are not durable were consumed',
  },
  exchanges: {
    name: 'exchanges.max',
    default: 100_000,
    unit: 'count',
    metric: 'lyrebird_exchanges',
    overflow: 'declaring another exchange is refused',
  },
  bindings: {
    name: 'bindings.max',
    default: 1_000_000,
    unit: 'count',
    metric: 'lyrebird_bindings',
    overflow: 'making another binding is refused',
  },
  delayedMessages: {
    name: 'delayed.messages.max',
    default: 10_000_000,
    unit: 'count',
    metric: 'lyrebird_delayed_messages',
    overflow: 'delaying another message is refused, as a full queue refuses it',
  },
  quotaBuckets: {
    name: 'quotas.buckets.max',
    default: 10_000,
    unit: 'count',
    metric: 'lyrebird_quota_buckets',
    overflow: 'the buckets that were idle longest are forgotten and start full again',
  },
} as const satisfies Record<string, LimitDefinition>;

export type CoreLimit = keyof typeof CORE_LIMITS;

/** The limits of one broker with their values in force. */
export class Limits {
  private readonly values = new Map<string, number>();
  private readonly definitions: readonly LimitDefinition[];

  /** overrides: values by limit name. An unknown name or a value that is no positive number is a RangeError. */
  constructor(
    overrides: Readonly<Record<string, number>> = {},
    definitions: readonly LimitDefinition[] = Object.values(CORE_LIMITS),
  ) {
    this.definitions = definitions;
    for (const { name, default: value } of definitions) this.values.set(name, value);
    for (const [name, value] of Object.entries(overrides)) this.set(name, value);
  }

  get(limit: CoreLimit): number {
    return this.values.get(CORE_LIMITS[limit].name) ?? CORE_LIMITS[limit].default;
  }

  set(name: string, value: number): void {
    if (!this.values.has(name)) throw new RangeError(`there is no limit named ${name}`);
    if (!(value > 0)) throw new RangeError(`limit ${name}: a positive number expected`);
    this.values.set(name, value);
  }

  list(): readonly (LimitDefinition & { readonly value: number })[] {
    return this.definitions.map((definition) => ({
      ...definition,
      value: this.values.get(definition.name) ?? definition.default,
    }));
  }
}
