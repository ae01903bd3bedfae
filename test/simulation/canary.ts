import type { FileHandle, FileSystem } from '../../src/storage/file-system.ts';

/**
 * A file system whose sync answers before the data is on the platter, which makes every engine on it acknowledge
 * too early. The simulator has to notice: else it would not notice a real bug either.
 */
export class EarlySyncFileSystem implements FileSystem {
  private readonly inner: FileSystem;

  constructor(inner: FileSystem) {
    this.inner = inner;
  }

  async open(path: string, options: { create: boolean; exclusive?: boolean }): Promise<FileHandle> {
    const handle = await this.inner.open(path, options);
    const syncs: Promise<void>[] = [];
    return {
      write: (buffers, position) => handle.write(buffers, position),
      read: (buffer, length, position) => handle.read(buffer, length, position),
      sync: () => {
        syncs.push(handle.sync());
        return Promise.resolve();
      },
      truncate: (length) => handle.truncate(length),
      size: () => handle.size(),
      close: async () => {
        await Promise.allSettled(syncs);
        await handle.close();
      },
    };
  }

  makeDirectory(path: string): Promise<void> {
    return this.inner.makeDirectory(path);
  }

  list(path: string): Promise<string[]> {
    return this.inner.list(path);
  }

  rename(from: string, to: string): Promise<void> {
    return this.inner.rename(from, to);
  }

  remove(path: string): Promise<void> {
    return this.inner.remove(path);
  }

  exists(path: string): Promise<boolean> {
    return this.inner.exists(path);
  }

  syncDirectory(path: string): Promise<void> {
    return this.inner.syncDirectory(path);
  }

  space(path: string): Promise<{ totalBytes: number; freeBytes: number }> {
    return this.inner.space(path);
  }

  lock(path: string): Promise<{ release: () => Promise<void> } | { heldBy: number | null }> {
    return this.inner.lock(path);
  }
}
