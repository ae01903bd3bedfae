/**
 * kill -9 under AMQP load:
 *
 *   npm run chaos:amqp -- [--kills 50] [--start-limit-ms 2000] [--durability fsync] [--binary bin/lyrebird]
 *
 * See README.md beside this file for the rules that are checked. Ends with `N passed, N failed`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { freePort, startBrokerProcess, type BrokerProcess } from '../support/broker-process.ts';
import { Consumer, Mover, Publisher, open, read, type Client } from './amqp-clients.ts';
import { Ledger } from './amqp-ledger.ts';
import {
  CONSUMED,
  DRAINED,
  KEPT,
  declareTopology,
  declareTransient,
  findTopologyProblems,
  FLOWS,
} from './amqp-topology.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    'start-limit-ms': { type: 'string', default: '2000' },
    durability: { type: 'string', default: 'fsync' },
    binary: { type: 'string' },
  },
});
const kills = Number(values.kills);
const startLimitMs = Number(values['start-limit-ms']);
/** How long the load runs between two kills. */
const LOAD_MS = { min: 150, max: 900 };
/** Everything that is left comes within that time. */
const DRAIN_LIMIT_MS = 60_000;

const data = mkdtempSync(join(tmpdir(), 'lyrebird-chaos-amqp-'));
const port = await freePort();
const kafkaPort = await freePort();
const ledger = new Ledger();
const numbers = new Map(FLOWS.map(({ name }) => [name, { next: 0 }]));
const startsMs: number[] = [];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function start(): Promise<BrokerProcess> {
  return startBrokerProcess({
    data,
    port: kafkaPort,
    listen: [`amqp://127.0.0.1:${port}`],
    settings: [`storage.durability=${values.durability}`],
    ...(values.binary === undefined ? {} : { binary: values.binary }),
  });
}

async function startAgain(transient: string | null): Promise<BrokerProcess> {
  const again = await start();
  startsMs.push(again.startedMs);
  if (again.startedMs >= startLimitMs) {
    ledger.problem('slow start', `${Math.round(again.startedMs)} ms`);
  }
  const connection = await open(port);
  for (const problem of await findTopologyProblems(connection, transient)) {
    ledger.problem('topology', problem);
  }
  await checkKept(connection);
  await connection.close();
  return again;
}

async function countIn(connection: ChannelModel, queue: string): Promise<number> {
  const channel = await connection.createChannel();
  const { messageCount } = await channel.checkQueue(queue);
  await channel.close();
  return messageCount;
}

/** Nobody consumes the queue: it holds what was confirmed, and of the rest what came through. */
async function checkKept(connection: ChannelModel): Promise<void> {
  const count = await countIn(connection, KEPT);
  const { confirmed, sent } = ledger.countOf('k');
  if (count >= confirmed && count <= sent) return;
  ledger.problem('count', `${KEPT} holds ${count}: ${confirmed} confirmed of ${sent}`);
}

async function startConsumers(name: string): Promise<(Consumer | Mover)[]> {
  const starts = CONSUMED.map((queue) => Consumer.start(port, { queue, ledger }));
  return [...(await Promise.all(starts)), await Mover.start(port, { ledger, name })];
}

function startPublishers(): Promise<Publisher[]> {
  const starts = FLOWS.map((flow) => {
    const own = numbers.get(flow.name) ?? { next: 0 };
    return Publisher.start(port, { flow, ledger, numbers: own });
  });
  return Promise.all(starts);
}

/** Load until the kill. */
async function live(broker: BrokerProcess, transient: string): Promise<void> {
  const connection = await open(port);
  await declareTransient(connection, transient);
  await connection.close();
  const consumers = await startConsumers(transient);
  const clients: Client[] = [...consumers, ...(await startPublishers())];
  await pause(LOAD_MS.min + Math.random() * (LOAD_MS.max - LOAD_MS.min));
  await broker.end('SIGKILL');
  // What was on its way is heard before the next life begins.
  await Promise.all(clients.map(({ ended }) => ended));
}

