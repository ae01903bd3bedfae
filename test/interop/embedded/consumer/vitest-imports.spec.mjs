import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { useBroker } from 'lyrebird/vitest';
import { countOrders } from './orders.mjs';

const lyrebird = useBroker({ hooks: { beforeAll, afterAll, afterEach } });

test('orders are counted', async () => {
  await countOrders(lyrebird.bootstrapServers, async (counter) => {
    await lyrebird.groups.waitForLag('order-counter', { topic: 'orders' });
    expect(counter.count).toBe(3);
  });
});

test('orders of another test are gone', () => {
  expect(lyrebird.topics.list()).toEqual([]);
});
