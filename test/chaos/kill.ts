/**
 * kill -9 under load: npm run chaos:kill -- [--kills 50] [--partitions 4] [--start-limit-ms 2000] [--durability fsync]
 *
 * See README.md beside this file for the rules that are checked. Ends with `N passed, N failed`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { freePort, startBrokerProcess, type BrokerProcess } from '../support/broker-process.ts';
import { AcknowledgedRecords, verify } from './verify.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    partitions: { type: 'string', default: '4' },
    'start-limit-ms': { type: 'string', default: '2000' },
    durability: { type: 'string', default: 'fsync' },
  },
});
const kills = Number(values.kills);
const partitions = Number(values.partitions);
const startLimitMs = Number(values['start-limit-ms']);
const TOPIC = 'chaos';
/** How long the load runs between two kills. */
const LOAD_MS = { min: 150, max: 900 };

const data = mkdtempSync(join(tmpdir(), 'lyrebird-chaos-'));
const port = await freePort();
const start = (): Promise<BrokerProcess> =>
  startBrokerProcess({ data, port, settings: [`storage.durability=${values.durability}`] });

function client(id: string): Kafka {
  return new Kafka({
    clientId: id,
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1000,
    requestTimeout: 5000,
    retry: { retries: 1_000_000, initialRetryTime: 30, maxRetryTime: 200 },
  });
}

/** Sends numbered records to one partition, one request after the other, until stopped. */
async function load(
  producer: Producer,
  partition: number,
  acknowledged: AcknowledgedRecords,
  stopped: () => boolean,
): Promise<void> {
  let next = 0;
  while (!stopped()) {
    const count = 1 + (next % 7);
    const messages = Array.from({ length: count }, (_, i) => ({
      partition,
      value: `${partition}:${next + i}`,
    }));
    const [receipt] = await producer.send({ topic: TOPIC, acks: -1, messages });
    acknowledged.add(partition, Number(receipt?.baseOffset), next, count);
    next += count;
  }
}

let broker = await start();
const admin = client('admin').admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: partitions }] });
await admin.disconnect();

const acknowledged = new AcknowledgedRecords(partitions);
let stop = false;
const producers: Producer[] = [];
const loads: Promise<void>[] = [];
for (let partition = 0; partition < partitions; partition++) {
  const producer = client(`producer-${partition}`).producer({
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  producers.push(producer);
  loads.push(load(producer, partition, acknowledged, () => stop));
}

const startsMs: number[] = [];
for (let kill = 1; kill <= kills; kill++) {
  const loadMs = LOAD_MS.min + Math.random() * (LOAD_MS.max - LOAD_MS.min);
  await new Promise((resolve) => setTimeout(resolve, loadMs));
  await broker.end('SIGKILL');
  broker = await start();
  startsMs.push(broker.startedMs);
  console.error(
    `kill ${kill}/${kills}: ready again after ${Math.round(broker.startedMs)} ms, ` +
      `${acknowledged.count} records acknowledged`,
  );
}
stop = true;
await Promise.all(loads);
for (const producer of producers) await producer.disconnect();

const problems = await verify(client('verifier'), TOPIC, acknowledged);
const slowest = Math.max(...startsMs);
if (slowest >= startLimitMs) problems.push(`slowest start ${Math.round(slowest)} ms`);
await broker.stop();
rmSync(data, { recursive: true, force: true });

console.log(
  `${kills} kills, ${acknowledged.count} records acknowledged, slowest start ${Math.round(slowest)} ms`,
);
for (const problem of problems.slice(0, 20)) console.log(problem);
console.log(problems.length === 0 ? '1 passed, 0 failed' : '0 passed, 1 failed');
process.exit(problems.length === 0 ? 0 : 1);