/** Consumes what is left, and waits until all acknowledgements are durable. */
async function drain(): Promise<void> {
  const consumers = await startConsumers('last');
  const deadlineMs = performance.now() + DRAIN_LIMIT_MS;
  let quietSinceMs = performance.now();
  let seen = -1;
  while (performance.now() < deadlineMs) {
    await pause(50);
    const nowMs = performance.now();
    const busy = consumers.some(({ idle }) => !idle);
    if (ledger.deliveries !== seen || busy) quietSinceMs = nowMs;
    seen = ledger.deliveries;
    // Longer than the longest delay and time to live.
    if (nowMs - quietSinceMs > 2500) break;
  }
  for (const missing of ledger.missing({ except: KEPT })) ledger.problem('lost', missing);
  for (const consumer of consumers) await consumer.close();
}

async function checkCounts(when: string): Promise<void> {
  const connection = await open(port);
  const channel = await connection.createChannel();
  for (const queue of DRAINED) {
    const { messageCount } = await channel.checkQueue(queue);
    if (messageCount !== 0) ledger.problem('count', `${when} ${queue} holds ${messageCount}`);
    const message = await channel.get(queue, { noAck: true });
    if (message === false) continue;
    ledger.problem('count', `${when} ${queue} gives ${read(message).id}`);
  }
  await connection.close();
}

/** Takes what nobody consumed, and compares it with what the queue says it holds. */
async function emptyKept(): Promise<void> {
  const connection = await open(port);
  const channel: ConfirmChannel = await connection.createConfirmChannel();
  const { messageCount } = await channel.checkQueue(KEPT);
  const heights = new Map<string, number>();
  let count = 0;
  await channel.consume(KEPT, (message) => {
    if (message === null) return;
    count++;
    const { id, copy } = read(message);
    // Each may be flagged; their order is that of publishing all the same.
    if (message.fields.redelivered) ledger.flaggedUnseen++;
    ledger.delivered({ queue: KEPT, id, redelivered: false, copy }, heights);
    channel.ack(message);
  });
  for (let seen = -1; seen !== count;) {
    seen = count;
    await pause(1500);
  }
  if (count !== messageCount) {
    ledger.problem('count', `${KEPT} said ${messageCount} and gave ${count}`);
  }
  for (const unseen of ledger.unseen(KEPT)) ledger.problem('lost', unseen);
  const left = (await channel.checkQueue(KEPT)).messageCount;
  if (left !== 0) ledger.problem('count', `${KEPT} holds ${left} after it was emptied`);
  await connection.close();
}

/** Some of the problems of each queue. */
function ofEach(texts: readonly string[], max: number): string[] {
  const counts = new Map<string, number>();
  return texts.filter((text) => {
    const [queue = ''] = text.split(':', 1);
    const count = (counts.get(queue) ?? 0) + 1;
    counts.set(queue, count);
    return count <= max;
  });
}

function report(): number {
  const slowest = Math.round(Math.max(...startsMs));
  console.log(
    `${kills} kills, ${ledger.published} messages published, ${ledger.confirmed} confirmed, ` +
      `${ledger.deliveries} deliveries, ${ledger.redeliveries} of them again, ` +
      `${ledger.flaggedUnseen} flagged though not seen before, ${ledger.commits} transactions, ` +
      `slowest start ${slowest} ms`,
  );
  for (const [rule, texts] of ledger.problems) {
    console.log(`${rule}: ${texts.length}`);
    for (const text of ofEach(texts, 3)) console.log(`  ${text}`);
  }
  const failed = ledger.problems.size > 0 ? 1 : 0;
  console.log(`${1 - failed} passed, ${failed} failed`);
  return failed;
}

let broker = await start();
const connection = await open(port);
await declareTopology(connection);
await connection.close();
for (let kill = 1; kill <= kills; kill++) {
  const transient = `transient-${kill}`;
  await live(broker, transient);
  broker = await startAgain(transient);
  console.error(
    `kill ${kill}/${kills}: ready again after ${Math.round(broker.startedMs)} ms, ` +
      `${ledger.confirmed} confirmed, ${ledger.deliveries} deliveries`,
  );
}
await drain();
await checkCounts('at the end');
await broker.end('SIGKILL');
broker = await startAgain(null);
await checkCounts('after the last kill');
await emptyKept();
await broker.stop();
rmSync(data, { recursive: true, force: true });
process.exit(report());
