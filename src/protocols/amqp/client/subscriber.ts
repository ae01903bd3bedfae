import { tableOf } from '../codec/field-object.ts';
import { EMPTY_TABLE, type FieldTable } from '../codec/field-table.ts';
import type { AmqpConnection } from './connection.ts';
import { QueueReader, type ReaderSettings, type ReceivedMessage } from './queue-reader.ts';
import { parseTarget } from './target.ts';

/** Where reading of a stream begins; other queues have no such place. */
export type StreamStart =
  | 'start'
  | 'end'
  | { readonly offset: number }
  | { readonly last: number }
  /** Ms since the epoch. */
  | { readonly time: number };

export interface SubscriberSettings {
  /** Paths, see target.ts. */
  readonly topics: readonly string[];
  /** Null: as the broker likes. */
  readonly from: StreamStart | null;
  readonly prefetch?: number;
  readonly noAck?: boolean;
}

export interface ReceivedData {
  readonly topic: string;
  readonly partition: number;
  readonly recordCount: number;
  readonly bytes: number;
  forEachRecord(visit: (message: ReceivedMessage) => boolean): void;
}

const PREFETCH = 200;
const POLL_MS = 500;

/** Reads queues; what was handed out is acknowledged with the next poll, so that it may be printed before. */
export class AmqpSubscriber {
  private readonly connect: () => Promise<AmqpConnection>;
  private readonly topics: readonly string[];
  private readonly settings: ReaderSettings;
  private readers: QueueReader[] = [];
  private wake: () => void = () => {};

  constructor(connect: () => Promise<AmqpConnection>, settings: SubscriberSettings) {
    this.connect = connect;
    this.topics = settings.topics;
    this.settings = {
      prefetch: settings.prefetch ?? PREFETCH,
      noAck: settings.noAck === true,
      arguments: streamArguments(settings.from),
    };
  }

  async start(): Promise<void> {
    const connection = await this.connect();
    const readers: QueueReader[] = [];
    for (const topic of this.topics) {
      const arrived = (): void => this.wake();
      readers.push(await QueueReader.open(connection, parseTarget(topic), this.settings, arrived));
    }
    this.readers = readers;
  }

  async poll(): Promise<ReceivedData[]> {
    for (const reader of this.readers) reader.acknowledge();
    if (this.isIdle()) await this.arrival();
    const data: ReceivedData[] = [];
    for (const [index, reader] of this.readers.entries()) {
      if (reader.waitingCount === 0) {
        if (reader.failure !== null) throw reader.failure;
        continue;
      }
      data.push({
        topic: this.topics[index] ?? '',
        partition: -1,
        recordCount: reader.waitingCount,
        bytes: reader.waitingBytes,
        forEachRecord: (visit) => reader.forEach(visit),
      });
    }
    return data;
  }

  async atEnd(): Promise<boolean> {
    for (const reader of this.readers) {
      if (!(await reader.atEnd())) return false;
    }
    return true;
  }

  commit(): Promise<void> {
    for (const reader of this.readers) reader.acknowledge();
    return Promise.resolve();
  }

  /** What was handed out and not acknowledged comes once more; an exchange's messages of meanwhile are missed. */
  async resume(): Promise<void> {
    await this.start();
  }

  async close(): Promise<void> {
    for (const reader of this.readers) await reader.close();
  }

  private isIdle(): boolean {
    return this.readers.every(
      ({ waitingCount, failure }) => waitingCount === 0 && failure === null,
    );
  }

  private arrival(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.wake = () => {};
        resolve();
      };
      const timer = setTimeout(done, POLL_MS);
      this.wake = done;
    });
  }
}

function streamArguments(from: StreamStart | null): FieldTable {
  if (from === null) return EMPTY_TABLE;
  const key = 'x-stream-offset';
  if (from === 'start') return tableOf({ [key]: 'first' });
  if (from === 'end') return tableOf({ [key]: 'next' });
  if ('offset' in from) return [{ key, field: { type: 'l', value: from.offset } }];
  if ('time' in from) {
    return [{ key, field: { type: 'T', value: Math.floor(from.time / 1000) } }];
  }
  return tableOf({ [key]: 'last' });
}
