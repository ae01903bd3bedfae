import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'node:test';
import type { Lease } from '../storage/types.ts';
import { connectInMemory, type MemoryPeer } from './memory-peer.ts';
import type { CloseReason, Connection, ConnectionHandler } from './types.ts';

/** Consumes everything; each call can be replaced. */
class Recorder implements ConnectionHandler {
  readonly seen: string[] = [];
  readonly closed: CloseReason[] = [];
  drained = 0;
  shutdowns = 0;
  isBusy = false;
  connection!: Connection;
  take: (text: string, bytes: number) => number = (_text, bytes) => bytes;

  onData(buffer: Buffer, start: number, end: number): number {
    const text = buffer.toString('latin1', start, end);
    this.seen.push(text);
    return this.take(text, end - start);
  }

  bytesWanted(): number {
    return 0;
  }

  onDrain(): void {
    this.drained++;
  }

  onClose(reason: CloseReason): void {
    this.closed.push(reason);
  }

  onShutdown(): void {
    this.shutdowns++;
  }

  busy(): boolean {
    return this.isBusy;
  }
}

class CountingLease implements Lease {
  held = 0;

  retain(): void {
    this.held++;
  }

  release(): void {
    this.held--;
  }
}

function connect(options?: Parameters<typeof connectInMemory>[1]): {
  peer: MemoryPeer;
  handler: Recorder;
} {
  const handler = new Recorder();
  const peer = connectInMemory((connection) => {
    handler.connection = connection;
    return handler;
  }, options);
  return { peer, handler };
}

async function turns(count = 4): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

const LIMITS = { outputHighBytes: 10_000, outputLowBytes: 2000, outputBytesMax: 50_000 };

describe('PeerConnection', () => {
  it('writes once per turn, whatever was written in it', async () => {
    const { peer, handler } = connect();
    const bytes = Buffer.from('abc');
    for (let i = 0; i < 3; i++) handler.connection.write(bytes, 0, 3);
    handler.connection.writeShared(Buffer.alloc(5000, 'z'), 0, 5000, null);
    await turns();
    assert.deepEqual(peer.wire.sends, [2]);
    assert.equal(peer.wire.output.toString().slice(0, 10), 'abcabcabcz');
    assert.equal(peer.connection.outputPending, 0);
    assert.equal(peer.connection.bytesOut, 5009);
  });

  it('stops reading a peer that does not read, until its output drained', async () => {
    const { peer, handler } = connect({ limits: LIMITS });
    peer.wire.peerReads = false;
    handler.connection.write(Buffer.alloc(10_001), 0, 10_001);
    assert.equal(handler.connection.congested, true);
    peer.wire.push(Buffer.from('more'));
    await turns();
    assert.deepEqual(handler.seen, []);
    assert.equal(peer.stats.congested, 1);
    peer.wire.takeOutput();
    await turns();
    assert.equal(handler.drained, 1);
    assert.deepEqual(handler.seen, ['more']);
    assert.equal(peer.stats.congested, 0);
  });

  it('closes a connection whose handler ignores congestion', async () => {
    const { peer, handler } = connect({ limits: LIMITS });
    peer.wire.peerReads = false;
    const lease = new CountingLease();
    const shared = Buffer.alloc(20_000);
    handler.connection.writeShared(shared, 0, shared.length, lease);
    await turns();
    assert.equal(lease.held, 1);
    handler.connection.writeShared(shared, 0, shared.length, lease);
    handler.connection.writeShared(shared, 0, shared.length, lease);
    handler.connection.writeShared(shared, 0, shared.length, lease);
    await turns();
    assert.deepEqual(handler.closed, ['output-limit']);
    assert.equal(lease.held, 0);
    assert.equal(peer.connection.outputPending, 0);
    assert.equal(peer.stats.outputPending, 0);
    assert.equal(peer.network.memory.pool.takenBytes, 0);
    peer.wire.takeOutput();
    await turns();
    assert.equal(lease.held, 0);
  });

  it('reads again only when every reason to pause is gone, and never inside resume', async () => {
    const { peer, handler } = connect();
    handler.take = (_text, bytes) => {
      if (handler.seen.length > 1) return bytes;
      handler.connection.pause('in-flight');
      handler.connection.pause('storage');
      return 1;
    };
    peer.wire.push(Buffer.from('abc'));
    await turns();
    peer.wire.push(Buffer.from('def'));
    handler.connection.resume('in-flight');
    await turns();
    assert.deepEqual(handler.seen, ['abc']);
    handler.connection.resume('storage');
    assert.deepEqual(handler.seen, ['abc']);
    await turns();
    assert.deepEqual(handler.seen, ['abc', 'bc', 'def']);
  });

  it('takes up reading when the handler pauses and resumes while being presented again', async () => {
    const { peer, handler } = connect();
    handler.take = () => {
      handler.connection.pause('quota');
      handler.connection.resume('quota');
      return 1;
    };
    peer.wire.push(Buffer.from('abcd'));
    await turns(8);
    assert.deepEqual(handler.seen, ['abcd', 'bcd', 'cd', 'd']);
  });

  it('sends what was written before close, and nothing after', async () => {
    const { peer, handler } = connect();
    handler.connection.write(Buffer.from('bye'), 0, 3);
    handler.connection.close();
    handler.connection.write(Buffer.from('late'), 0, 4);
    peer.wire.push(Buffer.from('ignored'));
    await turns();
    assert.equal(peer.wire.output.toString(), 'bye');
    assert.equal(peer.wire.ended, true);
    assert.deepEqual(handler.seen, []);
    peer.wire.pushEnd();
    await turns();
    assert.deepEqual(handler.closed, ['handler']);
  });

  it('closes once with the first reason', async () => {
    const { peer, handler } = connect();
    peer.wire.pushEnd();
    await turns();
    handler.connection.destroy('error');
    await turns();
    assert.deepEqual(handler.closed, ['peer']);
    assert.equal(peer.stats.closed.peer, 1);
  });

  it('survives a handler that throws', async () => {
    const { peer, handler } = connect();
    handler.take = () => {
      throw new Error('bug');
    };
    peer.wire.push(Buffer.from('x'));
    await turns();
    assert.deepEqual(handler.closed, ['error']);
    assert.equal(peer.stats.handlerErrors, 1);
  });

  it('lets a stopping handler finish what is under way', async () => {
    const { peer, handler } = connect();
    handler.isBusy = true;
    peer.connection.shutdown();
    peer.connection.closeWhenDone();
    await turns();
    assert.equal(handler.shutdowns, 1);
    assert.equal(peer.wire.ended, false);
    handler.isBusy = false;
    handler.connection.write(Buffer.from('done'), 0, 4);
    await turns();
    assert.equal(peer.wire.output.toString(), 'done');
    assert.equal(peer.wire.ended, true);
  });

  it('closes what was idle for the timeout', async () => {
    const { peer, handler } = connect({ limits: { idleTimeoutMs: 1000 } });
    const startMs = performance.now();
    peer.connection.checkIdle(startMs + 900);
    peer.wire.push(Buffer.from('x'));
    await turns();
    peer.connection.checkIdle(startMs + 1800);
    peer.connection.checkIdle(startMs + 2700);
    assert.equal(peer.wire.ended, false);
    peer.connection.checkIdle(startMs + 2900);
    await turns();
    peer.wire.pushEnd();
    await turns();
    assert.deepEqual(handler.closed, ['idle']);
  });
});
