import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CoreHarness } from '../../../test/support/core-harness.ts';
import {
  bodyFrame,
  FrameReader,
  headerFrame,
  methodFrame,
  PROTOCOL_HEADER,
  textOf,
  type Arguments,
  type Frame,
} from '../../../test/conformance/amqp/differential/frames.ts';
import { connectInMemory, type MemoryPeer } from '../../net/memory-peer.ts';
import { AMQP_CONFIG_DEFAULTS } from './config.ts';
import { AmqpFrontend } from './frontend.ts';
import { amqpProperties } from './index.ts';

type MethodFrame = Extract<Frame, { kind: 'method' }>;

/** A client over memory that tells its frames one by one. */
class TestPeer {
  readonly peer: MemoryPeer;
  readonly frames: Frame[] = [];
  private readonly reader = new FrameReader();
  private seen = 0;

  constructor(frontend: AmqpFrontend) {
    this.peer = connectInMemory((connection) => frontend.accept(connection));
  }

  send(...pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.peer.wire.push(piece);
  }

  call(channel: number, name: string, args: Arguments = {}): void {
    this.send(methodFrame(channel, name, args));
  }

  publish(queue: string, body: Buffer): void {
    const publish = methodFrame(1, 'basic.publish', { 'routing-key': queue });
    this.send(Buffer.concat([publish, headerFrame(1, body.length), bodyFrame(1, body)]));
  }

  /** The next frame of that kind or method; turns pass until it comes. */
  async next(name: string): Promise<Frame> {
    for (let turn = 0; turn < 1000; turn++) {
      const { received } = this.peer.wire;
      while (this.seen < received.length) {
        this.frames.push(...this.reader.push(received[this.seen++]!));
      }
      const index = this.frames.findIndex((frame) => nameOf(frame) === name);
      if (index >= 0) return this.frames.splice(0, index + 1).at(-1)!;
      await new Promise((resolve) => setImmediate(resolve));
    }
    throw new Error(`no ${name}, but ${this.frames.map(nameOf).join(', ')}`);
  }

  async nextMethod(name: string): Promise<MethodFrame> {
    const frame = await this.next(name);
    assert(frame.kind === 'method');
    return frame;
  }
}

const nameOf = (frame: Frame): string => (frame.kind === 'method' ? frame.name : frame.kind);

const START_OK: Arguments = {
  'client-properties': { capabilities: { F: { 'connection.blocked': { t: true } } } },
  mechanism: 'PLAIN',
  response: '\0guest\0guest',
  locale: 'en_US',
};

