/**
 * Many partitions: created, described, idle memory, restart.
 *
 *   node --import tsx bench/scale/partitions.ts [--topics 1000] [--partitions 100]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { freePort, startBrokerProcess } from '../../test/support/broker-process.ts';
import { memoryOf } from './process-memory.ts';

const { values } = parseArgs({
  options: {
    topics: { type: 'string', default: '1000' },
    partitions: { type: 'string', default: '100' },
  },
});
/** Topics of one request. */
const CREATED_AT_ONCE = 50;

async function withAdmin<T>(broker: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const client = new Kafka({
    brokers: [broker],
    requestTimeout: 120_000,
    logLevel: logLevel.ERROR,
  });
  const admin = client.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function create(broker: string): Promise<void> {
  const names = Array.from({ length: Number(values.topics) }, (_, i) => `topic-${i}`);
  await withAdmin(broker, async (admin) => {
    for (let i = 0; i < names.length; i += CREATED_AT_ONCE) {
      const topics = names
        .slice(i, i + CREATED_AT_ONCE)
        .map((topic) => ({ topic, numPartitions: Number(values.partitions) }));
      await admin.createTopics({ topics, timeout: 60_000 });
    }
  });
}

async function describe(broker: string): Promise<number> {
  const { topics } = await withAdmin(broker, (admin) => admin.fetchTopicMetadata());
  return topics.reduce((sum, topic) => sum + topic.partitions.length, 0);
}

async function timed<T>(label: string, work: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const result = await work();
  console.log(`${label}: ${(performance.now() - startedMs).toFixed(0)} ms`);
  return result;
}

const data = mkdtempSync(join(tmpdir(), 'lyrebird-scale-'));
const port = await freePort();
try {
  const first = await startBrokerProcess({ data, port });
  await timed('created', () => create(first.kafka));
  console.log(`described: ${await timed('described', () => describe(first.kafka))} partitions`);
  console.log(`memory: ${memoryOf(first.pid)}`);
  await first.end('SIGKILL');
  const second = await startBrokerProcess({ data, port });
  console.log(`start after a kill: ${second.startedMs.toFixed(0)} ms, ${memoryOf(second.pid)}`);
  console.log(`described: ${await describe(second.kafka)} partitions`);
  await second.stop();
} finally {
  rmSync(data, { recursive: true, force: true });
}
