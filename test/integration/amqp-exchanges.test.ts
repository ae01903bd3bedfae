import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import {
  AmqpTestBroker,
  channelError,
  consumeInto,
  settled,
  textOf,
  textsOf,
  type Inbox,
} from '../support/amqp.ts';
import { numbered } from '../support/kafkajs.ts';
import type { Channel } from 'amqplib';

describe('AMQP exchanges', () => {
  let server: AmqpTestBroker;
  let channel: Channel;

  before(async () => {
    server = await AmqpTestBroker.start();
  });

  afterEach(() => server.disconnect());

  after(() => server.stop());

  /** A queue bound to the exchange, and what arrives in it. */
  async function bound(exchange: string, key: string, args: object = {}): Promise<Inbox> {
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, exchange, key, args);
    return consumeInto(channel, queue, { noAck: true });
  }

  it('sends what nobody is bound to on to the alternate exchange', async () => {
    channel = await server.channel();
    await channel.assertExchange('lost', 'fanout');
    await channel.assertExchange('main', 'direct', { alternateExchange: 'lost' });
    const known = await bound('main', 'known');
    const lost = await bound('lost', '');
    const returned: string[] = [];
    channel.on('return', (message) => returned.push(textOf(message)));
    channel.publish('main', 'known', Buffer.from('a'), { mandatory: true });
    channel.publish('main', 'other', Buffer.from('b'), { mandatory: true });
    await lost.holds(1);
    await settled(channel);
    assert.deepEqual([textsOf(known.messages), textsOf(lost.messages)], [['a'], ['b']]);
    assert.deepEqual(returned, []);
  });

  it('routes through bound exchanges, once to each queue, in circles too', async () => {
    channel = await server.channel();
    await channel.assertExchange('in', 'topic');
    await channel.assertExchange('middle', 'fanout');
    await channel.bindExchange('middle', 'in', 'a.#');
    await channel.bindExchange('in', 'middle', '');
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, 'in', 'a.b');
    await channel.bindQueue(queue, 'middle', '');
    const inbox = await consumeInto(channel, queue, { noAck: true });
    channel.publish('in', 'a.b', Buffer.from('once'));
    channel.publish('in', 'b', Buffer.from('never'));
    await inbox.holds(1);
    await channel.unbindExchange('middle', 'in', 'a.#');
    channel.publish('in', 'a.c', Buffer.from('unbound'));
    await settled(channel);
    assert.deepEqual(textsOf(inbox.messages), ['once']);
  });

  it('routes copies and blind copies, and hides who got these', async () => {
    channel = await server.channel();
    await channel.assertExchange('copies', 'direct');
    const [to, copy, blind] = [
      await bound('copies', 'to'),
      await bound('copies', 'cc'),
      await bound('copies', 'bcc'),
    ];
    channel.publish('copies', 'to', Buffer.from('x'), {
      CC: ['cc', 'to'],
      BCC: 'bcc',
      headers: { other: 1 },
    });
    for (const inbox of [to, copy, blind]) {
      const [message] = await inbox.holds(1);
      assert.deepEqual(message?.properties.headers, { other: 1, CC: ['cc', 'to'] });
      assert.equal(message?.fields.routingKey, 'to');
    }
    await settled(channel);
    assert.equal(to.messages.length, 1);
  });

  it('matches headers, all or any of them', async () => {
    channel = await server.channel();
    await channel.assertExchange('heads', 'headers');
    const all = await bound('heads', '', { 'x-match': 'all', format: 'pdf', pages: 3 });
    const any = await bound('heads', '', { 'x-match': 'any', format: 'pdf', pages: 3 });
    const present = await bound('heads', '', { 'x-match': 'all', format: undefined });
    const send = (text: string, headers: object): void => {
      channel.publish('heads', '', Buffer.from(text), { headers });
    };
    send('both', { format: 'pdf', pages: 3, more: true });
    send('one', { format: 'pdf', pages: 4 });
    send('none', { format: 'txt' });
    await settled(channel);
    assert.deepEqual(textsOf(all.messages), ['both']);
    assert.deepEqual(textsOf(any.messages), ['both', 'one']);
    assert.deepEqual(textsOf(present.messages), ['both', 'one', 'none']);
  });

  it('spreads messages by a consistent hash of their key', async () => {
    channel = await server.channel();
    await channel.assertExchange('spread', 'x-consistent-hash');
    const inboxes = [await bound('spread', '1'), await bound('spread', '1')];
    for (const key of numbered('key', 50)) {
      channel.publish('spread', key, Buffer.from(key));
      channel.publish('spread', key, Buffer.from(key));
    }
    await settled(channel);
    const [first, second] = inboxes.map(({ messages }) => textsOf(messages));
    assert.equal((first?.length ?? 0) + (second?.length ?? 0), 100);
    assert(first!.length > 0 && second!.length > 0);
    assert(!first!.some((key) => second!.includes(key)), 'a key stays with one queue');
  });

  it('remembers recent messages for who binds later', async () => {
    channel = await server.channel();
    await channel.assertExchange('recent', 'x-recent-history', {
      arguments: { 'x-recent-history-length': 2 },
    });
    for (const text of numbered('m', 4)) channel.publish('recent', '', Buffer.from(text));
    const inbox = await bound('recent', '');
    assert.deepEqual(textsOf(await inbox.holds(2)), ['m-2', 'm-3']);
  });

  it('delays messages of a delayed exchange, and routes them when they are due', async () => {
    channel = await server.channel();
    await channel.assertExchange('later', 'x-delayed-message', {
      arguments: { 'x-delayed-type': 'direct' },
    });
    const inbox = await bound('later', 'k');
    const send = (text: string, delay: number): void => {
      channel.publish('later', 'k', Buffer.from(text), { headers: { 'x-delay': delay, kept: 1 } });
    };
    send('second', 120);
    send('first', 40);
    channel.publish('later', 'k', Buffer.from('now'));
    const messages = await inbox.holds(3);
    assert.deepEqual(textsOf(messages), ['now', 'first', 'second']);
    assert.equal(messages[1]?.properties.headers?.['kept'], 1);
  });

  it('refuses what cannot be: unknown types, other properties, reserved names, internal exchanges', async () => {
    const refusal = async (work: (on: Channel) => unknown): Promise<string> => {
      const on = await server.channel();
      const { code, text } = await channelError(on, () => work(on));
      return `${code} ${text}`;
    };
    channel = await server.channel();
    await channel.assertExchange('typed', 'direct', { durable: true });
    await channel.assertExchange('inner', 'fanout', { internal: true });
    assert.equal(
      await refusal((on) => on.assertExchange('typed', 'fanout', { durable: true })),
      "406 PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'typed' in vhost '/': received 'fanout' but current is 'direct'",
    );
    assert.equal(
      await refusal((on) => on.assertExchange('amq.mine', 'direct')),
      "403 ACCESS_REFUSED - exchange name 'amq.mine' contains reserved prefix 'amq.*'",
    );
    assert.equal(
      await refusal((on) => on.checkExchange('missing')),
      "404 NOT_FOUND - no exchange 'missing' in vhost '/'",
    );
    assert.equal(
      await refusal((on) => on.publish('inner', '', Buffer.from('x'))),
      "403 ACCESS_REFUSED - cannot publish to internal exchange 'inner' in vhost '/'",
    );
    assert.equal(
      await refusal((on) => on.bindQueue('missing', 'typed', 'k')),
      "404 NOT_FOUND - no queue 'missing' in vhost '/'",
    );
    await channel.assertQueue('taken');
    await channel.bindQueue('taken', 'typed', 'k');
    assert.equal(
      await refusal((on) => on.deleteExchange('typed', { ifUnused: true })),
      "406 PRECONDITION_FAILED - exchange 'typed' in vhost '/' in use",
    );
  });

  it('deletes an auto-delete exchange with its last binding', async () => {
    channel = await server.channel();
    await channel.assertExchange('auto', 'fanout', { autoDelete: true });
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, 'auto', '');
    await channel.checkExchange('auto');
    await channel.unbindQueue(queue, 'auto', '');
    const gone = await channelError(channel, () => channel.checkExchange('auto'));
    assert.equal(gone.code, 404);
  });
});
