import { randomBelow } from '../../src/base/random.ts';
import type { Random } from '../../src/base/random.ts';

const SECTOR_BYTES = 512;

/** A change of a file's content that no sync has covered yet. */
type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly length: number };

/** Bytes that grow as a file does; what was never written is zero. */
class FileBytes {
  buffer: Buffer;
  size: number;

  constructor() {
    this.buffer = Buffer.alloc(0);
    this.size = 0;
  }

  apply(change: Change): void {
    if (change.kind === 'write') this.write(change.bytes, change.position);
    else this.truncate(change.length);
  }

  write(bytes: Buffer, position: number): void {
    const end = position + bytes.length;
    this.reserve(end);
    bytes.copy(this.buffer, position);
    this.size = Math.max(this.size, end);
  }

  truncate(length: number): void {
    this.reserve(length);
    if (length < this.size) this.buffer.fill(0, length, this.size);
    this.size = length;
  }

  copyFrom(other: FileBytes): void {
    this.buffer = Buffer.from(other.buffer);
    this.size = other.size;
  }

  private reserve(bytes: number): void {
    if (bytes <= this.buffer.length) return;
    const grown = Buffer.alloc(Math.max(bytes, this.buffer.length * 2, 4096));
    this.buffer.copy(grown, 0, 0, this.size);
    this.buffer = grown;
  }
}

/** A file's content: what processes see (page cache), what the platter has, and the changes in between. */
export class Inode {
  private readonly seen: FileBytes;
  private readonly platter: FileBytes;
  private unsynced: Change[];
  /** Changes that some sync has covered. */
  private syncedCount: number;

  constructor() {
    this.seen = new FileBytes();
    this.platter = new FileBytes();
    this.unsynced = [];
    this.syncedCount = 0;
  }

  get size(): number {
    return this.seen.size;
  }

  /** Number of changes so far. */
  get changeCount(): number {
    return this.syncedCount + this.unsynced.length;
  }

  /** Keeps the bytes: the caller hands over a copy. */
  write(bytes: Buffer, position: number): void {
    this.change({ kind: 'write', position, bytes });
  }

  truncate(length: number): void {
    this.change({ kind: 'truncate', length });
  }

  read(into: Buffer, length: number, position: number): number {
    const end = Math.min(position + length, this.seen.size);
    if (end <= position) return 0;
    return this.seen.buffer.copy(into, 0, position, end);
  }

  /** The first `count` changes of the file are on the platter. */
  sync(count: number): void {
    const fresh = count - this.syncedCount;
    if (fresh <= 0) return;
    for (let i = 0; i < fresh; i++) this.platter.apply(this.unsynced[i]!);
    this.unsynced = this.unsynced.slice(fresh);
    this.syncedCount = count;
  }

  /**
   * A sync failed: the system takes what it could not write for written and reports later syncs as fine. Processes
   * still see the new content until the cache is gone, and only what is written again reaches the platter.
   */
  failSync(random: Random): void {
    this.platterTakesSome(random);
    this.syncedCount = this.changeCount;
    this.unsynced = [];
  }

  /** The page cache is gone: what was not synced is there, lost or torn. */
  losePower(random: Random): void {
    this.platterTakesSome(random);
    this.syncedCount = this.changeCount;
    this.unsynced = [];
    this.seen.copyFrom(this.platter);
  }

  flipBit(position: number, bit: number): void {
    for (const { buffer, size } of [this.seen, this.platter]) {
      if (position < size) buffer[position] = buffer[position]! ^ (1 << bit);
    }
  }

  clone(): Inode {
    const copy = new Inode();
    copy.seen.copyFrom(this.seen);
    copy.platter.copyFrom(this.seen);
    return copy;
  }

  private change(change: Change): void {
    this.seen.apply(change);
    this.unsynced.push(change);
  }

  private platterTakesSome(random: Random): void {
    if (this.unsynced.length === 0) return;
    const luck = random.float();
    if (luck < 0.2) return;
    if (luck < 0.4) {
      this.sync(this.changeCount);
    } else if (luck < 0.7 || this.unsynced.some((change) => change.kind === 'truncate')) {
      this.takePrefix(random);
    } else {
      this.takeSectors(random);
    }
    // The file's length may have reached the disk before its content: the gap reads as zeros.
    if (random.float() < 0.3 && this.platter.size < this.seen.size) {
      const grown = randomBelow(random, this.seen.size - this.platter.size + 1);
      this.platter.truncate(this.platter.size + grown);
    }
  }

  /** The oldest changes in order, the last of them torn between two sectors. */
  private takePrefix(random: Random): void {
    const whole = randomBelow(random, this.unsynced.length);
    const torn = this.unsynced[whole]!;
    this.sync(this.syncedCount + whole);
    if (torn.kind !== 'write') return;
    const end = torn.position + randomBelow(random, torn.bytes.length + SECTOR_BYTES);
    const cut = Math.floor(end / SECTOR_BYTES) * SECTOR_BYTES - torn.position;
    if (cut > 0) this.platter.write(torn.bytes.subarray(0, cut), torn.position);
  }

  /** Each sector by itself has some age: all changes up to one of those that touched it. */
  private takeSectors(random: Random): void {
    const touches = new Map<number, number>();
    for (const change of this.unsynced) {
      for (const sector of sectorsOf(change)) touches.set(sector, (touches.get(sector) ?? 0) + 1);
    }
    const share = random.float();
    for (const [sector, count] of touches) {
      const kept = random.float() < share ? count : randomBelow(random, count + 1);
      touches.set(sector, kept);
    }
    for (const change of this.unsynced) {
      if (change.kind !== 'write') continue;
      for (const sector of sectorsOf(change)) {
        const left = touches.get(sector)!;
        touches.set(sector, left - 1);
        if (left <= 0) continue;
        const start = Math.max(change.position, sector * SECTOR_BYTES);
        const end = Math.min(change.position + change.bytes.length, (sector + 1) * SECTOR_BYTES);
        const { position } = change;
        this.platter.write(change.bytes.subarray(start - position, end - position), start);
      }
    }
  }
}

function* sectorsOf(change: Change): Iterable<number> {
  if (change.kind !== 'write' || change.bytes.length === 0) return;
  const last = Math.floor((change.position + change.bytes.length - 1) / SECTOR_BYTES);
  for (let s = Math.floor(change.position / SECTOR_BYTES); s <= last; s++) yield s;
}
