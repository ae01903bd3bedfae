import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { MessagingClient, Publisher, StartPoint } from '../../server/clients.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { Pace } from './pace.ts';
import type { BenchReport } from './report.ts';

export interface BenchPlan {
  readonly topic: string;
  /** Infinity with a duration. */
  readonly records: number;
  readonly durationMs: number;
  readonly recordBytes: number;
  /** Per second over all connections; Infinity: as fast as possible. */
  readonly rate: number;
  readonly connections: number;
  readonly acks: -1 | 0 | 1;
  readonly batchBytes: number;
  readonly lingerMs: number;
  readonly compression: 'none' | 'gzip';
  readonly bufferBytes: number;
  readonly group: string | null;
  readonly from: StartPoint;
  readonly signal: AbortSignal;
}

export type OpenClient = () => Promise<MessagingClient>;

/** Appends between two looks at the sockets when nothing else makes the loop wait. */
const APPENDS_PER_TURN = 500;
/** A consumer that gets nothing for so long is done. */
const IDLE_END_MS = 10_000;

/** Bytes that do not compress, as long as wanted; the same ones every time. */
export function payload(bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  let state = 0x9e3779b9;
  for (let index = 0; index < bytes; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    buffer[index] = state >>> 24;
  }
  return buffer;
}

/** Publishes the plan's records over all connections. */
export async function runProducers(
  open: OpenClient,
  plan: BenchPlan,
  report: BenchReport,
): Promise<void> {
  const value = payload(plan.recordBytes);
  const workers = await Promise.all(
    Array.from({ length: plan.connections }, async (_, index) => {
      const client = await open();
      const publisher = await client.producer(publisherSettings(plan), (outcome) => {
        if (outcome.error !== null) return report.addErrors(outcome.tokens.length, outcome.error);
        const nowMs = performance.now();
        report.records += outcome.tokens.length;
        report.bytes += outcome.tokens.length * plan.recordBytes;
        for (const sentMs of outcome.tokens) report.recordLatency(nowMs - sentMs);
      });
      return { client, publisher, records: share(plan.records, plan.connections, index) };
    }),
  );
  report.start();
  try {
    await Promise.all(
      workers.map(({ publisher, records }) =>
        produce(publisher, plan, records, (sentMs) =>
          publisher.append({ key: null, value }, Date.now(), sentMs),
        ),
      ),
    );
  } finally {
    await Promise.all(workers.map(({ client }) => client.close()));
  }
}

function publisherSettings(plan: BenchPlan) {
  return {
    topic: plan.topic,
    acks: plan.acks,
    batchBytes: plan.batchBytes,
    lingerMs: plan.lingerMs,
    compression: plan.compression,
    bufferBytes: plan.bufferBytes,
  };
}

/** Appends at the plan's pace until the records or the time are used up, then waits for the outcomes. */
async function produce(
  publisher: Publisher,
  plan: BenchPlan,
  records: number,
  append: (sentMs: number) => void,
): Promise<void> {
  const startMs = performance.now();
  const pace = new Pace(plan.rate / plan.connections, startMs);
  const endMs = startMs + plan.durationMs;
  let sent = 0;
  while (sent < records && !plan.signal.aborted) {
    let nowMs = performance.now();
    if (nowMs >= endMs) break;
    const target = Math.min(records, pace.dueAt(nowMs), sent + APPENDS_PER_TURN);
    while (sent < target && publisher.hasRoom) {
      append(pace.intendedMs(sent, nowMs));
      sent++;
      if (!pace.isLimited && sent % 16 === 0) nowMs = performance.now();
    }
    if (!publisher.hasRoom) await publisher.room();
    else if (pace.isLimited && sent < records) await pace.untilDue(sent);
    else await nextTurn();
  }
  await publisher.flush();
}

