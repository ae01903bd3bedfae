import type { Channel, ChannelModel } from 'amqplib';

export type Acknowledging = 'each' | 'together';

export interface ConsumedQueue {
  readonly name: string;
  readonly acks: Acknowledging;
  /** First deliveries come in the order of publishing; with priorities, in the order of each. */
  readonly ordered: boolean;
  /** Now and then a message is given back the first time. */
  readonly givesBack?: boolean;
  /** Which messages are rejected. */
  readonly rejects?: (number: number) => boolean;
}

/** What one publisher does: everything it sends has an expected end. */
export interface Flow {
  readonly name: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly priorities?: number;
  /** Longest delay by an x-delayed-message exchange, ms. */
  readonly delayMsMax?: number;
  /** Queues in which the message is accepted at last. */
  readonly ends: (number: number) => readonly string[];
}

export const KEPT = 'kept';
export const MARKERS = 'markers';
export const TX_IN = 'tx-in';
export const TX_OUT = 'tx-out';
export const PRIORITIES = 5;

const isRejected = (number: number): boolean => number % 3 === 0;

export const CONSUMED: readonly ConsumedQueue[] = [
  { name: 'classic', acks: 'each', ordered: true, givesBack: true },
  { name: 'quorum', acks: 'together', ordered: true, givesBack: true },
  { name: 'priority', acks: 'each', ordered: true, givesBack: true },
  { name: 'chain-first', acks: 'each', ordered: true, rejects: isRejected },
  { name: 'chain-last', acks: 'together', ordered: false },
  { name: 'later', acks: 'each', ordered: false },
  { name: TX_OUT, acks: 'each', ordered: true },
  { name: 'fan-1', acks: 'each', ordered: true },
  { name: 'fan-2', acks: 'together', ordered: true },
  { name: 'fan-3', acks: 'each', ordered: true, givesBack: true },
];

export const FLOWS: readonly Flow[] = [
  { name: 'c', exchange: '', routingKey: 'classic', ends: () => ['classic'] },
  { name: 'd', exchange: '', routingKey: 'classic', ends: () => ['classic'] },
  { name: 'q', exchange: '', routingKey: 'quorum', ends: () => ['quorum'] },
  {
    name: 'p',
    exchange: '',
    routingKey: 'priority',
    priorities: PRIORITIES,
    ends: () => ['priority'],
  },
  {
    name: 'x',
    exchange: 'chain',
    routingKey: 'first',
    ends: (number) => [isRejected(number) ? 'chain-last' : 'chain-first'],
  },
  { name: 't', exchange: '', routingKey: TX_IN, ends: () => [TX_OUT] },
  { name: 'f', exchange: 'fan', routingKey: '', ends: () => ['fan-1', 'fan-2', 'fan-3'] },
  { name: 'k', exchange: '', routingKey: KEPT, ends: () => [KEPT] },
  {
    name: 'l',
    exchange: 'delay',
    routingKey: 'later',
    delayMsMax: 1500,
    ends: () => ['later'],
  },
];

/** How long messages wait between the first and the last queue of the chain. */
const CHAIN_TTL_MS = 80;

const QUEUES: readonly { readonly name: string; readonly arguments: Record<string, unknown> }[] = [
  { name: 'classic', arguments: {} },
  { name: 'quorum', arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000 } },
  { name: 'priority', arguments: { 'x-max-priority': PRIORITIES - 1 } },
  {
    name: 'chain-first',
    arguments: { 'x-dead-letter-exchange': 'chain', 'x-dead-letter-routing-key': 'middle' },
  },
  {
    name: 'chain-middle',
    arguments: {
      'x-message-ttl': CHAIN_TTL_MS,
      'x-dead-letter-exchange': 'chain',
      'x-dead-letter-routing-key': 'last',
    },
  },
  { name: 'chain-last', arguments: {} },
  { name: 'later', arguments: {} },
  { name: TX_IN, arguments: {} },
  { name: TX_OUT, arguments: {} },
  { name: 'fan-1', arguments: {} },
  { name: 'fan-2', arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000 } },
  { name: 'fan-3', arguments: {} },
  { name: KEPT, arguments: {} },
  { name: MARKERS, arguments: { 'x-max-length': 10 } },
];

const BINDINGS: readonly (readonly [exchange: string, queue: string, routingKey: string])[] = [
  ['chain', 'chain-first', 'first'],
  ['chain', 'chain-middle', 'middle'],
  ['chain', 'chain-last', 'last'],
  ['fan', 'fan-1', ''],
  ['fan', 'fan-2', ''],
  ['fan', 'fan-3', ''],
  ['delay', 'later', 'later'],
];

/** Every queue that ends up empty. */
export const DRAINED: readonly string[] = QUEUES.map(({ name }) => name).filter(
  (name) => name !== KEPT && name !== MARKERS,
);

/** Makes everything durable that the test uses. */
export async function declareTopology(connection: ChannelModel): Promise<void> {
  const channel = await connection.createChannel();
  await channel.assertExchange('chain', 'direct', { durable: true });
  await channel.assertExchange('fan', 'fanout', { durable: true });
  await channel.assertExchange('delay', 'x-delayed-message', {
    durable: true,
    arguments: { 'x-delayed-type': 'direct' },
  });
  for (const { name, arguments: args } of QUEUES) {
    await channel.assertQueue(name, { durable: true, arguments: args });
  }
  for (const [exchange, queue, routingKey] of BINDINGS) {
    await channel.bindQueue(queue, exchange, routingKey);
  }
  await channel.close();
}

/** Makes what must not outlive the broker. */
export async function declareTransient(connection: ChannelModel, name: string): Promise<void> {
  const channel = await connection.createChannel();
  await channel.assertQueue(name, { durable: false });
  await channel.assertExchange(name, 'fanout', { durable: false });
  await channel.bindQueue(name, name, '');
  await channel.bindQueue('classic', name, '');
  await channel.close();
}

/** What is missing of the durable, and what is still there of the transient. */
export async function findTopologyProblems(
  connection: ChannelModel,
  transient: string | null,
): Promise<string[]> {
  const problems: string[] = [];
  for (const { name } of QUEUES) {
    if (!(await exists(connection, (channel) => channel.checkQueue(name)))) {
      problems.push(`queue ${name} is gone`);
    }
  }
  for (const name of ['chain', 'fan', 'delay']) {
    if (!(await exists(connection, (channel) => channel.checkExchange(name)))) {
      problems.push(`exchange ${name} is gone`);
    }
  }
  if (transient === null) return problems;
  if (await exists(connection, (channel) => channel.checkQueue(transient))) {
    problems.push(`transient queue ${transient} is still there`);
  }
  if (await exists(connection, (channel) => channel.checkExchange(transient))) {
    problems.push(`transient exchange ${transient} is still there`);
  }
  return problems;
}

async function exists(
  connection: ChannelModel,
  check: (channel: Channel) => Promise<unknown>,
): Promise<boolean> {
  const channel = await connection.createChannel();
  channel.on('error', () => {});
  try {
    await check(channel);
  } catch {
    return false;
  }
  await channel.close();
  return true;
}
