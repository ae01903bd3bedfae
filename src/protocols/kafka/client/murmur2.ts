/**
 * MurmurHash2 with the seed that Kafka's default partitioner uses (source: KIP-480 and the algorithm's public
 * domain description by Austin Appleby), so that a key lands in the same partition as with the Java client.
 */
export function murmur2(bytes: Buffer): number {
  const multiplier = 0x5bd1e995;
  const { length } = bytes;
  let hash = 0x9747b28c ^ length;
  let at = 0;
  for (; length - at >= 4; at += 4) {
    let word = Math.imul(bytes.readInt32LE(at), multiplier);
    word ^= word >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier);
  }
  if (at < length) {
    for (let shift = 0, rest = at; rest < length; rest++, shift += 8) {
      hash ^= (bytes[rest] ?? 0) << shift;
    }
    hash = Math.imul(hash, multiplier);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, multiplier);
  return hash ^ (hash >>> 15);
}

/** The partition of a key among count. */
export function partitionOfKey(key: Buffer, count: number): number {
  return (murmur2(key) & 0x7fff_ffff) % count;
}
