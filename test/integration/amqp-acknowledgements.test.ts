import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Message } from 'amqplib';
import {
  AmqpTestBroker,
  channelError,
  consumeInto,
  settled,
  textOf,
  textsOf,
} from '../support/amqp.ts';
import { numbered } from '../support/kafkajs.ts';

describe('AMQP acknowledgements, confirms and transactions', () => {
  let server: AmqpTestBroker;

  before(async () => {
    server = await AmqpTestBroker.start();
  });

  afterEach(() => server.disconnect());

  after(() => server.stop());

  it('puts requeued messages back in their place, and flags them', async () => {
    const channel = await server.channel();
    await channel.assertQueue('again');
    for (const text of numbered('m', 4)) channel.sendToQueue('again', Buffer.from(text));
    const first = await channel.get('again');
    const second = await channel.get('again');
    assert(first !== false && second !== false);
    assert.equal(first.fields.redelivered, false);
    assert.equal(first.fields.messageCount, 3);
    channel.nack(second, false, true);
    channel.reject(first, true);
    const inbox = await consumeInto(channel, 'again', { acks: 'each' });
    const all = await inbox.holds(4);
    assert.deepEqual(textsOf(all), numbered('m', 4));
    assert.deepEqual(
      all.map(({ fields }) => fields.redelivered),
      [true, true, false, false],
    );
  });

  it('drops what is rejected, and settles many at once', async () => {
    const channel = await server.channel();
    await channel.assertQueue('drop');
    for (const text of numbered('m', 6)) channel.sendToQueue('drop', Buffer.from(text));
    const inbox = await consumeInto(channel, 'drop');
    const all = await inbox.holds(6);
    channel.nack(all[1]!, true, false); // m-0, m-1 are gone
    channel.ack(all[3]!, true); // m-2, m-3 are done
    channel.nackAll(true);
    const again = await inbox.holds(8);
    assert.deepEqual(textsOf(again.slice(6)), ['m-4', 'm-5']);
    channel.ackAll();
    await settled(channel);
    assert.equal((await channel.checkQueue('drop')).messageCount, 0);
  });

  it('refuses to settle what is not waiting, and a delivery of another channel', async () => {
    const channel = await server.channel();
    const other = await server.channel();
    await channel.assertQueue('mine');
    channel.sendToQueue('mine', Buffer.from('x'));
    const message = (await (await consumeInto(channel, 'mine')).holds(1))[0]!;
    const refused = await channelError(other, () => other.ack(message));
    assert.equal(refused.code, 406);
    assert.equal(refused.text, 'PRECONDITION_FAILED - unknown delivery tag 1');
    channel.ack(message);
    const twice = await channelError(channel, () => channel.ack(message));
    assert.equal(twice.text, 'PRECONDITION_FAILED - unknown delivery tag 1');
  });

  it('gives unacknowledged messages back when a channel is closed or recovers', async () => {
    const channel = await server.channel();
    await channel.assertQueue('recover');
    for (const text of numbered('m', 3)) channel.sendToQueue('recover', Buffer.from(text));
    const inbox = await consumeInto(channel, 'recover');
    await inbox.holds(3);
    await channel.recover();
    const all = await inbox.holds(6);
    assert.deepEqual(textsOf(all.slice(3)), numbered('m', 3));
    assert(all.slice(3).every(({ fields }) => fields.redelivered));
    await channel.close();
    const next = await server.channel();
    const rest = await consumeInto(next, 'recover', { noAck: true });
    assert.deepEqual(textsOf(await rest.holds(3)), numbered('m', 3));
  });

  it('limits deliveries per consumer and per channel', async () => {
    const channel = await server.channel();
    await channel.assertQueue('limited');
    for (const text of numbered('m', 20)) channel.sendToQueue('limited', Buffer.from(text));
    await channel.prefetch(3);
    const a = await consumeInto(channel, 'limited');
    await channel.prefetch(2);
    const b = await consumeInto(channel, 'limited');
    await settled(channel);
    assert.equal(a.messages.length, 3);
    assert.equal(b.messages.length, 2);
    channel.ack(a.messages[0]!);
    await a.holds(4);
    // Five are out; a limit of six for all together leaves room for one more.
    await channel.prefetch(6, true);
    channel.ack(b.messages[0]!);
    channel.ack(b.messages[1]!);
    await b.holds(4);
    await settled(channel);
    assert.equal(a.messages.length + b.messages.length - 3, 5);
  });

  it('confirms publishes in order, also those that nobody gets', async () => {
    const channel = await server.confirmChannel();
    await channel.assertQueue('confirmed', { durable: true });
    const confirmed: number[] = [];
    const done = numbered('m', 100).map(
      (text, i) =>
        new Promise<void>((resolve, reject) => {
          const queue = i % 10 === 3 ? 'nowhere' : 'confirmed';
          channel.sendToQueue(queue, Buffer.from(text), { persistent: i % 2 === 0 }, (error) => {
            confirmed.push(i);
            if (error instanceof Error) reject(error);
            else resolve();
          });
        }),
    );
    await Promise.all(done);
    assert.deepEqual(
      confirmed,
      [...confirmed].sort((x, y) => x - y),
    );
    assert.equal((await channel.checkQueue('confirmed')).messageCount, 90);
  });

  it('tells publishers that a full queue refused', async () => {
    const channel = await server.confirmChannel();
    await channel.assertQueue('full', {
      arguments: { 'x-max-length': 2, 'x-overflow': 'reject-publish' },
    });
    const outcomes = await Promise.allSettled(
      numbered('m', 4).map(
        (text) =>
          new Promise<void>((resolve, reject) => {
            channel.sendToQueue('full', Buffer.from(text), {}, (error) => {
              if (error instanceof Error) reject(error);
              else resolve();
            });
          }),
      ),
    );
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'rejected'],
    );
  });

  it('returns mandatory messages that nobody gets, before it confirms them', async () => {
    const channel = await server.confirmChannel();
    const events: string[] = [];
    channel.on('return', () => events.push('return'));
    const returned = once(channel, 'return');
    await new Promise<void>((resolve) => {
      channel.publish(
        '',
        'no such queue',
        Buffer.from('back'),
        { mandatory: true, messageId: 'm' },
        () => {
          events.push('confirm');
          resolve();
        },
      );
    });
    const [message] = (await returned) as [Message];
    assert.deepEqual(events, ['return', 'confirm']);
    assert.equal(textOf(message), 'back');
    assert.equal(message.properties.messageId, 'm');
    const fields = message.fields as unknown as Record<string, unknown>;
    assert.equal(fields['replyCode'], 312);
    assert.equal(fields['replyText'], 'NO_ROUTE');
    assert.equal(fields['routingKey'], 'no such queue');
  });

  it('keeps the numbering of a channel over cancelled consumers and noAck deliveries', async () => {
    const channel = await server.channel();
    await channel.assertQueue('tags');
    const free = await consumeInto(channel, 'tags', { noAck: true });
    channel.sendToQueue('tags', Buffer.from('1'));
    await free.holds(1);
    await channel.cancel(free.tag);
    const bound = await consumeInto(channel, 'tags');
    channel.sendToQueue('tags', Buffer.from('2'));
    const [message] = await bound.holds(1);
    assert(message !== undefined);
    assert.equal(message.fields.deliveryTag, 2);
    await channel.cancel(bound.tag);
    channel.ack(message);
    await settled(channel);
    assert.equal((await channel.checkQueue('tags')).messageCount, 0);
  });
});
