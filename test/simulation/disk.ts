import { randomBelow } from '../../src/base/random.ts';
import type { Random } from '../../src/base/random.ts';
import { Inode } from './inode.ts';

/** What a crash does to a disk: the process dies, and maybe the machine with what was not synced. */
export type CrashKind = 'kill' | 'power';

interface NameChange {
  readonly folder: string;
  readonly apply: (names: Map<string, Inode>) => void;
}

/** A write that the process had asked for and that the system had not finished. */
export interface WriteInFlight {
  readonly inode: Inode;
  readonly position: number;
  readonly bytes: Buffer;
}

/**
 * A disk under a page cache. Every file has what processes see and what the platter has; the same goes for names.
 * Names in a folder become durable in the order in which they were changed, at the latest with a sync of the
 * folder.
 */
export class SimDisk {
  capacityBytes: number;
  readonly writesInFlight: Set<WriteInFlight>;
  /** Paths of locks held by the living process. */
  readonly locks: Set<string>;
  /** How often the machine was started. */
  boots: number;
  private readonly folders: Set<string>;
  private names: Map<string, Inode>;
  private durableNames: Map<string, Inode>;
  private nameChanges: NameChange[];

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes;
    this.writesInFlight = new Set();
    this.locks = new Set();
    this.boots = 1;
    this.folders = new Set();
    this.names = new Map();
    this.durableNames = new Map();
    this.nameChanges = [];
  }

  get usedBytes(): number {
    let bytes = 0;
    for (const inode of new Set(this.names.values())) bytes += inode.size;
    return bytes;
  }

  makeFolder(path: string): void {
    this.folders.add(path);
  }

  hasFolder(path: string): boolean {
    return this.folders.has(path);
  }

  find(path: string): Inode | undefined {
    return this.names.get(path);
  }

  list(folder: string): string[] {
    const names: string[] = [];
    for (const path of [...this.names.keys(), ...this.folders]) {
      if (path.startsWith(`${folder}/`) && !path.includes('/', folder.length + 1)) {
        names.push(path.slice(folder.length + 1));
      }
    }
    return names.sort();
  }

  create(path: string): Inode {
    const inode = new Inode();
    this.change(path, (names) => void names.set(path, inode));
    return inode;
  }

  rename(from: string, to: string): void {
    const inode = this.names.get(from)!;
    this.change(to, (names) => {
      names.delete(from);
      names.set(to, inode);
    });
  }

  remove(path: string): void {
    this.change(path, (names) => void names.delete(path));
  }

  syncFolder(folder: string): void {
    const rest: NameChange[] = [];
    for (const change of this.nameChanges) {
      if (change.folder === folder) change.apply(this.durableNames);
      else rest.push(change);
    }
    this.nameChanges = rest;
  }

  /** Leaves the disk as the next process finds it. */
  crash(kind: CrashKind, random: Random): void {
    this.locks.clear();
    for (const { inode, position, bytes } of this.writesInFlight) {
      // The system had taken none, some or all of it.
      const taken = random.float() < 0.5 ? randomBelow(random, bytes.length + 1) : bytes.length;
      if (taken > 0 && random.float() < 0.7) inode.write(bytes.subarray(0, taken), position);
    }
    this.writesInFlight.clear();
    if (kind === 'kill') return;
    this.boots++;
    const lastKept = new Map<string, boolean>();
    for (const change of this.nameChanges) {
      const kept = (lastKept.get(change.folder) ?? true) && random.float() < 0.6;
      lastKept.set(change.folder, kept);
      if (kept) change.apply(this.durableNames);
    }
    this.nameChanges = [];
    for (const inode of new Set(this.durableNames.values())) inode.losePower(random);
    this.names = new Map(this.durableNames);
  }

  /** Flips one bit of a file, on the platter and in the cache. Returns the path, or null when nothing is there. */
  flipBit(random: Random): string | null {
    const files = [...this.names].filter(([, inode]) => inode.size > 0);
    if (files.length === 0) return null;
    const [path, inode] = files[randomBelow(random, files.length)]!;
    inode.flipBit(randomBelow(random, inode.size), randomBelow(random, 8));
    return path;
  }

  /** A disk with the same content that shares nothing; for a process that was not killed in the middle of a write. */
  clone(): SimDisk {
    const copy = new SimDisk(this.capacityBytes);
    const inodes = new Map<Inode, Inode>();
    for (const [path, inode] of this.names) {
      const cloned = inodes.get(inode) ?? inode.clone();
      inodes.set(inode, cloned);
      copy.names.set(path, cloned);
    }
    for (const folder of this.folders) copy.folders.add(folder);
    copy.durableNames = new Map(copy.names);
    copy.boots = this.boots;
    return copy;
  }

  private change(path: string, apply: (names: Map<string, Inode>) => void): void {
    apply(this.names);
    this.nameChanges.push({ folder: path.slice(0, path.lastIndexOf('/')), apply });
  }
}
