/**
 * What AMQP costs in memory: a backlog filled and drained, idle queues, connections with a channel and a consumer each.
 *
 *   node --import tsx bench/scale/amqp.ts [--backlog 10000000] [--queues 10000] [--connections 1000]
 *     [--broker rabbitmq] [--only backlog|queues|connections]
 *
 * Each part has a broker of its own, Lyrebird or Debian's RabbitMQ. Needs gcc and taskset for the backlog.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RawClient, type Address } from '../../test/conformance/amqp/differential/client.ts';
import { startBrokerProcess } from '../../test/support/broker-process.ts';
import { startRabbitMq } from '../../test/support/rabbitmq.ts';
import { buildTools, generate } from '../load/generator.ts';
import { memoryOf } from './process-memory.ts';

const { values } = parseArgs({
  options: {
    backlog: { type: 'string', default: '10000000' },
    queues: { type: 'string', default: '10000' },
    connections: { type: 'string', default: '1000' },
    broker: { type: 'string', default: 'lyrebird' },
    only: { type: 'string', default: '' },
  },
});

/** The queue of the generator's durable rows. */
const QUEUE = 'bench.confirm';
/** One run of the generator, which is bounded in time. */
const FILL_SECONDS = 20;
const DRAIN_SECONDS = 5;
/** Declared without waiting for each answer. */
const QUEUES_AT_ONCE = 500;

interface Broker {
  readonly pid: number;
  readonly address: Address;
  stop(): Promise<void>;
}

async function start(folder: string): Promise<Broker> {
  const login = { host: '127.0.0.1', user: 'guest', password: 'guest' };
  const prefix = ['taskset', '-c', '0'];
  if (values.broker === 'rabbitmq') {
    const peer = await startRabbitMq({ folder, prefix });
    return { pid: peer.pid, address: { ...login, port: peer.port }, stop: () => peer.stop() };
  }
  const broker = await startBrokerProcess({ data: folder, prefix, listen: ['amqp://127.0.0.1:0'] });
  const port = Number(broker.address('amqp')?.split(':')[1]);
  return { pid: broker.pid, address: { ...login, port }, stop: () => broker.stop() };
}

async function connected(address: Address): Promise<RawClient> {
  const client = await RawClient.connect(address);
  await client.login(address);
  client.send(1, 'channel.open');
  await client.next(1, ['channel.open-ok']);
  return client;
}

async function readyIn(client: RawClient): Promise<number> {
  client.send(1, 'queue.declare', { queue: QUEUE, passive: true });
  const answer = await client.next(1, ['queue.declare-ok']);
  return Number(answer.args['message-count']);
}

function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}

/** Fills a queue and compares how fast it drains with how fast messages pass an empty one. */
async function backlog({ pid, address }: Broker): Promise<void> {
  buildTools(['loadgen_amqp']);
  const about = ['-p', String(address.port), '-S', String(pid), '-Q', '200'];
  const run = (label: string, ...args: string[]): ReturnType<typeof generate> =>
    generate('loadgen_amqp', [...about, ...args], label);
  const empty = run('empty', '-m', 'confirm', '-t', String(DRAIN_SECONDS), '-u', '1');
  console.log(`through an empty queue: ${empty?.per_cpu_s} per CPU-s, ${empty?.del_s}/s`);
  const client = await connected(address);
  let ready = await readyIn(client);
  while (ready < Number(values.backlog)) {
    const filled = run('fill', '-m', 'confirm', '-n', '0', '-t', String(FILL_SECONDS), '-u', '0');
    ready = await readyIn(client);
    console.log(`${ready} ready, ${filled?.ack_s}/s confirmed: ${memoryOf(pid)}`);
  }
  const drain = run('drain', '-m', 'drain', '-P', '0', '-t', String(DRAIN_SECONDS), '-u', '1');
  console.log(`drained at ${drain?.del_s}/s, ${drain?.per_cpu_s} per CPU-s: ${memoryOf(pid)}`);
  while ((ready = await readyIn(client)) > 0) {
    run('drain', '-m', 'drain', '-P', '0', '-t', String(FILL_SECONDS), '-u', '0');
    console.log(`${ready} were ready: ${memoryOf(pid)}`);
  }
  console.log(`empty again: ${memoryOf(pid)}`);
  await client.close();
}

async function queues({ pid, address }: Broker): Promise<void> {
  const client = await connected(address);
  const before = residentMegabytes(pid);
  const count = Number(values.queues);
  for (let first = 0; first < count; first += QUEUES_AT_ONCE) {
    const many = Math.min(QUEUES_AT_ONCE, count - first);
    for (let i = 0; i < many; i++) {
      client.send(1, 'queue.declare', { queue: `idle-${first + i}`, durable: true });
    }
    for (let i = 0; i < many; i++) await client.next(1, ['queue.declare-ok']);
    client.forget();
  }
  const cost = residentMegabytes(pid) - before;
  console.log(`${count} idle durable queues cost ${cost.toFixed(0)} MB: ${memoryOf(pid)}`);
  await client.close();
}

async function connections({ pid, address }: Broker): Promise<void> {
  const first = await connected(address);
  const before = residentMegabytes(pid);
  const clients: RawClient[] = [first];
  const count = Number(values.connections);
  for (let i = 0; i < count; i++) {
    const client = await connected(address);
    clients.push(client);
    client.send(1, 'queue.declare', { exclusive: true });
    await client.next(1, ['queue.declare-ok']);
    client.send(1, 'basic.consume', {});
    await client.next(1, ['basic.consume-ok']);
  }
  const cost = residentMegabytes(pid) - before;
  console.log(`${count} connections with a consumer cost ${cost.toFixed(0)} MB: ${memoryOf(pid)}`);
  for (const client of clients) await client.close();
}

for (const [name, part] of Object.entries({ queues, connections, backlog })) {
  if (values.only !== '' && values.only !== name) continue;
  const folder = mkdtempSync(join(tmpdir(), 'lyrebird-scale-'));
  const broker = await start(folder);
  try {
    console.log(`${name}, at first: ${memoryOf(broker.pid)}`);
    await part(broker);
  } finally {
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
