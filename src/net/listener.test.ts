import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { selfSigned } from '../../test/support/self-signed.ts';
import { SystemClock } from '../base/clock.ts';
import { LyrebirdError } from '../base/errors.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { DEFAULT_LISTENER_LIMITS, type ListenerLimits } from './limits.ts';
import { Listener, type ListenerOptions } from './listener.ts';
import { Network } from './network.ts';
import type { CloseReason, Connection, ConnectionHandler } from './types.ts';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Echoes frames of a 4-byte length and that many bytes. */
class Echo implements ConnectionHandler {
  readonly connection: Connection;
  readonly closed: Promise<CloseReason>;
  paused = 0;
  isBusy = false;
  private wanted = 0;
  private resolveClosed: (reason: CloseReason) => void = () => {};

  constructor(connection: Connection) {
    this.connection = connection;
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
  }

  onData(buffer: Buffer, start: number, end: number): number {
    let at = start;
    this.wanted = 4;
    while (end - at >= 4 && !this.connection.congested) {
      const size = 4 + buffer.readUInt32BE(at);
      this.wanted = size;
      if (end - at < size) break;
      this.connection.write(buffer, at, at + size);
      at += size;
      this.wanted = 4;
    }
    if (this.connection.congested) this.paused++;
    return at - start;
  }

  bytesWanted(): number {
    return this.wanted;
  }

  onDrain(): void {}

  onClose(reason: CloseReason): void {
    this.resolveClosed(reason);
  }

  onShutdown(): void {}

  busy(): boolean {
    return this.isBusy;
  }
}

async function listen(
  limits: Partial<ListenerLimits> = {},
  options: Partial<ListenerOptions> = {},
): Promise<{ listener: Listener; handlers: Echo[]; accepted: () => Promise<Echo> }> {
  const handlers: Echo[] = [];
  const waiting: ((handler: Echo) => void)[] = [];
  const listener = new Listener({
    name: 'test',
    scheme: 'test',
    address: { host: '127.0.0.1', port: 0 },
    tls: null,
    limits: { ...DEFAULT_LISTENER_LIMITS, ...limits },
    network: new Network(),
    clock: new SystemClock(),
    logger: silentLogger,
    accept: (connection) => {
      const handler = new Echo(connection);
      handlers.push(handler);
      waiting.shift()?.(handler);
      return handler;
    },
    ...options,
  });
  await listener.listen();
  listener.serve();
  cleanups.push(() => listener.destroy());
  const accepted = (): Promise<Echo> => new Promise((resolve) => waiting.push(resolve));
  return { listener, handlers, accepted };
}

function dial(listener: Listener): Socket {
  const socket = connect(listener.port, '127.0.0.1');
  cleanups.push(() => void socket.destroy());
  return socket;
}

function frame(size: number, fill = 7): Buffer {
  const bytes = Buffer.alloc(4 + size, fill);
  bytes.writeUInt32BE(size);
  return bytes;
}

/** Exactly size bytes from the socket. */
async function receive(socket: Socket, size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  while (bytes < size) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) await once(socket, 'readable');
    else {
      chunks.push(chunk);
      bytes += chunk.length;
    }
  }
  return Buffer.concat(chunks);
}

describe('Listener over TCP', () => {
  it('echoes small and large frames, split as the network likes', async () => {
    const { listener, accepted } = await listen();
    const opened = accepted();
    const socket = dial(listener);
    const bytes = Buffer.concat([frame(10), frame(1_500_000, 9), frame(0), frame(300_000, 8)]);
    socket.write(bytes.subarray(0, 7));
    const handler = await opened;
    assert.equal(handler.connection.remoteAddress, '127.0.0.1');
    assert.equal(handler.connection.localPort, listener.port);
    socket.write(bytes.subarray(7));
    assert.deepEqual(await receive(socket, bytes.length), bytes);
    assert.equal(handler.connection.bytesIn, bytes.length);
    assert.equal(listener.stats.bytesOut, bytes.length);
    socket.destroy();
    assert.equal(await handler.closed, 'peer');
    assert.equal(listener.stats.open, 0);
    assert.equal(listener.stats.closed.peer, 1);
  });

  it('stops reading from a peer that does not read, and serves it when it does', async () => {
    const { listener, accepted } = await listen({ outputHighBytes: 64 * 1024 });
    const opened = accepted();
    const socket = dial(listener);
    const handler = await opened;
    const total = 48 * 1024 * 1024;
    const piece = frame(1024 * 1024 - 4);
    for (let sent = 0; sent < total; sent += piece.length) socket.write(piece);
    socket.pause();
    // The kernel takes some megabytes before it makes us wait: go on until nothing moves any more.
    for (let still = 0, seen = -1; still < 300; still++) {
      await new Promise(setImmediate);
      if (handler.connection.congested && handler.connection.bytesIn === seen) continue;
      seen = handler.connection.bytesIn;
      still = 0;
    }
    assert.ok(handler.connection.outputPending <= 3 * 1024 * 1024);
    assert.ok(handler.connection.bytesIn < total);
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received === total) socket.end();
    });
    socket.resume();
    assert.equal(await handler.closed, 'peer');
    assert.equal(received, total);
  });

  it('refuses connections above its limit, and admits again when one ended', async () => {
    const { listener, accepted } = await listen({ connectionsMax: 1 });
    const first = accepted();
    const socket = dial(listener);
    const handler = await first;
    const refused = dial(listener);
    await once(refused, 'close');
    assert.equal(listener.stats.refused['listener-limit'], 1);
    socket.destroy();
    await handler.closed;
    const second = accepted();
    dial(listener);
    await second;
    assert.equal(listener.stats.accepted, 2);
  });

  it('lets handlers finish before it closes their connections, and cuts them at the deadline', async () => {
    const { listener, accepted } = await listen();
    const opened = accepted();
    const socket = dial(listener);
    const handler = await opened;
    handler.isBusy = true;
    const drained = listener.drain(60_000);
    await new Promise(setImmediate);
    handler.connection.write(frame(3), 0, 7);
    assert.deepEqual(await receive(socket, 7), frame(3));
    handler.isBusy = false;
    socket.on('end', () => socket.end());
    socket.resume();
    await drained;
    assert.equal(await handler.closed, 'shutdown');

    const other = await listen();
    const openedToo = other.accepted();
    dial(other.listener).on('error', () => {});
    const stuck = await openedToo;
    stuck.isBusy = true;
    await other.listener.drain(1);
    assert.equal(await stuck.closed, 'shutdown');
  });

  it('says that its address is taken', async () => {
    const { listener } = await listen();
    await assert.rejects(
      listen({}, { address: { host: '127.0.0.1', port: listener.port } }),
      (error) => error instanceof LyrebirdError && error.code === 'LB1002',
    );
    await assert.rejects(
      listen({}, { address: { host: '203.0.113.1', port: 0 } }),
      (error) => error instanceof LyrebirdError && error.code === 'LB4002',
    );
  });

  it('sends the last answer before it closes, although input is unread', async () => {
    const { listener, accepted } = await listen();
    const opened = accepted();
    const socket = dial(listener);
    const handler = await opened;
    handler.connection.pause('quota');
    socket.write(Buffer.alloc(100_000));
    handler.connection.write(frame(100), 0, 104);
    handler.connection.close();
    assert.equal((await receive(socket, 104)).length, 104);
    socket.end();
    assert.equal(await handler.closed, 'handler');
  });
});

