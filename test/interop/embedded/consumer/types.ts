import {
  createBroker,
  LyrebirdError,
  type BrokerAddress,
  type BrokerOptions,
  type LyrebirdBroker,
  type TopicInfo,
} from 'lyrebird';
import { useBroker as useJestBroker } from 'lyrebird/jest';
import { useBroker as useNodeBroker, type BrokerFixture } from 'lyrebird/node-test';
import { useBroker as useVitestBroker, type TestHooks } from 'lyrebird/vitest';
import { afterAll, afterEach, beforeAll } from 'vitest';

const options: BrokerOptions = {
  storage: { path: 'data', durability: 'os' },
  listeners: { kafka: { port: 0 }, admin: {} },
};

export async function use(): Promise<TopicInfo | null> {
  await using broker: LyrebirdBroker = await createBroker(options);
  const address: BrokerAddress = broker.address('kafka');
  await broker.topics.create('orders', { partitions: address.port > 0 ? 3 : 1 });
  await broker.groups.waitForLag('order-counter', { topic: 'orders', atMost: 0 });
  try {
    await broker.reset();
  } catch (error) {
    if (error instanceof LyrebirdError) console.log(error.code, error.details);
  }
  return broker.topics.get('orders') ?? null;
}

const hooks: TestHooks = { beforeAll, afterAll, afterEach };
export const fixtures: readonly BrokerFixture[] = [
  useNodeBroker(),
  useVitestBroker({ hooks }),
  useJestBroker({ hooks, resetBetweenTests: false }),
];

// @ts-expect-error: what the package does not export cannot be imported
export type { KafkaClient } from 'lyrebird/dist/protocols/kafka/client/index.js';
// @ts-expect-error: a mistyped option is an error
export const wrong: BrokerOptions = { storrage: 'memory' };
