import { decodeText } from './argument-reader.ts';

/** Slots looked at before one is replaced. */
const PROBES = 4;

/**
 * Strings of byte ranges that come again and again, such as names of exchanges and routing keys: the same bytes give
 * the same string object without being decoded, so that a Map finds it by its cached hash. A bounded cache: of the
 * slots that the bytes may be in, the first is given up when all are taken.
 */
export class BytesInterner {
  private readonly mask: number;
  private readonly hashes: Int32Array;
  private readonly keys: (Buffer | null)[];
  private readonly texts: string[];

  /** Slots are rounded up to a power of two. Memory is at most that many times a string and its bytes. */
  constructor(slots = 1024) {
    let size = PROBES;
    while (size < slots) size *= 2;
    this.mask = size - 1;
    this.hashes = new Int32Array(size);
    this.keys = Array.from({ length: size }, () => null);
    this.texts = Array.from({ length: size }, () => '');
  }

  /** The string of the bytes [start, end). Throws an AmqpCodecError when they are no UTF-8. */
  intern(buffer: Buffer, start: number, end: number): string {
    if (start === end) return '';
    const hash = hashBytes(buffer, start, end);
    const { mask, hashes, keys } = this;
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = (hash + probe) & mask;
      const key = keys[slot] as Buffer | null; // masked
      if (key === null) return this.put(slot, hash, buffer, start, end);
      if (hashes[slot] === hash && equals(key, buffer, start, end)) {
        return this.texts[slot] as string; // masked
      }
    }
    return this.put(hash & mask, hash, buffer, start, end);
  }

  private put(slot: number, hash: number, buffer: Buffer, start: number, end: number): string {
    const text = decodeText(buffer, start, end);
    this.hashes[slot] = hash;
    this.keys[slot] = Buffer.from(buffer.subarray(start, end));
    this.texts[slot] = text;
    return text;
  }
}

/** FNV-1a, with its high bits mixed into the low ones, which choose the slot. */
function hashBytes(buffer: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) {
    hash = Math.imul(hash ^ (buffer[i] as number), 0x01000193); // inside the range
  }
  return hash ^ (hash >>> 15);
}

function equals(key: Buffer, buffer: Buffer, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = 0; i < key.length; i++) {
    if (key[i] !== buffer[start + i]) return false;
  }
  return true;
}