describe('AmqpConnection', () => {
  let harness: CoreHarness;
  let frontend: AmqpFrontend;

  beforeEach(() => start({}));

  afterEach(async () => {
    await frontend.close();
    await harness.close();
  });

  async function start(limits: Readonly<Record<string, number>>): Promise<void> {
    harness = await CoreHarness.open({ limits });
    harness.broker.messages.register(amqpProperties.origin, amqpProperties.reader);
    frontend = new AmqpFrontend(harness.broker, AMQP_CONFIG_DEFAULTS);
  }

  async function open(): Promise<TestPeer> {
    const peer = new TestPeer(frontend);
    peer.send(PROTOCOL_HEADER);
    await peer.next('connection.start');
    peer.call(0, 'connection.start-ok', START_OK);
    await peer.next('connection.tune');
    peer.call(0, 'connection.tune-ok', { 'channel-max': 8, 'frame-max': 4096, heartbeat: 0 });
    peer.call(0, 'connection.open', { 'virtual-host': '/' });
    await peer.next('connection.open-ok');
    peer.call(1, 'channel.open');
    await peer.next('channel.open-ok');
    return peer;
  }

  it('greets, tunes and opens', async () => {
    const peer = new TestPeer(frontend);
    peer.send(PROTOCOL_HEADER);
    const greeting = await peer.nextMethod('connection.start');
    assert.equal(greeting.args['version-major'], 0);
    assert.equal(greeting.args['version-minor'], 9);
    assert.match(textOf(greeting.args['mechanisms']), /\bPLAIN\b/);
    peer.call(0, 'connection.start-ok', START_OK);
    const tune = await peer.nextMethod('connection.tune');
    assert.deepEqual(tune.args, { 'channel-max': 2047, 'frame-max': 131_072, heartbeat: 60 });
    peer.call(0, 'connection.close', { 'reply-code': 200 });
    await peer.next('connection.close-ok');
  });

  it('cuts bodies into frames that the peer takes', async () => {
    const peer = await open();
    peer.call(1, 'queue.declare', { queue: 'q' });
    await peer.next('queue.declare-ok');
    const body = Buffer.alloc(10_000, 'ab');
    const publish = methodFrame(1, 'basic.publish', { 'routing-key': 'q' });
    peer.send(publish, headerFrame(1, body.length));
    for (let at = 0; at < body.length; at += 4000) {
      peer.send(bodyFrame(1, body.subarray(at, at + 4000)));
    }
    peer.call(1, 'basic.get', { queue: 'q', 'no-ack': true });
    await peer.next('basic.get-ok');
    const sizes: number[] = [];
    const parts: Buffer[] = [];
    while (Buffer.concat(parts).length < body.length) {
      const frame = await peer.next('body');
      assert(frame.kind === 'body');
      sizes.push(frame.bytes.length);
      parts.push(frame.bytes);
    }
    assert.deepEqual(sizes, [4088, 4088, 1824]);
    assert(Buffer.concat(parts).equals(body));
  });

  it('works on a channel in order, while its methods wait for the disk', async () => {
    const peer = await open();
    const names = ['a', 'b', 'c'];
    for (const queue of names) peer.call(1, 'queue.declare', { queue, durable: true });
    peer.call(1, 'queue.declare', { queue: 'a', passive: true });
    for (const queue of [...names, 'a']) {
      assert.equal((await peer.nextMethod('queue.declare-ok')).args['queue'], queue);
    }
  });

  it('holds publishers back while queues take no more, and lets others go on', async () => {
    await frontend.close();
    await harness.close();
    await start({ 'queues.memory.max': 100_000 });
    const publisher = await open();
    const consumer = await open();
    publisher.call(1, 'queue.declare', { queue: 'memory' });
    await publisher.next('queue.declare-ok');
    const body = Buffer.alloc(4000);
    for (let i = 0; i < 60; i++) publisher.publish('memory', body);
    const blocked = await publisher.nextMethod('connection.blocked');
    assert.equal(blocked.args['reason'], 'low on memory');
    publisher.call(1, 'queue.declare', { queue: 'memory', passive: true });
    consumer.call(1, 'queue.declare', { queue: 'memory', passive: true });
    const ready = (await consumer.nextMethod('queue.declare-ok')).args['message-count'];
    assert(Number(ready) < 60, 'it was stopped before the end');
    consumer.call(1, 'basic.consume', { queue: 'memory', 'no-ack': true });
    await publisher.next('connection.unblocked');
    await publisher.next('queue.declare-ok');
    for (let i = 0; i < 60; i++) await consumer.next('body');
  });

  it('closes its clients when the broker stops, and waits for their agreement', async () => {
    const peer = await open();
    const [handler] = frontend.connections;
    assert(handler !== undefined);
    handler.onShutdown();
    const close = await peer.nextMethod('connection.close');
    assert.equal(close.args['reply-code'], 320);
    assert.equal(handler.busy(), true);
    peer.call(0, 'connection.close-ok');
    for (let turn = 0; frontend.connections.size > 0 && turn < 1000; turn++) {
      peer.peer.wire.pushEnd();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(frontend.connections.size, 0);
  });

  it('gives exclusive queues and unacknowledged messages back when a client is gone', async () => {
    const peer = await open();
    const other = await open();
    peer.call(1, 'queue.declare', { queue: 'own', exclusive: true });
    peer.call(1, 'queue.declare', { queue: 'shared' });
    peer.publish('shared', Buffer.from('x'));
    peer.call(1, 'basic.get', { queue: 'shared' });
    await peer.next('basic.get-ok');
    peer.peer.connection.destroy();
    for (let turn = 0; frontend.connections.size > 1 && turn < 1000; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    other.call(1, 'basic.get', { queue: 'shared', 'no-ack': true });
    const got = await other.nextMethod('basic.get-ok');
    assert.equal(got.args['redelivered'], true);
    other.call(1, 'queue.declare', { queue: 'own', passive: true });
    assert.equal((await other.nextMethod('channel.close')).args['reply-code'], 404);
  });
});
