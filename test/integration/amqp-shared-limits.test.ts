import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { Message } from 'amqplib';
import { AmqpTestBroker, channelError, consumeInto, settled } from '../support/amqp.ts';
import { numbered } from '../support/kafkajs.ts';

describe('AMQP limits that consumers share, and queues that connections do not', () => {
  let server: AmqpTestBroker;

  before(async () => {
    server = await AmqpTestBroker.start();
  });

  afterEach(() => server.disconnect());

  after(() => server.stop());

  it('serves the consumers of a channel in turns when they share its prefetch count', async () => {
    const channel = await server.channel();
    await channel.prefetch(1, true);
    const queues = ['fair-a', 'fair-b', 'fair-c'];
    const served: string[] = [];
    let last: Message | null = null;
    for (const queue of queues) {
      await channel.assertQueue(queue);
      for (const text of numbered('m', 4)) channel.sendToQueue(queue, Buffer.from(text));
    }
    await settled(channel);
    for (const queue of queues) {
      await channel.consume(queue, (message) => {
        assert(message !== null);
        served.push(queue);
        last = message;
      });
    }
    await settled(channel);
    for (let count = 1; count <= 6; count++) {
      assert.equal(served.length, count);
      channel.ack(last!);
      await settled(channel);
      await settled(channel);
    }
    for (const queue of queues) {
      assert(served.filter((its) => its === queue).length >= 2, served.join(' '));
    }
  });

  it('counts what consumers got for the limit of a channel, not what was fetched', async () => {
    const channel = await server.channel();
    await channel.prefetch(1, true);
    await channel.assertQueue('counted');
    for (const text of numbered('m', 4)) channel.sendToQueue('counted', Buffer.from(text));
    const fetched = await channel.get('counted');
    assert(fetched !== false);
    const inbox = await consumeInto(channel, 'counted');
    const [first] = await inbox.holds(1);
    // Nor does acknowledging it bring credit.
    channel.ack(fetched);
    await settled(channel);
    await settled(channel);
    assert.equal(inbox.messages.length, 1);
    channel.ack(first!);
    await inbox.holds(2);
  });

  it('holds deliveries without acknowledgement back while the limit of the channel is reached', async () => {
    const channel = await server.channel();
    await channel.prefetch(1, true);
    await channel.assertQueue('limited');
    await channel.assertQueue('unlimited');
    const limited = await consumeInto(channel, 'limited');
    channel.sendToQueue('limited', Buffer.from('x'));
    const [first] = await limited.holds(1);
    const seen: Message[] = [];
    await channel.consume('unlimited', (message) => seen.push(message!), { noAck: true });
    channel.sendToQueue('unlimited', Buffer.from('y'));
    await settled(channel);
    await settled(channel);
    assert.equal(seen.length, 0);
    channel.ack(first!);
    await settled(channel);
    await settled(channel);
    assert.equal(seen.length, 1);
  });

  it('locks queues against a declaration that differs in who owns them, and against unbinding', async () => {
    const channel = await server.channel();
    await channel.assertQueue('everybodys');
    const mine = await channelError(channel, () =>
      channel.assertQueue('everybodys', { exclusive: true }),
    );
    assert.equal(mine.code, 405);
    const owner = await server.channel();
    await owner.assertQueue('somebodys', { exclusive: true });
    await owner.bindQueue('somebodys', 'amq.direct', 'key');
    const other = await server.channel();
    // What is not bound may be unbound by anybody.
    await other.unbindQueue('somebodys', 'amq.direct', 'another key');
    const refused = await channelError(other, () =>
      other.unbindQueue('somebodys', 'amq.direct', 'key'),
    );
    assert.equal(refused.code, 405);
  });

  it('takes whole numbers only where arguments are numbers', async () => {
    const channel = await server.channel();
    await channel.assertQueue('whole', { messageTtl: 10 });
    const refused = await channelError(channel, () =>
      channel.assertQueue('whole', {
        arguments: { 'x-message-ttl': { '!': 'double', value: 10 } },
      }),
    );
    assert.equal(refused.code, 406);
  });

  it('tells of blind copies in no history of a dead letter', async () => {
    const channel = await server.channel();
    await channel.assertQueue('grave');
    await channel.assertQueue('dying', {
      messageTtl: 1,
      deadLetterExchange: '',
      deadLetterRoutingKey: 'grave',
    });
    const inbox = await consumeInto(channel, 'grave');
    channel.sendToQueue('dying', Buffer.from('x'), { CC: ['shown'], BCC: ['hidden'] });
    const [dead] = await inbox.holds(1);
    const [death] = dead!.properties.headers?.['x-death'] ?? [];
    assert.deepEqual(death?.['routing-keys'], ['dying', 'shown']);
  });
});
