/** The file system as a port: the simulator implements it with torn writes, lost unsynced data and failing syncs. */
export interface FileSystem {
  /** Creates the folder and its parents when missing. */
  makeDirectory(path: string): Promise<void>;
  /** Names (not paths) of the entries of a folder. */
  list(path: string): Promise<string[]>;
  /** Opens for reading and writing. create: make it when missing; exclusive: fail when it exists. */
  open(path: string, options: { create: boolean; exclusive?: boolean }): Promise<FileHandle>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Makes creations, renames and removals in the folder durable. */
  syncDirectory(path: string): Promise<void>;
  /** Bytes of the volume that holds the path. */
  space(path: string): Promise<{ totalBytes: number; freeBytes: number }>;
  /** Changes with every start of the machine; null when the system does not tell. */
  bootId?(): Promise<string | null>;
  /**
   * Takes an exclusive lock that a crash of the process leaves free. Resolves with its release, or with the pid
   * (or null when not known) of who holds it.
   */
  lock(path: string): Promise<{ release: () => Promise<void> } | { heldBy: number | null }>;
}

/** Errors reject with the NodeJS.ErrnoException of the operation. */
export interface FileHandle {
  /** Writes all buffers, in order, at the position; resolves when every byte was taken by the system. */
  write(buffers: readonly Buffer[], position: number): Promise<void>;
  /**
   * The same without leaving the turn: for small writes, which the page cache takes in less time than handing them
   * to another thread costs. Throws when not every byte was taken. Absent where a write always waits.
   */
  writeNow?(buffers: readonly Buffer[], position: number): void;
  /** Fills buffer[0, length) from the position; resolves with the bytes read (less only at the end of the file). */
  read(buffer: Buffer, length: number, position: number): Promise<number>;
  /** fdatasync. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}
