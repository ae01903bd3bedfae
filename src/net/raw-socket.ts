import { Socket } from 'node:net';

/** Where a socket's bytes go when the kernel writes them straight into memory of ours. */
export interface ReadSink {
  nextTarget(): Buffer;
  onRead(target: Buffer, size: number): void;
}

interface SocketHandle {
  readStart(): unknown;
  readStop(): unknown;
}

interface HandleOwner {
  _handle?: SocketHandle | null;
}

/**
 * Moves an accepted socket's handle to a new socket that reads into memory of our choice (`onread`), which
 * net.Server offers no option for. The handle is an undocumented property: this module alone knows of it, and
 * returns null where it is not as expected, so that the caller falls back to 'data' events.
 */
export function readIntoMemory(accepted: Socket, sink: ReadSink): Socket | null {
  const owner = accepted as unknown as HandleOwner;
  const handle = owner._handle;
  if (typeof handle?.readStart !== 'function' || typeof handle.readStop !== 'function') return null;
  owner._handle = null;
  const options = {
    handle,
    allowHalfOpen: true,
    onread: {
      buffer: () => sink.nextTarget(),
      callback: (size: number, target: Uint8Array) => {
        sink.onRead(target as Buffer, size);
        return true;
      },
    },
  };
  const socket = new Socket(options);
  // The shell is empty now; destroying it makes its server forget it.
  accepted.destroy();
  return socket;
}
