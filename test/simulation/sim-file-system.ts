import { randomBelow } from '../../src/base/random.ts';
import type { Random } from '../../src/base/random.ts';
import type { FileHandle, FileSystem } from '../../src/storage/file-system.ts';
import type { SimDisk, WriteInFlight } from './disk.ts';
import type { Inode } from './inode.ts';
import type { Scheduler, SimProcess } from './scheduler.ts';

/** How often operations go wrong: probabilities per operation. */
export interface DiskFaults {
  readonly write: number;
  readonly sync: number;
  readonly read: number;
  /** Everything about names: create, rename, remove, list. */
  readonly names: number;
  /** A sync or write that takes very long. */
  readonly slow: number;
}

export const NO_FAULTS: DiskFaults = { write: 0, sync: 0, read: 0, names: 0, slow: 0.01 };

export interface SimFileSystemOptions {
  readonly disk: SimDisk;
  readonly scheduler: Pick<Scheduler, 'schedule'>;
  readonly process: SimProcess;
  readonly random: Random;
  readonly faults: DiskFaults;
  /** Handles can write within the turn; see FileHandle.writeNow. */
  readonly writesNow: boolean;
  /** The system tells which start of the machine this is. */
  readonly tellsBoots: boolean;
  /** Told about what no program may do, such as changing a buffer that is being written. */
  readonly onMisuse: (message: string) => void;
  /** Told about every change when it takes effect, or null. */
  readonly onChange: ((what: string) => void) | null;
}

/** The file system as one simulated process sees it. Every operation takes some time, and its effect comes last. */
export class SimFileSystem implements FileSystem {
  readonly options: SimFileSystemOptions;

  constructor(options: SimFileSystemOptions) {
    this.options = options;
  }

  makeDirectory(path: string): Promise<void> {
    return this.run('mkdir', path, () => this.options.disk.makeFolder(path));
  }

  list(path: string): Promise<string[]> {
    return this.run('scandir', path, () => {
      if (!this.options.disk.hasFolder(path)) throw failure('ENOENT', 'scandir', path);
      return this.options.disk.list(path);
    });
  }

