/**
 * A backlog larger than memory: written, read back from its start, and there again after a kill.
 *
 *   node --import tsx bench/scale/backlog.ts [--gigabytes 10] [--set key=value]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KafkaClient } from '../../src/protocols/kafka/client/index.ts';
import { freePort, startBrokerProcess } from '../../test/support/broker-process.ts';
import { memoryOf } from './process-memory.ts';

const { values } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '10' },
    set: { type: 'string', multiple: true, default: [] },
  },
});
const TOPIC = 'backlog';
const RECORD_BYTES = 1024;
const total = Math.ceil((Number(values.gigabytes) * 2 ** 30) / RECORD_BYTES);

function client(broker: string): KafkaClient {
  const [host = '', port = ''] = broker.split(':');
  return new KafkaClient({
    bootstrap: [{ host, port: Number(port) }],
    clientId: 'backlog',
    tls: null,
    timeoutMs: 30_000,
  });
}

async function write(broker: string): Promise<void> {
  const kafka = client(broker);
  const failures: Error[] = [];
  const producer = await kafka.producer(
    { topic: TOPIC, acks: 1, lingerMs: 5, batchBytes: 65_536, inFlightMax: 5 },
    ({ error }) => {
      if (error !== null) failures.push(error);
    },
  );
  const value = Buffer.alloc(RECORD_BYTES, 'x');
  for (let i = 0; i < total && failures.length === 0; i++) {
    if (!producer.hasRoom) await producer.room();
    producer.append({ key: null, value, partition: 0 }, Date.now(), i);
  }
  await producer.flush();
  await kafka.close();
  if (failures[0] !== undefined) throw failures[0];
}

async function readBack(broker: string): Promise<number> {
  const kafka = client(broker);
  const consumer = await kafka.consumer({
    topics: [TOPIC],
    from: 'start',
    partitions: null,
    group: null,
  });
  let records = 0;
  while (records < total) for (const data of await consumer.poll()) records += data.recordCount;
  await consumer.close();
  await kafka.close();
  return records;
}

async function timed(label: string, work: () => Promise<unknown>): Promise<void> {
  const startedMs = performance.now();
  await work();
  const seconds = (performance.now() - startedMs) / 1000;
  const rate = (total * RECORD_BYTES) / 1e6 / seconds;
  console.log(`${label}: ${seconds.toFixed(1)} s, ${rate.toFixed(0)} MB/s`);
}

const data = mkdtempSync(join(tmpdir(), 'lyrebird-scale-'));
const port = await freePort();
const start = () => startBrokerProcess({ data, port, settings: values.set });
try {
  const first = await start();
  await timed('written', () => write(first.kafka));
  console.log(`memory: ${memoryOf(first.pid)}`);
  await timed('read back', () => readBack(first.kafka));
  console.log(`memory: ${memoryOf(first.pid)}`);
  await first.end('SIGKILL');
  const second = await start();
  console.log(`start after a kill: ${second.startedMs.toFixed(0)} ms, ${memoryOf(second.pid)}`);
  await timed('read back', () => readBack(second.kafka));
  console.log(`memory: ${memoryOf(second.pid)}`);
  await second.stop();
} finally {
  rmSync(data, { recursive: true, force: true });
}
