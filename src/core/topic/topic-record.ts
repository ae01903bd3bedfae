import type { LogId } from '../../storage/types.ts';
import type { TopicConfig } from '../types.ts';

export const TOPIC_PREFIX = 'topics/';

/** The key of a topic in the metadata store: topics/<namespace, URI-encoded>/<name>. */
export function topicKey(namespace: string, name: string): string {
  return `${TOPIC_PREFIX}${encodeURIComponent(namespace)}/${name}`;
}

export function parseTopicKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/', TOPIC_PREFIX.length);
  return {
    namespace: decodeURIComponent(key.slice(TOPIC_PREFIX.length, slash)),
    name: key.slice(slash + 1),
  };
}

/** count logs with consecutive ids. */
export interface LogRange {
  readonly first: LogId;
  readonly count: number;
}

/** What the metadata store keeps of a topic. */
export interface TopicRecord {
  readonly id: Buffer;
  /** Logs of the partitions, in order of their index. */
  readonly logs: readonly LogRange[];
  readonly config: TopicConfig;
  readonly overrides: Readonly<Record<string, string>>;
  readonly internal: boolean;
}

export function partitionCountOf(record: TopicRecord): number {
  return record.logs.reduce((sum, range) => sum + range.count, 0);
}

/** The log of a partition; the index must be inside. */
export function logOf(record: TopicRecord, index: number): LogId {
  let left = index;
  for (const { first, count } of record.logs) {
    if (left < count) return first + left;
    left -= count;
  }
  throw new RangeError(`partition ${index} is outside the topic`);
}

/** All logs of a record from a partition index on. */
export function logsFrom(record: TopicRecord, index: number): readonly LogId[] {
  const logs: LogId[] = [];
  for (let i = index; i < partitionCountOf(record); i++) logs.push(logOf(record, i));
  return logs;
}

/** As JSON; a limit of Infinity is written as null. */
export function encodeTopicRecord(record: TopicRecord): string {
  return JSON.stringify({
    id: record.id.toString('hex'),
    logs: record.logs.map(({ first, count }) => [first, count]),
    config: record.config,
    overrides: record.overrides,
    internal: record.internal,
  });
}

/** Reads what encodeTopicRecord wrote. Throws when it is something else. */
export function decodeTopicRecord(text: string): TopicRecord {
  const value = object(JSON.parse(text), 'record');
  const id = Buffer.from(String(value['id']), 'hex');
  if (id.length !== 16) throw new TypeError('id: 16 bytes expected');
  if (!Array.isArray(value['logs'])) throw new TypeError('logs: an array expected');
  const logs = value['logs'].map((range: unknown): LogRange => {
    const [first, count] = Array.isArray(range) ? (range as unknown[]) : [];
    return { first: limit(first, 'logs'), count: limit(count, 'logs') };
  });
  const overrides: Record<string, string> = {};
  for (const [name, text] of Object.entries(object(value['overrides'], 'overrides'))) {
    overrides[name] = String(text);
  }
  return {
    id,
    logs,
    config: decodeConfig(object(value['config'], 'config')),
    overrides,
    internal: value['internal'] === true,
  };
}

function decodeConfig(value: Record<string, unknown>): TopicConfig {
  const durability = value['durability'];
  if (durability !== 'fsync' && durability !== 'os' && durability !== 'memory') {
    throw new TypeError('durability: fsync, os or memory expected');
  }
  return Object.freeze({
    durability,
    retentionMs: limit(value['retentionMs'], 'retentionMs'),
    retentionBytes: limit(value['retentionBytes'], 'retentionBytes'),
    segmentBytes: limit(value['segmentBytes'], 'segmentBytes'),
    maxMessageBytes: limit(value['maxMessageBytes'], 'maxMessageBytes'),
    timestampType: value['timestampType'] === 'append' ? 'append' : 'create',
    timestampBeforeMaxMs: limit(value['timestampBeforeMaxMs'], 'timestampBeforeMaxMs'),
    timestampAfterMaxMs: limit(value['timestampAfterMaxMs'], 'timestampAfterMaxMs'),
    requireKey: value['requireKey'] === true,
  });
}

function limit(value: unknown, name: string): number {
  if (value === null) return Number.POSITIVE_INFINITY;
  if (typeof value !== 'number') throw new TypeError(`${name}: a number expected`);
  return value;
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${name}: an object expected`);
  }
  return value as Record<string, unknown>;
}
