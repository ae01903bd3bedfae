import type { LogId } from '../../storage/types.ts';
import type { Arguments, NewQueue } from '../queue-types.ts';

export const QUEUE_PREFIX = 'queues/';

/** What the metadata store keeps of a durable queue. */
export interface QueueRecord {
  /** One log for each lane, with consecutive ids. */
  readonly firstLog: LogId;
  readonly lanes: number;
  readonly autoDelete: boolean;
  readonly arguments: Arguments;
}

/** queues/<namespace>/<name>, both URI-encoded. */
export function queueKey(namespace: string, name: string): string {
  return `${QUEUE_PREFIX}${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}

export function parseQueueKey(key: string): Pick<NewQueue, 'namespace' | 'name'> {
  const slash = key.indexOf('/', QUEUE_PREFIX.length);
  return {
    namespace: decodeURIComponent(key.slice(QUEUE_PREFIX.length, slash)),
    name: decodeURIComponent(key.slice(slash + 1)),
  };
}

export function encodeQueueRecord(record: QueueRecord): string {
  const { firstLog, lanes, autoDelete } = record;
  return JSON.stringify({ firstLog, lanes, autoDelete, arguments: record.arguments });
}

/** null when the value is none. */
export function decodeQueueRecord(value: string): QueueRecord | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    return null;
  }
  const record = parsed as Partial<QueueRecord> | null;
  if (typeof record?.firstLog !== 'number' || typeof record.lanes !== 'number') return null;
  return {
    firstLog: record.firstLog,
    lanes: record.lanes,
    autoDelete: record.autoDelete === true,
    arguments: record.arguments ?? {},
  };
}
