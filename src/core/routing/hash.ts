const MULTIPLIER = 0x5bd1e995;
const SEED = 0x9747b28c;

/**
 * MurmurHash2 (public domain design by Austin Appleby), 32 bits, with the seed that Kafka's clients partition keys by;
 * a signed integer. Source: https://kafka.apache.org/documentation/#producerconfigs_partitioner.class
 */
export function murmur2(bytes: Buffer): number {
  const { length } = bytes;
  let hash = SEED ^ length;
  const wordsEnd = length & ~3;
  for (let i = 0; i < wordsEnd; i += 4) {
    let word = Math.imul(bytes.readInt32LE(i), MULTIPLIER);
    word ^= word >>> 24;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER);
  }
  const left = length - wordsEnd;
  if (left === 3) hash ^= bytes[wordsEnd + 2]! << 16;
  if (left >= 2) hash ^= bytes[wordsEnd + 1]! << 8;
  if (left >= 1) hash = Math.imul(hash ^ bytes[wordsEnd]!, MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/** A well-mixed unsigned 32-bit hash of a text, the same in every run (FNV-1a, then a finalizer). */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix32(hash);
}

/** Spreads the bits of an integer over all 32 (the finalizer of MurmurHash3); unsigned. */
export function mix32(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
