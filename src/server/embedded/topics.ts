import type { TopicSettings } from '../../admin/ports.ts';
import { LyrebirdError } from '../../base/errors.ts';
import type { Broker } from '../../core/broker.ts';
import type { TopicOutcome, TopicView } from '../../core/types.ts';
import { waitUntil, type WaitOptions } from './wait.ts';

/** Names of an embedded broker live here. */
export const NAMESPACE = 'default';

export interface NewTopicOptions {
  /** Default: the broker's default, 1 unless configured. */
  readonly partitions?: number;
  /** Kafka topic configurations, such as `{ 'retention.ms': '60000' }`. */
  readonly config?: Readonly<Record<string, string>>;
}

export interface TopicInfo {
  readonly name: string;
  readonly partitions: number;
  /** Records that can be read now, over all partitions. */
  readonly records: number;
  /** Per partition: the first offset that can be read, and the one after the last. */
  readonly offsets: readonly { readonly start: number; readonly end: number }[];
}

/** Topics of an embedded broker. Failures throw a LyrebirdError with code LB3002. */
export class EmbeddedTopics {
  private readonly broker: Broker;
  private readonly settings: TopicSettings;

  constructor(broker: Broker, settings: TopicSettings) {
    this.broker = broker;
    this.settings = settings;
  }

  async create(name: string, options: NewTopicOptions = {}): Promise<TopicInfo> {
    const overrides = options.config ?? {};
    const config = this.settings.resolve(overrides);
    if ('invalid' in config) throw topicError(name, config.invalid);
    const outcome = await this.broker.topics.create({
      namespace: NAMESPACE,
      name,
      partitions: options.partitions ?? this.settings.defaultPartitions,
      config,
      overrides,
    });
    return infoOf(expectTopic(outcome, name));
  }

  async delete(name: string): Promise<void> {
    expectTopic(await this.broker.topics.delete(NAMESPACE, name), name);
  }

  /** Grows a topic to this many partitions. */
  async setPartitions(name: string, total: number): Promise<TopicInfo> {
    return infoOf(
      expectTopic(await this.broker.topics.setPartitionCount(NAMESPACE, name, total), name),
    );
  }

  /** Null: there is none. */
  get(name: string): TopicInfo | null {
    const topic = this.broker.topics.byName(NAMESPACE, name);
    return topic === null ? null : infoOf(topic);
  }

  /** In name order. */
  list(): TopicInfo[] {
    return this.broker.topics.list(NAMESPACE).map(infoOf);
  }

  /** Resolves when the topic exists and has at least count records that can be read. */
  async waitForRecords(name: string, count: number, options: WaitOptions = {}): Promise<void> {
    await waitUntil(
      () => (this.get(name)?.records ?? 0) >= count,
      () => `topic ${name} has ${this.get(name)?.records ?? 'no'} records, fewer than ${count}`,
      options,
    );
  }
}

function infoOf(topic: TopicView): TopicInfo {
  const offsets: { start: number; end: number }[] = [];
  let records = 0;
  for (let i = 0; i < topic.partitionCount; i++) {
    const partition = topic.partition(i);
    const start = partition?.logStart ?? 0;
    const end = partition?.highWatermark ?? 0;
    offsets.push({ start, end });
    records += end - start;
  }
  return { name: topic.name, partitions: topic.partitionCount, records, offsets };
}

function expectTopic(outcome: TopicOutcome, name: string): TopicView {
  if (outcome.status === 'ok') return outcome.topic;
  throw topicError(name, 'message' in outcome ? outcome.message : outcome.status);
}

function topicError(name: string, why: string): LyrebirdError {
  return new LyrebirdError('LB3002', `topic ${name}: ${why}`, { details: { topic: name } });
}
