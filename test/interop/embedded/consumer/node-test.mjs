import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { useBroker } from 'lyrebird/node-test';
import { countOrders } from './orders.mjs';

describe('orders', () => {
  const lyrebird = useBroker();

  it('are counted', async () => {
    await countOrders(lyrebird.bootstrapServers, async (counter) => {
      await lyrebird.groups.waitForLag('order-counter', { topic: 'orders' });
      assert.equal(counter.count, 3);
    });
  });

  it('of another test are gone', () => {
    assert.deepEqual(lyrebird.topics.list(), []);
  });
});
