import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Channel } from 'amqplib';
import { RawClient, type Received } from '../conformance/amqp/differential/client.ts';
import {
  bodyFrame,
  frame,
  headerFrame,
  heartbeatFrame,
  methodFrame,
  methodPayload,
  PROTOCOL_HEADER,
  textOf,
} from '../conformance/amqp/differential/frames.ts';
import { AmqpTestBroker, consumeInto, textsOf } from '../support/amqp.ts';

const QUEUE = methodFrame(1, 'queue.declare', { queue: 'split' });
const PUBLISH = methodFrame(1, 'basic.publish', { 'routing-key': 'split' });

/** Bytes that no well-behaved client sends on channel 1, and what ends the connection then. */
const MALFORMED: readonly (readonly [name: string, bytes: Buffer, code: number, text: RegExp])[] = [
  [
    'a frame without its end',
    Buffer.concat([QUEUE.subarray(0, -1), Buffer.of(0)]),
    501,
    /^FRAME_ERROR/,
  ],
  ['a frame of an unknown type', frame(5, 1, Buffer.from('abc')), 501, /^FRAME_ERROR/],
  ['a frame that is too large', Buffer.from('01000101000000', 'hex'), 501, /^FRAME_ERROR/],
  ['a heartbeat on a channel', heartbeatFrame(1), 505, /^UNEXPECTED_FRAME/],
  ['a content header without a publish', headerFrame(1, 3), 505, /^UNEXPECTED_FRAME/],
  ['a body without a header', bodyFrame(1, Buffer.from('abc')), 505, /^UNEXPECTED_FRAME/],
  ['a method inside of a content', Buffer.concat([PUBLISH, QUEUE]), 505, /^UNEXPECTED_FRAME/],
  [
    'a body longer than its header says',
    Buffer.concat([PUBLISH, headerFrame(1, 2), bodyFrame(1, Buffer.from('abc'))]),
    505,
    /^UNEXPECTED_FRAME/,
  ],
  [
    'a content header of another class',
    Buffer.concat([PUBLISH, headerFrame(1, 0, {}, 50)]),
    505,
    /^UNEXPECTED_FRAME/,
  ],
  ['a method that does not exist', frame(1, 1, Buffer.from('003c00ff', 'hex')), 503, /COMMAND/],
  [
    'a method of a class that does not exist',
    frame(1, 1, Buffer.from('00ff000a', 'hex')),
    503,
    /./,
  ],
  [
    'arguments that are cut short',
    frame(1, 1, methodPayload('queue.declare', { queue: 'split' }).subarray(0, 9)),
    501,
    /./,
  ],
  [
    'arguments that go on behind their end',
    frame(1, 1, Buffer.concat([methodPayload('basic.qos', {}), Buffer.from('more')])),
    501,
    /./,
  ],
  [
    'a field table whose length is wrong',
    frame(
      1,
      1,
      Buffer.concat([
        methodPayload('queue.declare', { queue: 'split' }).subarray(0, -4),
        Buffer.from('7fffffff', 'hex'),
      ]),
    ),
    501,
    /./,
  ],
  ['a channel opened twice', methodFrame(1, 'channel.open'), 504, /^CHANNEL_ERROR/],
  ['a method on a channel that is not open', methodFrame(9, 'basic.qos'), 504, /^CHANNEL_ERROR/],
  ['a method of the connection on a channel', methodFrame(1, 'connection.open'), 503, /./],
];

