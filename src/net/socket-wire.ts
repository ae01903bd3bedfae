import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { readIntoMemory } from './raw-socket.ts';
import type { Wire, WireInfo, WireListener } from './wire.ts';

/** A TCP, TLS or unix domain socket as a wire. */
export class SocketWire implements Wire {
  private readonly socket: Socket;

  private constructor(socket: Socket, listener: WireListener) {
    this.socket = socket;
    socket.on('end', () => listener.onPeerEnd());
    socket.on('error', (error) => listener.onWireError(error));
    socket.on('close', () => listener.onWireClosed());
  }

  /** Takes over an accepted, still paused socket. */
  static plain(accepted: Socket, listener: WireListener): SocketWire {
    const socket = readIntoMemory(accepted, listener);
    if (socket === null) return SocketWire.byEvents(accepted, listener);
    socket.setNoDelay(true);
    return new SocketWire(socket, listener);
  }

  /** Takes over a socket that reports its data by events: TLS, whose bytes are decrypted elsewhere. */
  static byEvents(socket: Socket, listener: WireListener): SocketWire {
    socket.setNoDelay(true);
    const wire = new SocketWire(socket, listener);
    socket.on('data', (chunk: Buffer) => listener.onChunk(chunk));
    socket.resume();
    return wire;
  }

  send(pieces: readonly Buffer[], done: () => void): void {
    const { socket } = this;
    const last = pieces.length - 1;
    if (last === 0) {
      socket.write(pieces[0]!, done);
      return;
    }
    socket.cork();
    for (let i = 0; i < last; i++) socket.write(pieces[i]!);
    socket.write(pieces[last]!, done);
    socket.uncork();
  }

  startReading(): void {
    this.socket.resume();
  }

  stopReading(): void {
    this.socket.pause();
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** What is known of a socket when it was accepted; null when the peer is gone already. */
export function socketInfo(socket: Socket): WireInfo | null {
  const { remoteAddress, localAddress } = socket;
  const isPipe = localAddress === undefined;
  if (!isPipe && remoteAddress === undefined) return null;
  return {
    remoteAddress: plainAddress(remoteAddress ?? ''),
    remotePort: socket.remotePort ?? 0,
    localAddress: plainAddress(localAddress ?? ''),
    localPort: socket.localPort ?? 0,
    tls: null,
  };
}

export function tlsInfo(socket: TLSSocket): WireInfo | null {
  const info = socketInfo(socket);
  if (info === null) return null;
  const named = (socket as { servername?: string | false | null }).servername;
  const servername = typeof named === 'string' ? named : null;
  return { ...info, tls: { servername, authorized: socket.authorized } };
}

/** IPv4 peers of a dual-stack listener without their IPv6 prefix. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