  open(path: string, options: { create: boolean; exclusive?: boolean }): Promise<FileHandle> {
    return this.run('open', path, () => {
      const { disk } = this.options;
      let inode = disk.find(path);
      if (inode !== undefined && options.exclusive === true) {
        throw failure('EEXIST', 'open', path);
      }
      if (inode === undefined && !options.create) throw failure('ENOENT', 'open', path);
      if (inode === undefined) this.options.onChange?.(`create ${path}`);
      inode ??= disk.create(path);
      return new SimFileHandle(this, inode, path);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.run('rename', from, () => {
      if (this.options.disk.find(from) === undefined) throw failure('ENOENT', 'rename', from);
      this.options.disk.rename(from, to);
      this.options.onChange?.(`rename ${from} to ${to}`);
    });
  }

  remove(path: string): Promise<void> {
    return this.run('unlink', path, () => {
      if (this.options.disk.find(path) === undefined) throw failure('ENOENT', 'unlink', path);
      this.options.disk.remove(path);
      this.options.onChange?.(`remove ${path}`);
    });
  }

  exists(path: string): Promise<boolean> {
    const { disk } = this.options;
    return this.run('access', path, () => disk.find(path) !== undefined || disk.hasFolder(path));
  }

  syncDirectory(path: string): Promise<void> {
    const fails = this.strikes(this.options.faults.sync);
    return this.later(this.latencyMs(0.3), () => {
      if (fails) throw failure('EIO', 'fsync', path);
      this.options.disk.syncFolder(path);
      this.options.onChange?.(`sync folder ${path}`);
    });
  }

  space(path: string): Promise<{ totalBytes: number; freeBytes: number }> {
    return this.run('statfs', path, () => {
      const { capacityBytes, usedBytes } = this.options.disk;
      return { totalBytes: capacityBytes, freeBytes: Math.max(0, capacityBytes - usedBytes) };
    });
  }

  bootId(): Promise<string | null> {
    const { disk, tellsBoots } = this.options;
    return Promise.resolve(tellsBoots ? `boot ${disk.boots}` : null);
  }

  lock(path: string): Promise<{ release: () => Promise<void> } | { heldBy: number | null }> {
    const { locks } = this.options.disk;
    return this.run('lock', path, () => {
      if (locks.has(path)) return { heldBy: null };
      locks.add(path);
      return { release: () => this.later(0.01, () => void locks.delete(path)) };
    });
  }

  /** Resolves with what the effect returns, after a while. After a crash it never does. */
  later<T>(delayMs: number, effect: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.options.scheduler.schedule(delayMs, this.options.process, () => {
        try {
          resolve(effect());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  strikes(probability: number): boolean {
    return probability > 0 && this.options.random.float() < probability;
  }

  /** Around typicalMs, sometimes much longer. */
  latencyMs(typicalMs: number): number {
    const { random, faults } = this.options;
    const slow = this.strikes(faults.slow) ? 100 + randomBelow(random, 900) : 0;
    return typicalMs * (0.2 + 2 * random.float()) + slow;
  }

  private run<T>(call: string, path: string, effect: () => T): Promise<T> {
    const fails = this.strikes(this.options.faults.names);
    return this.later(this.latencyMs(0.02), () => {
      if (fails) throw failure('EIO', call, path);
      return effect();
    });
  }
}

class SimFileHandle implements FileHandle {
  writeNow?: (buffers: readonly Buffer[], position: number) => void;
  private readonly fileSystem: SimFileSystem;
  private readonly inode: Inode;
  private readonly path: string;
  private closed: boolean;
  private inFlight: number;

  constructor(fileSystem: SimFileSystem, inode: Inode, path: string) {
    this.fileSystem = fileSystem;
    this.inode = inode;
    this.path = path;
    this.closed = false;
    this.inFlight = 0;
    if (fileSystem.options.writesNow) {
      this.writeNow = (buffers, position) => {
        if (this.closed) throw failure('EBADF', 'write', this.path);
        const fails = fileSystem.strikes(fileSystem.options.faults.write);
        this.take(Buffer.concat(buffers), position, fails);
      };
    }
  }

  write(buffers: readonly Buffer[], position: number): Promise<void> {
    const { disk, faults, onMisuse } = this.fileSystem.options;
    const fails = this.fileSystem.strikes(faults.write);
    const pending: WriteInFlight = { inode: this.inode, position, bytes: Buffer.concat(buffers) };
    disk.writesInFlight.add(pending);
    return this.act('write', this.fileSystem.latencyMs(0.05), () => {
      disk.writesInFlight.delete(pending);
      const { bytes } = pending;
      if (!Buffer.concat(buffers).equals(bytes)) onMisuse(`${this.path}: changed while written`);
      this.take(bytes, position, fails);
    });
  }

  read(buffer: Buffer, length: number, position: number): Promise<number> {
    const fails = this.fileSystem.strikes(this.fileSystem.options.faults.read);
    return this.act('read', this.fileSystem.latencyMs(0.05), () => {
      if (fails) throw failure('EIO', 'read', this.path);
      return this.inode.read(buffer, length, position);
    });
  }

  sync(): Promise<void> {
    const { random, faults, onChange } = this.fileSystem.options;
    const fails = this.fileSystem.strikes(faults.sync);
    const covered = this.inode.changeCount;
    return this.act('fdatasync', this.fileSystem.latencyMs(0.5), () => {
      if (fails) {
        this.inode.failSync(random);
        throw failure('EIO', 'fdatasync', this.path);
      }
      this.inode.sync(covered);
      onChange?.(`sync ${this.path}`);
    });
  }

  truncate(length: number): Promise<void> {
    return this.act('ftruncate', this.fileSystem.latencyMs(0.05), () => {
      const { disk } = this.fileSystem.options;
      if (length - this.inode.size > disk.capacityBytes - disk.usedBytes) {
        throw failure('ENOSPC', 'ftruncate', this.path);
      }
      this.inode.truncate(length);
      this.fileSystem.options.onChange?.(`truncate ${this.path} to ${length}`);
    });
  }

  size(): Promise<number> {
    return this.act('fstat', this.fileSystem.latencyMs(0.02), () => this.inode.size);
  }

  close(): Promise<void> {
    if (this.closed) return Promise.resolve();
    this.closed = true;
    const { onMisuse } = this.fileSystem.options;
    if (this.inFlight > 0) onMisuse(`${this.path} is closed while it is being used`);
    return this.fileSystem.later(this.fileSystem.latencyMs(0.02), () => {});
  }

  /** The system takes the bytes, or some of them and reports an error. */
  private take(bytes: Buffer, position: number, fails: boolean): void {
    const { disk, random, onChange } = this.fileSystem.options;
    const room = disk.capacityBytes - disk.usedBytes;
    const growth = Math.max(0, position + bytes.length - this.inode.size);
    if (!fails && growth <= room) {
      this.inode.write(bytes, position);
      onChange?.(`write ${this.path} ${position} to ${position + bytes.length}`);
      return;
    }
    const taken = randomBelow(random, Math.max(1, bytes.length - Math.max(0, growth - room)));
    if (taken > 0) this.inode.write(bytes.subarray(0, taken), position);
    throw failure(fails ? 'EIO' : 'ENOSPC', 'write', this.path);
  }

  private act<T>(call: string, delayMs: number, effect: () => T): Promise<T> {
    if (this.closed) return Promise.reject(failure('EBADF', call, this.path));
    this.inFlight++;
    return this.fileSystem.later(delayMs, () => {
      this.inFlight--;
      return effect();
    });
  }
}

function failure(code: string, call: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code, syscall: call, path });
}
