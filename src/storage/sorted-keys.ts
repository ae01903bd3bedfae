import assert from 'node:assert/strict';

/** Splitting at this size keeps both levels short for a few hundred thousand keys. */
const CHUNK_KEYS_MAX = 512;

/**
 * A sorted set of text keys in two levels: an array of short sorted arrays. Inserting moves at most one chunk
 * and, when it splits, the list of chunks; a range by prefix touches only what it returns.
 *
 *   chunks:  [ [a b c] [d e] [f g h] ]      no chunk is empty; every key of one is before those of the next
 */
export class SortedKeys {
  private chunks: string[][];
  private count: number;

  constructor() {
    this.chunks = [];
    this.count = 0;
  }

  get size(): number {
    return this.count;
  }

  /** Replaces the whole content. */
  reset(keys: readonly string[]): void {
    const sorted = [...keys].sort(compareKeys);
    this.chunks = [];
    // Half-full chunks take the next inserts without splitting.
    for (let at = 0; at < sorted.length; at += CHUNK_KEYS_MAX / 2) {
      this.chunks.push(sorted.slice(at, at + CHUNK_KEYS_MAX / 2));
    }
    this.count = sorted.length;
  }

  /** The key must not be there yet. */
  add(key: string): void {
    this.count++;
    if (this.chunks.length === 0) {
      this.chunks.push([key]);
      return;
    }
    const index = Math.max(0, this.chunkOf(key));
    const chunk = this.chunks[index]!;
    const at = lowerBound(chunk, key);
    assert(chunk[at] !== key, 'a key is added once');
    chunk.splice(at, 0, key);
    if (chunk.length <= CHUNK_KEYS_MAX) return;
    // Keys often arrive in order: then a full left half is never touched again.
    const half = at === chunk.length - 1 ? chunk.length - 1 : chunk.length >>> 1;
    this.chunks.splice(index + 1, 0, chunk.splice(half));
  }

  /** The key must be there. */
  remove(key: string): void {
    const index = this.chunkOf(key);
    const chunk = this.chunks[index];
    assert(chunk !== undefined, 'a removed key is there');
    const at = lowerBound(chunk, key);
    assert(chunk[at] === key, 'a removed key is there');
    chunk.splice(at, 1);
    if (chunk.length === 0) this.chunks.splice(index, 1);
    this.count--;
  }

  /** Calls back with every key that starts with prefix, in order. The set must not change meanwhile. */
  forEach(prefix: string, callback: (key: string) => void): void {
    let index = Math.max(0, this.chunkOf(prefix));
    let at = index < this.chunks.length ? lowerBound(this.chunks[index]!, prefix) : 0;
    for (; index < this.chunks.length; index++, at = 0) {
      const chunk = this.chunks[index]!;
      for (; at < chunk.length; at++) {
        if (!chunk[at]!.startsWith(prefix)) return;
        callback(chunk[at]!);
      }
    }
  }

  /** Index of the last chunk that begins at or before the key, or -1. */
  private chunkOf(key: string): number {
    let low = 0;
    let high = this.chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.chunks[middle]![0]! <= key) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** The order of the `<` operator (UTF-16 code units), which every search here relies on. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
