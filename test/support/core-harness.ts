import assert from 'node:assert/strict';
import { BatchBuilder, type BatchOptions } from '../../src/base/batch-builder.ts';
import { SeededRandom } from '../../src/base/random.ts';
import { CoreBroker, type CoreBrokerOptions } from '../../src/core/core-broker.ts';
import type { Partition } from '../../src/core/partition/partition.ts';
import type { Topic } from '../../src/core/topic/topic.ts';
import type { TopicConfig } from '../../src/core/types.ts';
import { MemoryEngine } from '../../src/storage/memory/memory-engine.ts';
import type { LogEngine, Position, ReadResult } from '../../src/storage/types.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { SteppedClock } from './stepped-clock.ts';

export const NAMESPACE = 'default';

export const TOPIC_CONFIG: TopicConfig = {
  durability: 'fsync',
  retentionMs: Infinity,
  retentionBytes: Infinity,
  segmentBytes: 1 << 30,
  maxMessageBytes: 1 << 20,
  timestampType: 'create',
  timestampBeforeMaxMs: Infinity,
  timestampAfterMaxMs: Infinity,
  requireKey: false,
};

/** A broker without protocols, on memory, whose timers fire when the test says so. */
export class CoreHarness {
  readonly clock: SteppedClock;
  readonly engine: LogEngine;
  readonly broker: CoreBroker;

  private constructor(clock: SteppedClock, engine: LogEngine, options: CoreBrokerOptions) {
    this.clock = clock;
    this.engine = engine;
    this.broker = new CoreBroker({
      engine,
      clock,
      random: new SeededRandom(1),
      logger: silentLogger,
      options,
    });
  }

  static async open(options: CoreBrokerOptions = {}): Promise<CoreHarness> {
    const clock = new SteppedClock();
    const random = new SeededRandom(2);
    const engine = new MemoryEngine({ clock, random, logger: silentLogger });
    const harness = new CoreHarness(clock, engine, options);
    await harness.broker.open();
    return harness;
  }

  async topic(
    name: string,
    options: { partitions?: number; config?: Partial<TopicConfig> } = {},
  ): Promise<Topic> {
    const outcome = await this.broker.topics.create({
      namespace: NAMESPACE,
      name,
      partitions: options.partitions ?? 1,
      config: { ...TOPIC_CONFIG, ...options.config },
      overrides: {},
    });
    assert.equal(outcome.status, 'ok');
    const topic = this.broker.topics.byName(NAMESPACE, name);
    assert(topic !== null);
    return topic;
  }

  /** The only partition of a fresh topic. */
  async partition(config: Partial<TopicConfig> = {}): Promise<Partition> {
    const topic = await this.topic('t', { config });
    return partitionOf(topic, 0);
  }

  /** Resolves when the position is committed. */
  committed(partition: Partition, position: Position): Promise<void> {
    return new Promise((resolve, reject) => {
      partition.whenCommitted(position, { onCommitted: resolve, onCommitFailed: reject });
    });
  }

  /** Appends and waits for the commit; the append must succeed. Resolves with the base offset. */
  async append(partition: Partition, batch: Buffer): Promise<number> {
    const outcome = partition.appendBatch(batch, 0, batch.length);
    assert.equal(outcome.status, 'ok', JSON.stringify(outcome));
    assert('position' in outcome);
    await this.committed(partition, outcome.position);
    return outcome.baseOffset;
  }

  close(): Promise<void> {
    return this.broker.close('drain');
  }
}

export function partitionOf(topic: Topic, index: number): Partition {
  const partition = topic.partition(index);
  assert(partition !== null);
  return partition;
}

/** A batch of records; each is its value, or its value and what else it has. */
export function batchOf(
  records: readonly (string | { key?: string | null; value?: string; timestamp?: number })[],
  options: BatchOptions = {},
): Buffer {
  const builder = new BatchBuilder();
  for (const record of records) {
    const {
      key = null,
      value = '',
      timestamp = 1_700_000_000_000,
    } = typeof record === 'string' ? { value: record } : record;
    builder.append(key === null ? null : Buffer.from(key), Buffer.from(value), timestamp);
  }
  return builder.finish(options);
}

/** The bytes that a read answered. */
export function bytesOf(result: ReadResult): Buffer {
  assert.equal(result.status, 'ok');
  return Buffer.concat(result.slices.map(({ buffer, start, end }) => buffer.subarray(start, end)));
}
