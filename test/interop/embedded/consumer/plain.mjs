import assert from 'node:assert/strict';
import { createBroker, LyrebirdError } from 'lyrebird';
import { countOrders } from './orders.mjs';

const broker = await createBroker({ settings: { 'kafka.auto_create_partitions': 2 } });
await countOrders(broker.bootstrapServers, async (counter) => {
  await broker.groups.waitForLag('order-counter', { topic: 'orders' });
  assert.equal(counter.count, 3);
});
assert.equal(broker.topics.get('orders')?.partitions, 2);
await assert.rejects(createBroker({ settings: { 'kafka.no_such_key': 1 } }), LyrebirdError);
await broker.close();
