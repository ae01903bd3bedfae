import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { RawClient, type Received } from '../conformance/amqp/differential/client.ts';
import type { Arguments } from '../conformance/amqp/differential/frames.ts';
import { AmqpTestBroker } from '../support/amqp.ts';

/** amqplib has no transactions: these speak frame by frame. */
describe('AMQP transactions', () => {
  let server: AmqpTestBroker;
  let client: RawClient;

  before(async () => {
    server = await AmqpTestBroker.start();
  });

  afterEach(() => client.close());

  after(() => server.stop());

  async function open(): Promise<void> {
    const address = { host: '127.0.0.1', port: server.port, user: 'guest', password: 'guest' };
    client = await RawClient.connect(address);
    await client.login(address);
    await call('channel.open', {}, 1);
    await call('channel.open', {}, 2);
  }

  async function call(name: string, args: Arguments = {}, channel = 1): Promise<Received> {
    client.send(channel, name, args);
    const answers = name === 'basic.get' ? ['basic.get-ok', 'basic.get-empty'] : [`${name}-ok`];
    return client.next(channel, answers);
  }

  async function count(queue: string): Promise<unknown> {
    const answer = await call('queue.declare', { queue, passive: true }, 2);
    return answer.args['message-count'];
  }

  it('publishes and acknowledges when it commits, and not when it rolls back', async () => {
    await open();
    await call('queue.declare', { queue: 'tx', durable: true });
    client.publish(2, { 'routing-key': 'tx' }, 'first');
    await call('tx.select');
    const got = await call('basic.get', { queue: 'tx' });
    client.publish(1, { 'routing-key': 'tx' }, 'rolled back');
    client.send(1, 'basic.ack', { 'delivery-tag': got.args['delivery-tag'] ?? 0 });
    await call('tx.rollback');
    assert.equal(await count('tx'), 0);
    // The message is still this channel's; now for good.
    client.publish(1, { 'routing-key': 'tx' }, 'a');
    client.publish(1, { 'routing-key': 'tx' }, 'b');
    client.send(1, 'basic.ack', { 'delivery-tag': got.args['delivery-tag'] ?? 0 });
    assert.equal(await count('tx'), 0);
    await call('tx.commit');
    assert.equal(await count('tx'), 2);
    await call('channel.close');
    assert.equal(await count('tx'), 2);
    const texts = [];
    for (let i = 0; i < 3; i++) {
      texts.push((await call('basic.get', { queue: 'tx', 'no-ack': true }, 2)).content?.body);
    }
    assert.deepEqual(texts, ['a', 'b', undefined]);
  });

  it('takes an acknowledgement once, and delivers what it holds to nobody', async () => {
    await open();
    await call('queue.declare', { queue: 'once' });
    client.publish(1, { 'routing-key': 'once' }, 'x');
    await call('tx.select');
    const got = await call('basic.get', { queue: 'once' });
    const tag = got.args['delivery-tag'] ?? 0;
    client.send(1, 'basic.ack', { 'delivery-tag': tag });
    await call('basic.recover', { requeue: true });
    assert.equal((await call('basic.get', { queue: 'once' })).name, 'basic.get-empty');
    client.send(1, 'basic.ack', { 'delivery-tag': tag });
    const closed = await client.next(1, ['channel.close']);
    assert.equal(closed.args['reply-code'], 406);
    // It was never committed.
    assert.equal(await count('once'), 1);
  });

  it('returns what nobody gets when it commits', async () => {
    await open();
    await call('tx.select');
    client.publish(1, { 'routing-key': 'nobody', mandatory: true }, 'back');
    await call('tx.commit');
    const returned = client.received.map(({ name }) => name);
    assert(returned.indexOf('basic.return') >= 0);
    assert(returned.indexOf('basic.return') < returned.indexOf('tx.commit-ok'));
  });

  it('forgets what was staged when the channel closes', async () => {
    await open();
    await call('queue.declare', { queue: 'left' });
    await call('tx.select');
    client.publish(1, { 'routing-key': 'left' }, 'x');
    await call('channel.close');
    assert.equal(await count('left'), 0);
  });

  it('closes the channel for what does not go together', async () => {
    await open();
    const unselected = await call('tx.commit');
    assert.equal(
      unselected.args['reply-text'],
      'PRECONDITION_FAILED - channel is not transactional',
    );
    await call('channel.open', {}, 3);
    await call('tx.select', {}, 3);
    const confirms = await call('confirm.select', {}, 3);
    assert.equal(
      confirms.args['reply-text'],
      'PRECONDITION_FAILED - cannot switch from tx to confirm mode',
    );
    await call('channel.open', {}, 4);
    await call('confirm.select', {}, 4);
    const select = await call('tx.select', {}, 4);
    assert.equal(
      select.args['reply-text'],
      'PRECONDITION_FAILED - cannot switch from confirm to tx mode',
    );
  });
});
