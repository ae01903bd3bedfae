import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { ConsumeMessage } from 'amqplib';
import {
  AmqpTestBroker,
  channelError,
  consumeInto,
  settled,
  textOf,
  textsOf,
} from '../support/amqp.ts';
import { numbered } from '../support/kafkajs.ts';

/** A header of x-death without the time, which nobody can know. */
function deathsOf(message: ConsumeMessage): Record<string, unknown>[] {
  const deaths = (message.properties.headers?.['x-death'] ?? []) as unknown as Record<
    string,
    unknown
  >[];
  return deaths.map(({ time, ...rest }) => {
    assert.equal(typeof (time as { value: number }).value, 'number');
    return rest;
  });
}

describe('AMQP queues and what they can do', () => {
  let server: AmqpTestBroker;

  before(async () => {
    server = await AmqpTestBroker.start();
  });

  afterEach(() => server.disconnect());

  after(() => server.stop());

  it('dead-letters expired messages with their history', async () => {
    const channel = await server.channel();
    await channel.assertExchange('dlx', 'direct');
    await channel.assertQueue('dead');
    await channel.bindQueue('dead', 'dlx', 'expired');
    await channel.assertQueue('short', {
      arguments: {
        'x-message-ttl': 20,
        'x-dead-letter-exchange': 'dlx',
        'x-dead-letter-routing-key': 'expired',
      },
    });
    const inbox = await consumeInto(channel, 'dead', { acks: 'each' });
    channel.sendToQueue('short', Buffer.from('by the queue'), { headers: { mine: 1 } });
    channel.sendToQueue('short', Buffer.from('by itself'), { expiration: '1' });
    const messages = await inbox.holds(2);
    assert.deepEqual(textsOf(messages).sort(), ['by itself', 'by the queue']);
    const own = messages.find((message) => textOf(message) === 'by the queue')!;
    const { headers } = own.properties;
    assert.equal(own.fields.exchange, 'dlx');
    assert.equal(own.fields.routingKey, 'expired');
    assert.equal(headers?.['mine'], 1);
    assert.equal(headers?.['x-first-death-queue'], 'short');
    assert.equal(headers?.['x-first-death-reason'], 'expired');
    assert.equal(headers?.['x-first-death-exchange'], '');
    const death = { count: 1, exchange: '', queue: 'short', reason: 'expired' };
    assert.deepEqual(deathsOf(own), [{ ...death, 'routing-keys': ['short'] }]);
    const timed = messages.find((message) => textOf(message) === 'by itself')!;
    assert.equal(timed.properties.expiration, undefined);
    assert.deepEqual(deathsOf(timed), [
      { ...death, 'routing-keys': ['short'], 'original-expiration': '1' },
    ]);
  });

  it('dead-letters rejected and superfluous messages, and counts how often', async () => {
    const channel = await server.channel();
    await channel.assertQueue('work', {
      arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'waiting' },
    });
    await channel.assertQueue('waiting', {
      arguments: {
        'x-message-ttl': 10,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': 'work',
      },
    });
    const inbox = await consumeInto(channel, 'work');
    channel.sendToQueue('work', Buffer.from('retry'));
    for (let round = 1; round <= 3; round++) {
      const message = (await inbox.holds(round))[round - 1]!;
      channel.nack(message, false, false);
    }
    const last = (await inbox.holds(4))[3]!;
    assert.deepEqual(
      deathsOf(last).map(({ queue, reason, count }) => [queue, reason, count]),
      [
        ['waiting', 'expired', 3],
        ['work', 'rejected', 3],
      ],
    );
    channel.ack(last);

    await channel.assertQueue('overflown');
    await channel.assertQueue('two', {
      arguments: {
        'x-max-length': 2,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': 'overflown',
      },
    });
    for (const text of numbered('m', 5)) channel.sendToQueue('two', Buffer.from(text));
    const overflown = await consumeInto(channel, 'overflown', { noAck: true });
    assert.deepEqual(textsOf(await overflown.holds(3)), numbered('m', 3));
    assert.equal(deathsOf(overflown.messages[0]!)[0]?.['reason'], 'maxlen');
    assert.equal((await channel.checkQueue('two')).messageCount, 2);
  });

  it('delivers by priority, and in order within one', async () => {
    const channel = await server.channel();
    await channel.assertQueue('priorities', { maxPriority: 5 });
    const sent: readonly (readonly [string, number | undefined])[] = [
      ['none', undefined],
      ['low-1', 1],
      ['high-1', 5],
      ['beyond', 9],
      ['low-2', 1],
      ['high-2', 5],
    ];
    for (const [text, priority] of sent) {
      channel.sendToQueue(
        'priorities',
        Buffer.from(text),
        priority === undefined ? {} : { priority },
      );
    }
    await settled(channel);
    const inbox = await consumeInto(channel, 'priorities', { noAck: true });
    const expected = ['high-1', 'beyond', 'high-2', 'low-1', 'low-2', 'none'];
    assert.deepEqual(textsOf(await inbox.holds(6)), expected);
  });

  it('gives up on messages that come back to a quorum queue too often', async () => {
    const channel = await server.channel();
    await channel.assertQueue('poison');
    await channel.assertQueue('quorum', {
      durable: true,
      arguments: {
        'x-queue-type': 'quorum',
        'x-delivery-limit': 2,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': 'poison',
      },
    });
    const inbox = await consumeInto(channel, 'quorum');
    channel.sendToQueue('quorum', Buffer.from('bad'), { persistent: true });
    for (let delivery = 1; delivery <= 3; delivery++) {
      const message = (await inbox.holds(delivery))[delivery - 1]!;
      const count = delivery === 1 ? undefined : delivery - 1;
      assert.equal(message.properties.headers?.['x-delivery-count'], count);
      channel.nack(message, false, true);
    }
    const dead = await consumeInto(channel, 'poison', { noAck: true });
    const [message] = await dead.holds(1);
    assert.equal(deathsOf(message!)[0]?.['reason'], 'delivery_limit');
  });

  it('lets what came back to a quorum queue wait, and takes -1 for no limit', async () => {
    const channel = await server.channel();
    await channel.assertQueue('patient', {
      durable: true,
      arguments: {
        'x-queue-type': 'quorum',
        'x-delivery-limit': -1,
        'x-delayed-retry-type': 'all',
        'x-delayed-retry-min': 200,
      },
    });
    await channel.prefetch(1);
    const inbox = await consumeInto(channel, 'patient');
    for (const text of numbered('m', 2)) channel.sendToQueue('patient', Buffer.from(text));
    channel.nack((await inbox.holds(1))[0]!, false, true);
    channel.ack((await inbox.holds(2))[1]!);
    const [first, second, third] = textsOf(await inbox.holds(3));
    assert.deepEqual([first, second, third], ['m-0', 'm-1', 'm-0']);
  });

  it('has one active consumer at a time where it is asked to', async () => {
    const first = await server.channel();
    const second = await server.channel();
    await first.assertQueue('single', { arguments: { 'x-single-active-consumer': true } });
    const a = await consumeInto(first, 'single', { acks: 'each' });
    const b = await consumeInto(second, 'single', { acks: 'each' });
    for (const text of numbered('m', 4)) first.sendToQueue('single', Buffer.from(text));
    await a.holds(4);
    assert.equal(b.messages.length, 0);
    await first.cancel(a.tag);
    second.sendToQueue('single', Buffer.from('for the next'));
    assert.deepEqual(textsOf(await b.holds(1)), ['for the next']);
  });

  it('serves consumers of a higher priority first', async () => {
    const channel = await server.channel();
    await channel.assertQueue('ranked');
    await channel.prefetch(2);
    const low = await consumeInto(channel, 'ranked', { priority: 1 });
    const high = await consumeInto(channel, 'ranked', { priority: 10 });
    for (const text of numbered('m', 3)) channel.sendToQueue('ranked', Buffer.from(text));
    assert.deepEqual(textsOf(await high.holds(2)), ['m-0', 'm-1']);
    assert.deepEqual(textsOf(await low.holds(1)), ['m-2']);
  });

  it('tells consumers that their queue is gone', async () => {
    const channel = await server.channel();
    await channel.assertQueue('doomed');
    const inbox = await consumeInto(channel, 'doomed');
    const other = await server.channel();
    await other.deleteQueue('doomed');
    await inbox.cancelled;
    const missing = await channelError(channel, () => channel.checkQueue('doomed'));
    assert.deepEqual(missing, { code: 404, text: "NOT_FOUND - no queue 'doomed' in vhost '/'" });
  });

  it('keeps exclusive queues for their connection, and deletes them with it', async () => {
    const owner = await server.connect();
    const channel = await owner.createChannel();
    await channel.assertQueue('own', { exclusive: true });
    const stranger = await server.channel();
    const locked = await channelError(stranger, () => stranger.checkQueue('own'));
    assert.equal(locked.code, 405);
    assert.match(
      locked.text,
      /^RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'own'/,
    );
    await owner.close();
    const next = await server.channel();
    const gone = await channelError(next, () => next.checkQueue('own'));
    assert.equal(gone.code, 404);
  });

  it('deletes an auto-delete queue with its last consumer, and an idle one when its time is over', async () => {
    const channel = await server.channel();
    await channel.assertQueue('auto', { autoDelete: true });
    const a = await consumeInto(channel, 'auto');
    const b = await consumeInto(channel, 'auto');
    await channel.cancel(a.tag);
    assert.equal((await channel.checkQueue('auto')).consumerCount, 1);
    await channel.cancel(b.tag);
    assert.equal((await channelError(channel, () => channel.checkQueue('auto'))).code, 404);
    const other = await server.channel();
    await other.assertExchange('expiring', 'fanout', { alternateExchange: 'expiring-ae' });
    await other.assertQueue('expires', { expires: 30 });
    await other.bindQueue('expires', 'expiring', '');
    // It is gone as soon as what is published to it is returned.
    const returned = new Promise((resolve) => other.on('return', resolve));
    const timer = setInterval(() => {
      other.publish('expiring', '', Buffer.from('?'), { mandatory: true });
    }, 10);
    await returned;
    clearInterval(timer);
  });

  it('refuses an exclusive consumer beside others', async () => {
    const channel = await server.channel();
    await channel.assertQueue('alone');
    await consumeInto(channel, 'alone', { exclusive: true });
    const other = await server.channel();
    const refused = await channelError(other, () => other.consume('alone', () => {}));
    const text = "ACCESS_REFUSED - queue 'alone' in vhost '/' in exclusive use";
    assert.deepEqual(refused, { code: 403, text });
  });

  it('refuses to declare again what is there with other properties', async () => {
    const channel = await server.channel();
    await channel.assertQueue('same', { durable: true, arguments: { 'x-max-length': 5 } });
    await channel.assertQueue('same', { durable: true, arguments: { 'x-max-length': 5 } });
    const durable = await channelError(channel, () =>
      channel.assertQueue('same', { durable: false, arguments: { 'x-max-length': 5 } }),
    );
    assert.deepEqual(durable, {
      code: 406,
      text: "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'same' in vhost '/': received 'false' but current is 'true'",
    });
    const other = await server.channel();
    const length = await channelError(other, () => other.assertQueue('same', { durable: true }));
    assert.equal(length.code, 406);
    assert.match(
      length.text,
      /^PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'same' in vhost '\/': received none but current is the value '5' of type '(signedint|byte|long)'$/,
    );
  });

  it('takes bodies of many frames, empty ones, and hands out what a peer can take', async () => {
    const sender = await server.channel();
    await sender.assertQueue('large');
    const large = Buffer.alloc(3_000_001, 'abcdefghij');
    sender.sendToQueue('large', large);
    sender.sendToQueue('large', Buffer.alloc(0), { messageId: 'empty' });
    const small = await (await server.connect({ query: '?frameMax=8192' })).createChannel();
    const inbox = await consumeInto(small, 'large', { acks: 'each' });
    const [first, second] = await inbox.holds(2);
    assert(first !== undefined && first.content.equals(large));
    assert.equal(second?.content.length, 0);
    assert.equal(second?.properties.messageId, 'empty');
  });
});