/** Reads the plan's records over all connections, each with its share of the partitions. */
export async function runConsumers(
  open: OpenClient,
  plan: BenchPlan,
  report: BenchReport,
): Promise<number> {
  const clients = await Promise.all(Array.from({ length: plan.connections }, open));
  let lastMs = performance.now();
  try {
    const consumers = await Promise.all(
      clients.map((client, index) => openConsumer(client, plan, index)),
    );
    const active = consumers.filter((consumer) => consumer !== null);
    report.start();
    const startMs = performance.now();
    lastMs = startMs;
    const isDone = (): boolean => {
      const nowMs = performance.now();
      const idle = nowMs - lastMs > IDLE_END_MS || nowMs - startMs > plan.durationMs;
      return report.records >= plan.records || idle || plan.signal.aborted;
    };
    await Promise.all(
      active.map(async (consumer) => {
        while (!isDone()) {
          for (const { recordCount, bytes } of await consumer.poll()) {
            report.records += recordCount;
            report.bytes += bytes;
            lastMs = performance.now();
          }
        }
        await consumer.close();
      }),
    );
    return lastMs;
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

/** Without a group, connection number index reads every n-th partition; null when none is left for it. */
async function openConsumer(client: MessagingClient, plan: BenchPlan, index: number) {
  let partitions: number[] | null = null;
  if (plan.group === null && plan.connections > 1) {
    const { partitions: all } = await client.producer({ topic: plan.topic }, () => {});
    partitions = all
      .map((partition) => partition.index)
      .filter((number) => number % plan.connections === index);
    if (partitions.length === 0) return null;
  }
  return client.consumer({ topics: [plan.topic], from: plan.from, partitions, group: plan.group });
}

const MARK_BYTES = 8;
const DRAIN_CHECK_MS = 5;
const DRAIN_MS = 10_000;

/**
 * Publishes at the plan's pace and reads the same records back; a latency is from the intended time of sending to
 * the record's arrival here. Records carry a mark of this run, so that others in the topic do not count.
 */
export async function runEndToEnd(
  open: OpenClient,
  plan: BenchPlan,
  report: BenchReport,
): Promise<void> {
  if (plan.recordBytes < MARK_BYTES) {
    throw new CommandError(EXIT.usage, `e2e needs records of at least ${MARK_BYTES} bytes`);
  }
  const mark = (Math.random() * 2 ** 32) >>> 0;
  const [sender, receiver] = await Promise.all([open(), open()]);
  const sentAt: number[] = [];
  let published = 0;
  const reading = new AbortController();
  try {
    const publisher = await sender.producer(publisherSettings(plan), (outcome) => {
      if (outcome.error === null) published += outcome.tokens.length;
      else report.addErrors(outcome.tokens.length, outcome.error);
    });
    const consumer = await receiver.consumer({
      topics: [plan.topic],
      from: 'end',
      partitions: null,
      group: null,
    });
    report.start();
    const read = async (): Promise<void> => {
      while (!reading.signal.aborted) {
        for (const data of await consumer.poll()) {
          data.forEachRecord(({ value }) => {
            if (value !== null) receive(value, mark, sentAt, report);
            return true;
          });
        }
      }
    };
    const send = async (): Promise<void> => {
      const value = payload(plan.recordBytes);
      await produce(publisher, { ...plan, connections: 1 }, plan.records, (sentMs) => {
        const stamped = Buffer.from(value);
        stamped.writeUInt32BE(mark, 0);
        stamped.writeUInt32BE(sentAt.length, 4);
        sentAt.push(sentMs);
        publisher.append({ key: null, value: stamped }, Date.now(), sentMs);
      });
      const deadline = performance.now() + DRAIN_MS;
      while (report.records < published && performance.now() < deadline && !plan.signal.aborted) {
        await sleep(DRAIN_CHECK_MS);
      }
      reading.abort();
    };
    await Promise.all([read(), send()]);
    if (report.records < published) {
      report.addErrors(
        published - report.records,
        new Error('records were published and did not arrive'),
      );
    }
  } finally {
    reading.abort();
    await Promise.all([sender.close(), receiver.close()]);
  }
}

function receive(
  value: Buffer,
  mark: number,
  sentAt: readonly number[],
  report: BenchReport,
): void {
  if (value.length < MARK_BYTES || value.readUInt32BE(0) !== mark) return;
  const sentMs = sentAt[value.readUInt32BE(4)];
  if (sentMs === undefined) return;
  report.records++;
  report.bytes += value.length;
  report.recordLatency(performance.now() - sentMs);
}

function share(total: number, parts: number, index: number): number {
  if (total === Infinity) return Infinity;
  return Math.floor(total / parts) + (index < total % parts ? 1 : 0);
}
