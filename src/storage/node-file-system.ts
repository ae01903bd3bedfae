import * as fs from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { LyrebirdError } from '../base/errors.ts';
import type { FileHandle, FileSystem } from './file-system.ts';

/** The operating system's file system. The only file of storage that touches node:fs. */
export function createNodeFileSystem(): FileSystem {
  return new NodeFileSystem();
}

class NodeFileSystem implements FileSystem {
  async makeDirectory(path: string): Promise<void> {
    await fs.promises.mkdir(path, { recursive: true });
  }

  list(path: string): Promise<string[]> {
    return fs.promises.readdir(path);
  }

  open(path: string, options: { create: boolean; exclusive?: boolean }): Promise<FileHandle> {
    const { O_RDWR, O_CREAT, O_EXCL } = fs.constants;
    const flags =
      O_RDWR | (options.create ? O_CREAT : 0) | (options.exclusive === true ? O_EXCL : 0);
    return new Promise((resolve, reject) => {
      fs.open(path, flags, 0o640, (error, fd) => {
        if (error === null) resolve(new NodeFileHandle(fd));
        else reject(error);
      });
    });
  }

  rename(from: string, to: string): Promise<void> {
    return fs.promises.rename(from, to);
  }

  remove(path: string): Promise<void> {
    return fs.promises.rm(path);
  }

  async exists(path: string): Promise<boolean> {
    try {
      await fs.promises.access(path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  async syncDirectory(path: string): Promise<void> {
    // Windows has no such thing: a folder cannot be opened there, and metadata is journalled by the system.
    if (process.platform === 'win32') return;
    const handle = await fs.promises.open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async space(path: string): Promise<{ totalBytes: number; freeBytes: number }> {
    const stats = await fs.promises.statfs(path);
    // bavail: what is left for processes that are not root, which is what the broker should be.
    return { totalBytes: stats.blocks * stats.bsize, freeBytes: stats.bavail * stats.bsize };
  }

  async bootId(): Promise<string | null> {
    if (process.platform !== 'linux') return null;
    try {
      return (await fs.promises.readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
    } catch {
      return null; // a sandbox may hide /proc
    }
  }

  lock(path: string): Promise<{ release: () => Promise<void> } | { heldBy: number | null }> {
    return takeLock(path);
  }
}

/** Callbacks of node:fs wrapped by hand: its own promise handles cost several times as much per call. */
class NodeFileHandle implements FileHandle {
  private fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  write(buffers: readonly Buffer[], position: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.writeFrom([...buffers], position, resolve, reject);
    });
  }

  writeNow(buffers: readonly Buffer[], position: number): void {
    let rest = [...buffers];
    let at = position;
    while (rest.length > 0) {
      const first = rest[0]!;
      const written =
        rest.length === 1
          ? fs.writeSync(this.fd, first, 0, first.length, at)
          : fs.writevSync(this.fd, rest, at);
      rest = dropBytes(rest, written);
      at += written;
    }
  }

  read(buffer: Buffer, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.readInto(buffer, { done: 0, length, position }, resolve, reject);
    });
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.fd, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  truncate(length: number): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.ftruncate(this.fd, length, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.fstat(this.fd, (error, stats) => (error === null ? resolve(stats.size) : reject(error)));
    });
  }