describe('Listener on a unix domain socket', () => {
  it('echoes', { skip: process.platform === 'win32' }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lyrebird-net-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const path = join(folder, 'socket');
    const { listener, accepted } = await listen({}, { address: { path } });
    assert.equal(listener.host, path);
    const opened = accepted();
    const socket = connect(path);
    socket.write(frame(20));
    assert.equal((await opened).connection.remoteAddress, '');
    assert.deepEqual(await receive(socket, 24), frame(20));
    socket.destroy();
  });
});

describe('Listener before serve()', () => {
  it('keeps connections waiting, and serves them then', async () => {
    for (const tls of [null, selfSigned()]) {
      const material = tls && { cert: Buffer.from(tls.cert), key: Buffer.from(tls.key) };
      const handlers: Echo[] = [];
      const listener = new Listener({
        name: 'early',
        scheme: 'test',
        address: { host: '127.0.0.1', port: 0 },
        tls: material,
        limits: DEFAULT_LISTENER_LIMITS,
        network: new Network(),
        clock: new SystemClock(),
        logger: silentLogger,
        accept: (connection) => {
          const handler = new Echo(connection);
          handlers.push(handler);
          return handler;
        },
      });
      await listener.listen();
      cleanups.push(() => listener.destroy());
      const plain = dial(listener);
      const socket =
        tls === null ? plain : tlsConnect({ socket: plain, ca: tls.cert, host: 'localhost' });
      socket.write(frame(5));
      await once(plain, 'connect');
      for (let i = 0; i < 20; i++) await new Promise(setImmediate);
      assert.equal(handlers.length, 0);
      listener.serve();
      assert.deepEqual(await receive(socket, 9), frame(5));
    }
  });
});

describe('Listener over TLS', () => {
  it('echoes, tells the server name, and takes a new certificate without a restart', async () => {
    const first = selfSigned();
    const second = selfSigned();
    const { listener, accepted } = await listen(
      {},
      { tls: { cert: Buffer.from(first.cert), key: Buffer.from(first.key) } },
    );
    const dialTls = (ca: string): Socket => {
      const socket = tlsConnect({
        port: listener.port,
        host: '127.0.0.1',
        ca,
        servername: 'localhost',
      });
      cleanups.push(() => void socket.destroy());
      return socket;
    };
    const opened = accepted();
    const socket = dialTls(first.cert);
    const bytes = Buffer.concat([frame(10), frame(700_000, 3), frame(50)]);
    socket.write(bytes);
    const handler = await opened;
    assert.deepEqual(handler.connection.tls, { servername: 'localhost', authorized: false });
    assert.deepEqual(await receive(socket, bytes.length), bytes);

    listener.reloadTls({ cert: Buffer.from(second.cert), key: Buffer.from(second.key) });
    const openedToo = accepted();
    const renewed = dialTls(second.cert);
    renewed.write(frame(5));
    await openedToo;
    assert.deepEqual(await receive(renewed, 9), frame(5));

    const stale = dialTls(first.cert);
    const [error] = (await once(stale, 'error')) as [Error];
    assert.match(error.message, /self.signed|certificate/i);
    socket.destroy();
    assert.equal(await handler.closed, 'peer');
  });

  it('counts failed handshakes and forgets their sockets', async () => {
    const { cert, key } = selfSigned();
    const { listener, handlers } = await listen(
      {},
      { tls: { cert: Buffer.from(cert), key: Buffer.from(key) } },
    );
    const socket = dial(listener);
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await once(socket, 'close');
    assert.equal(listener.stats.tlsErrors, 1);
    assert.equal(handlers.length, 0);
    await listener.drain(1000);
  });

  it('closes at once although a handshake is under way', async () => {
    const { cert, key } = selfSigned();
    const { listener } = await listen(
      {},
      { tls: { cert: Buffer.from(cert), key: Buffer.from(key) } },
    );
    const socket = dial(listener);
    await once(socket, 'connect');
    await new Promise(setImmediate);
    await listener.drain(1000);
    socket.on('error', () => {});
    await once(socket, 'close');
  });
});