describe('AMQP and what no client should send', () => {
  let server: AmqpTestBroker;
  let bystander: Channel;

  before(async () => {
    server = await AmqpTestBroker.start();
    bystander = await server.channel();
    await bystander.assertQueue('bystander');
    await bystander.assertQueue('split', { durable: false });
  });

  after(() => server.stop());

  const address = (): { host: string; port: number; user: string; password: string } => ({
    host: '127.0.0.1',
    port: server.port,
    user: 'guest',
    password: 'guest',
  });

  async function open(): Promise<RawClient> {
    const client = await RawClient.connect(address());
    await client.login(address());
    client.send(1, 'channel.open');
    await client.next(1, ['channel.open-ok']);
    return client;
  }

  /** Whoever behaves goes on undisturbed. */
  async function checkBystander(): Promise<void> {
    bystander.sendToQueue('bystander', Buffer.from('still here'));
    const inbox = await consumeInto(bystander, 'bystander', { noAck: true });
    assert.deepEqual(textsOf(await inbox.holds(1)), ['still here']);
    await bystander.cancel(inbox.tag);
  }

  for (const [name, bytes, code, text] of MALFORMED) {
    it(`closes the connection for ${name}`, async () => {
      const client = await open();
      client.write(bytes);
      const answer = await client.next(0, ['connection.close']);
      assert.equal(answer.name, 'connection.close');
      assert.equal(answer.args['reply-code'], code, textOf(answer.args['reply-text']));
      assert.match(textOf(answer.args['reply-text']), text);
      const end = await client.next(0, ['end']);
      assert.equal(end.name, 'end');
      await checkBystander();
    });
  }

  it('says the same wherever the bytes are cut', async () => {
    for (const [name, bytes, code] of MALFORMED.slice(0, 9)) {
      for (let at = 1; at < bytes.length; at += Math.max(1, Math.floor(bytes.length / 7))) {
        const client = await open();
        client.write(bytes.subarray(0, at));
        await server.roundTrip(bystander);
        client.write(bytes.subarray(at));
        const answer = await client.next(0, ['connection.close']);
        assert.equal(answer.args['reply-code'], code, `${name}, cut at ${at}`);
        await client.close();
      }
    }
    await checkBystander();
  });

  it('takes a whole session that comes byte by byte', async () => {
    const client = await RawClient.connect(address());
    const session = Buffer.concat([
      PROTOCOL_HEADER,
      methodFrame(0, 'connection.start-ok', {
        mechanism: 'PLAIN',
        response: '\0guest\0guest',
        locale: 'en_US',
      }),
      methodFrame(0, 'connection.tune-ok', {
        'channel-max': 10,
        'frame-max': 8192,
        heartbeat: 0,
      }),
      methodFrame(0, 'connection.open', { 'virtual-host': '/' }),
      methodFrame(1, 'channel.open'),
      QUEUE,
      PUBLISH,
      headerFrame(1, 5, { 'content-type': 'text/plain' }),
      bodyFrame(1, Buffer.from('by')),
      bodyFrame(1, Buffer.from('tes')),
      methodFrame(1, 'basic.get', { queue: 'split', 'no-ack': true }),
    ]);
    for (const byte of session) client.write(Buffer.of(byte));
    const got = await client.next(1, ['basic.get-ok']);
    assert.equal(got.content?.body, 'bytes');
    assert.deepEqual(got.content?.properties, { 'content-type': 'text/plain' });
    await client.close();
  });

  it('answers what is no AMQP with its own header, or hangs up', async () => {
    for (const hello of [
      'GET / HTTP/1.1\r\n\r\n',
      'AMQP\x01\x01\x00\x09x',
      'AMQP\x00\x01\x00\x00',
    ]) {
      const client = await RawClient.connect(address());
      client.write(Buffer.from(hello, 'latin1'));
      const first =
        client.received[0] ?? (await client.next(0, ['protocol-header', 'connection.start']));
      assert(['protocol-header', 'connection.start', 'end'].includes(first.name));
      await client.close();
    }
    const wrong = await RawClient.connect(address());
    wrong.write(PROTOCOL_HEADER);
    await wrong.next(0, ['connection.start']);
    wrong.send(0, 'connection.open', { 'virtual-host': '/' });
    assert.equal((await wrong.next(0, ['connection.close', 'end'])).name, 'end');
  });

  it('refuses logins and virtual hosts in words that clients know', async () => {
    const login = async (options: object): Promise<Received> => {
      const client = await RawClient.connect(address());
      const answer = await client.login(address(), options);
      await client.close();
      return answer;
    };
    const password = await login({ password: 'wrong' });
    assert.equal(password.args['reply-code'], 403);
    assert.match(textOf(password.args['reply-text']), /^ACCESS_REFUSED - Login was refused/);
    const silent = await login({ password: 'wrong', clientProperties: {} });
    assert.equal(silent.name, 'end');
    const vhost = await login({ virtualHost: 'nowhere' });
    assert.equal(vhost.args['reply-code'], 530);
    assert.equal(vhost.args['reply-text'], 'NOT_ALLOWED - vhost nowhere not found');
    const mechanism = await login({ mechanism: 'MAGIC', response: '' });
    assert.notEqual(mechanism.name, 'connection.open-ok');
    const frames = await login({ frameMax: 1024 });
    assert.equal(frames.args['reply-code'], 530);
  });

  it('ignores everything on a channel that it has closed, until the client agrees', async () => {
    const client = await RawClient.connect(address(), { silent: true });
    await client.login(address(), { silent: true });
    client.send(1, 'channel.open');
    await client.next(1, ['channel.open-ok']);
    client.send(1, 'queue.declare', { queue: 'missing', passive: true });
    client.publish(1, { 'routing-key': 'bystander' }, 'never');
    client.send(1, 'queue.declare', { queue: 'ignored' });
    const close = await client.next(1, ['channel.close']);
    assert.equal(close.args['reply-code'], 404);
    client.send(1, 'channel.close-ok');
    client.send(1, 'channel.open');
    await client.next(1, ['channel.open-ok']);
    client.send(1, 'queue.declare', { queue: 'ignored', passive: true });
    assert.equal((await client.next(1, ['channel.close'])).args['reply-code'], 404);
    await client.close();
    assert.equal((await bystander.checkQueue('bystander')).messageCount, 0);
  });
});
