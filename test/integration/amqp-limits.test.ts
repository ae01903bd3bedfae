import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { RawClient, type LoginOptions } from '../conformance/amqp/differential/client.ts';
import { bodyFrame, headerFrame, methodFrame } from '../conformance/amqp/differential/frames.ts';
import { AmqpTestBroker, consumeInto, settled, textsOf } from '../support/amqp.ts';
import { numbered } from '../support/kafkajs.ts';

const MIB = 1024 * 1024;

describe('AMQP clients that take no heed', () => {
  let server: AmqpTestBroker;

  afterEach(() => server.stop());

  const address = (): { host: string; port: number; user: string; password: string } => ({
    host: '127.0.0.1',
    port: server.port,
    user: 'guest',
    password: 'guest',
  });

  async function open(options: LoginOptions = {}): Promise<RawClient> {
    const client = await RawClient.connect(address());
    await client.login(address(), options);
    client.send(1, 'channel.open');
    await client.next(1, ['channel.open-ok']);
    return client;
  }

  /** Bytes that wait in the broker for clients to read them. */
  function pendingOutput(): number {
    const line = /^lyrebird_network_output_pending_bytes\{[^}]*amqp[^}]*\} (\d+)/m;
    const found = line.exec(server.broker.metrics());
    assert(found !== null, 'the metric is there');
    return Number(found[1]);
  }

  /** A consumer that stops reading once it consumes. */
  async function deafConsumer(queue: string): Promise<Socket> {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    const say = async (bytes: Buffer): Promise<void> => {
      socket.write(bytes);
      await once(socket, 'data');
    };
    await say(Buffer.from('AMQP\0\0\x09\x01', 'latin1'));
    await say(
      methodFrame(0, 'connection.start-ok', {
        mechanism: 'PLAIN',
        response: '\0guest\0guest',
        locale: 'en_US',
      }),
    );
    const tune = { 'channel-max': 10, 'frame-max': 131_072, heartbeat: 0 };
    socket.write(methodFrame(0, 'connection.tune-ok', tune));
    await say(methodFrame(0, 'connection.open', { 'virtual-host': '/' }));
    await say(methodFrame(1, 'channel.open'));
    await say(methodFrame(1, 'basic.qos', { 'prefetch-count': 60_000 }));
    socket.pause();
    const isStream = queue === 'stream';
    socket.write(
      methodFrame(1, 'basic.consume', {
        queue,
        'no-ack': !isStream,
        ...(isStream ? { arguments: { 'x-stream-offset': { S: 'first' } } } : {}),
      }),
    );
    return socket;
  }

  for (const queue of ['classic', 'stream']) {
    it(`holds little for a consumer of a ${queue} queue that does not read`, async () => {
      server = await AmqpTestBroker.start();
      const channel = await server.confirmChannel();
      const args = { 'x-queue-type': queue };
      await channel.assertQueue(queue, { durable: true, arguments: args });
      const body = Buffer.alloc(20_000, 'x');
      for (let i = 0; i < 1500; i++) channel.sendToQueue(queue, body, { persistent: true });
      await channel.waitForConfirms();
      const socket = await deafConsumer(queue);
      // The kernel's buffers fill, then the broker's own up to its mark, and there it stays.
      let before = -1;
      for (let same = 0; same < 5;) {
        await settled(channel);
        const now = pendingOutput();
        same = now === before && now > 0 ? same + 1 : 0;
        before = now;
      }
      assert(before < 4 * MIB, `${before} bytes wait`);
      socket.destroy();
      if (queue === 'stream') await channel.prefetch(100);
      const offset = { 'x-stream-offset': 'first' };
      const inbox = await consumeInto(channel, queue, {
        acks: 'each',
        ...(queue === 'stream' ? { arguments: offset } : {}),
      });
      const messages = await inbox.holds(queue === 'stream' ? 1500 : 1);
      assert(messages.every(({ content }) => content.equals(body)));
    });
  }

  it('refuses more channels than were agreed, and more consumers than are allowed', async () => {
    server = await AmqpTestBroker.start({
      settings: { 'amqp.channel_max': 100, 'amqp.consumers_per_channel_max': 5 },
    });
    const flood = await RawClient.connect(address());
    await flood.login(address(), { channelMax: 100 });
    for (let number = 1; number <= 101; number++) flood.send(number, 'channel.open');
    const close = await flood.next(0, ['connection.close']);
    assert.equal(close.args['reply-code'], 530);
    const client = await open({ channelMax: 100 });
    client.send(1, 'queue.declare', { queue: 'crowded' });
    for (let i = 0; i < 6; i++) client.send(1, 'basic.consume', { queue: 'crowded' });
    const refused = await client.next(0, ['connection.close']);
    assert.equal(refused.args['reply-code'], 530);
    assert.equal(
      refused.args['reply-text'],
      'NOT_ALLOWED - reached maximum (5) of consumers per channel',
    );
    const channel = await server.channel();
    assert.equal((await channel.checkQueue('crowded')).consumerCount, 0);
  });

  it('ends a connection whose unfinished publishes take too much, and refuses what is too large', async () => {
    server = await AmqpTestBroker.start({
      settings: { 'amqp.message_bytes_max': '1MiB', 'amqp.held_bytes_max': '3MiB' },
    });
    const tooLarge = await open();
    tooLarge.send(1, 'basic.publish', { 'routing-key': 'q' });
    tooLarge.write(headerFrame(1, 2 * MIB));
    const refused = await tooLarge.next(1, ['channel.close']);
    assert.equal(refused.args['reply-code'], 406);
    assert.equal(
      refused.args['reply-text'],
      'PRECONDITION_FAILED - message size 2097152 is larger than configured max size 1048576',
    );
    const hoarder = await open();
    for (let number = 1; number <= 5; number++) {
      if (number > 1) hoarder.send(number, 'channel.open');
      hoarder.send(number, 'basic.publish', { 'routing-key': 'q' });
      hoarder.write(headerFrame(number, MIB));
      for (let part = 0; part < 9; part++) {
        hoarder.write(bodyFrame(number, Buffer.alloc(100_000)));
      }
    }
    const close = await hoarder.next(0, ['connection.close']);
    assert.equal(close.args['reply-code'], 506);
    await tooLarge.close();
    await hoarder.close();
  });

  it('delivers to others while one publisher floods', async () => {
    server = await AmqpTestBroker.start();
    const flood = await server.channel();
    await flood.assertQueue('flooded', {
      durable: false,
      arguments: { 'x-max-length': 100, 'x-overflow': 'drop-head' },
    });
    let flooding = true;
    const pour = (): void => {
      if (!flooding) return;
      let more = true;
      for (let i = 0; i < 500 && more; i++) {
        more = flood.sendToQueue('flooded', Buffer.alloc(1000));
      }
      if (more) setImmediate(pour);
      else flood.once('drain', pour);
    };
    pour();
    const channel = await server.channel();
    await channel.assertQueue('calm');
    const inbox = await consumeInto(channel, 'calm', { acks: 'each' });
    for (const text of numbered('m', 50)) {
      channel.sendToQueue('calm', Buffer.from(text));
      await settled(channel);
    }
    assert.deepEqual(textsOf(await inbox.holds(50)), numbered('m', 50));
    flooding = false;
    await settled(flood);
    assert((await channel.checkQueue('flooded')).messageCount <= 100);
  });

  it('beats its heart, and gives up clients whose heart does not beat', async () => {
    server = await AmqpTestBroker.start();
    const silent = await open({ heartbeat: 1 });
    assert.equal((await silent.next(0, ['heartbeat'])).name, 'heartbeat');
    assert.equal((await silent.next(0, ['end'])).name, 'end');
  });
});
