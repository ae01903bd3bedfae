import type { LogId, LogSpec } from '../../storage/types.ts';
import type { TopicInfo } from '../metadata-image.ts';
import { Partition, type PartitionHost } from '../partition/partition.ts';
import type { TopicConfig, TopicView } from '../types.ts';
import { logOf, partitionCountOf, type TopicRecord } from './topic-record.ts';

/** A topic that exists: its record, and its partitions as far as anybody asked for them. */
export class Topic implements TopicView {
  readonly id: Buffer;
  readonly namespace: string;
  readonly name: string;
  /** False once the topic was deleted: nothing can be appended any more. */
  live: boolean;
  private readonly host: PartitionHost;
  private currentRecord: TopicRecord;
  private currentInfo: TopicInfo;
  private partitions: (Partition | undefined)[] | null;

  constructor(
    host: PartitionHost,
    names: { readonly namespace: string; readonly name: string },
    record: TopicRecord,
  ) {
    this.id = record.id;
    this.namespace = names.namespace;
    this.name = names.name;
    this.live = true;
    this.host = host;
    this.currentRecord = record;
    this.currentInfo = this.describe(record);
    this.partitions = null;
  }

  get partitionCount(): number {
    return this.currentInfo.partitionCount;
  }

  get config(): TopicConfig {
    return this.currentRecord.config;
  }

  get overrides(): Readonly<Record<string, string>> {
    return this.currentRecord.overrides;
  }

  get internal(): boolean {
    return this.currentRecord.internal;
  }

  /** The topic as of now, immutable. */
  get info(): TopicInfo {
    return this.currentInfo;
  }

  get record(): TopicRecord {
    return this.currentRecord;
  }

  partition(index: number): Partition | null {
    if (!(index >= 0 && index < this.currentInfo.partitionCount)) return null;
    this.partitions ??= new Array<Partition | undefined>(this.currentInfo.partitionCount);
    return (this.partitions[index] ??= new Partition(
      this.host,
      this,
      index,
      logOf(this.currentRecord, index),
    ));
  }

  update(record: TopicRecord): void {
    this.currentRecord = record;
    this.currentInfo = this.describe(record);
  }

  /** The topic is gone: everybody who waits for data looks again, and finds that out. */
  retire(): void {
    this.live = false;
    for (const partition of this.partitions ?? []) partition?.retire();
  }

  private describe(record: TopicRecord): TopicInfo {
    return Object.freeze({
      id: this.id,
      namespace: this.namespace,
      name: this.name,
      partitionCount: partitionCountOf(record),
      config: record.config,
      overrides: record.overrides,
      internal: record.internal,
    });
  }
}

/** What the engine is told of the logs of a topic. */
export function logSpecOf(config: TopicConfig): LogSpec {
  return {
    durability: config.durability,
    retentionMs: config.retentionMs,
    retentionBytes: config.retentionBytes,
    segmentBytes: config.segmentBytes,
  };
}

/** The logs of partitions from firstIndex on, named for people and for repair tools. */
export function newPartitionLogs(
  names: { readonly namespace: string; readonly name: string },
  logs: readonly LogId[],
  firstIndex: number,
  spec: LogSpec,
): { readonly id: LogId; readonly name: string; readonly spec: LogSpec }[] {
  const prefix = `topic/${encodeURIComponent(names.namespace)}/${names.name}/`;
  return logs.map((id, i) => ({ id, name: prefix + (firstIndex + i), spec }));
}