  close(): Promise<void> {
    const fd = this.fd;
    this.fd = -1;
    if (fd === -1) return Promise.resolve();
    return new Promise((resolve, reject) => {
      fs.close(fd, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  private writeFrom(
    buffers: Buffer[],
    position: number,
    resolve: () => void,
    reject: (error: Error) => void,
  ): void {
    let total = 0;
    for (const buffer of buffers) total += buffer.length;
    if (total === 0) {
      resolve();
      return;
    }
    const done = (error: NodeJS.ErrnoException | null, written: number): void => {
      if (error !== null) reject(error);
      else if (written === total) resolve();
      else this.writeFrom(dropBytes(buffers, written), position + written, resolve, reject);
    };
    const first = buffers[0]!;
    if (buffers.length === 1) fs.write(this.fd, first, 0, first.length, position, done);
    else fs.writev(this.fd, buffers, position, done);
  }

  private readInto(
    buffer: Buffer,
    progress: { done: number; length: number; position: number },
    resolve: (bytes: number) => void,
    reject: (error: Error) => void,
  ): void {
    const { done, length, position } = progress;
    fs.read(this.fd, buffer, done, length - done, position + done, (error, bytes) => {
      if (error !== null) reject(error);
      else if (bytes === 0 || done + bytes === length) resolve(done + bytes);
      else this.readInto(buffer, { done: done + bytes, length, position }, resolve, reject);
    });
  }
}

/** What is left of the buffers after their first bytes were written. */
function dropBytes(buffers: Buffer[], written: number): Buffer[] {
  const rest: Buffer[] = [];
  let skip = written;
  for (const buffer of buffers) {
    if (skip >= buffer.length) {
      skip -= buffer.length;
      continue;
    }
    rest.push(skip === 0 ? buffer : buffer.subarray(skip));
    skip = 0;
  }
  return rest;
}

/**
 * An exclusive lock without native code: whoever listens on the lock's socket holds it. The system closes a
 * process' sockets however it dies, so there is no stale owner and no pid that could be somebody else's by now.
 *
 * Linux has socket names outside the file system, which vanish with the process and are taken atomically; the
 * name is made from the folder's device and inode. They are private to a network namespace, so a socket beside
 * the lock file is held too: a container that shares the folder sees that one.
 */
async function takeLock(
  path: string,
): Promise<{ release: () => Promise<void> } | { heldBy: number | null }> {
  const held: Server[] = [];
  const release = async (): Promise<void> => {
    for (const server of held.splice(0).reverse()) await closeServer(server);
  };
  try {
    if (process.platform === 'linux') {
      const { dev, ino } = await lockFolder(path);
      const name = `\0lyrebird-${dev}-${ino}-${path.slice(path.lastIndexOf('/') + 1)}`;
      const server = await listen(name);
      if (server === null) return { heldBy: (await askOwner(name)) || null };
      held.push(server);
    }
    const socket = await takeSocketFile(path);
    if (socket !== null && 'heldBy' in socket) {
      await release();
      return socket;
    }
    if (socket !== null) held.push(socket.server);
    return { release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function lockFolder(path: string): Promise<{ dev: bigint; ino: bigint }> {
  return fs.promises.stat(path.slice(0, Math.max(path.lastIndexOf('/'), 1)), { bigint: true });
}

/** Listens beside the lock's path; null where that cannot be (the system limits such paths to about 100 bytes). */
async function takeSocketFile(
  path: string,
): Promise<{ server: Server } | { heldBy: number | null } | null> {
  const name = process.platform === 'win32' ? `\\\\.\\pipe\\lyrebird-${hash(path)}` : path;
  if (Buffer.byteLength(name) > SOCKET_PATH_BYTES_MAX) {
    if (process.platform === 'linux') return null; // the abstract name is held
    throw new LyrebirdError('LB1003', `the path of the data folder is too long to lock: ${path}`);
  }
  let server = await listen(name);
  if (server === null) {
    const owner = await askOwner(name);
    if (owner !== false) return { heldBy: owner };
    // Nobody answers: left by a crash. It is moved away first, so that only one of two starters removes it.
    const stale = `${path}.${process.pid}`;
    await fs.promises.rename(path, stale);
    await fs.promises.rm(stale);
    server = await listen(name);
    if (server === null) return { heldBy: (await askOwner(name)) || null };
  }
  return { server };
}

const SOCKET_PATH_BYTES_MAX = 100;

function hash(text: string): string {
  let value = 5381;
  for (let i = 0; i < text.length; i++) value = (Math.imul(value, 33) ^ text.charCodeAt(i)) >>> 0;
  return value.toString(16);
}

/** A server that tells everybody who connects its pid, or null when the name is taken. */
function listen(name: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {}); // the asker hung up
      socket.end(`${process.pid}\n`);
    });
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen(name, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** The pid of who listens, null when he does not say, false when nobody does. */
function askOwner(name: string): Promise<number | null | false> {
  return new Promise((resolve) => {
    const socket = connect(name);
    let answer = '';
    socket.setEncoding('latin1');
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => {
      socket.destroy();
      resolve(null);
    });
    socket.on('data', (text: string) => {
      answer = (answer + text).slice(0, 20);
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => {
      const pid = Number.parseInt(answer, 10);
      resolve(Number.isSafeInteger(pid) ? pid : null);
    });
  });
}

const ANSWER_TIMEOUT_MS = 500;

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
