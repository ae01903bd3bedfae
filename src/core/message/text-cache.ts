const SLOTS = 1024;
const SLOT_MASK = SLOTS - 1;
/** Longer texts are not worth a slot. */
const CACHED_BYTES_MAX = 128;

/**
 * Turns the same few texts (names of exchanges, routing keys) from bytes into strings without making a new string
 * each time: a table of the last string for each hash, compared byte by byte. ASCII only; the rest is decoded.
 */
export class TextCache {
  private readonly slots: (string | undefined)[];

  constructor() {
    this.slots = new Array<string | undefined>(SLOTS).fill(undefined);
  }

  read(buffer: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return '';
    if (length > CACHED_BYTES_MAX) return buffer.toString('utf8', start, end);
    let hash = length;
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + buffer[at]!) | 0;
    const slot = (hash ^ (hash >>> 15)) & SLOT_MASK;
    const known = this.slots[slot];
    if (known !== undefined && known.length === length && isText(known, buffer, start)) {
      return known;
    }
    const text = buffer.toString('utf8', start, end);
    this.slots[slot] = text;
    return text;
  }
}

function isText(text: string, buffer: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const byte = buffer[start + i]!;
    if (byte !== text.charCodeAt(i) || byte >= 0x80) return false;
  }
  return true;
}
