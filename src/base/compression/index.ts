import { gunzipSync, gzipSync } from 'node:zlib';
import { decompressLz4 } from './lz4.ts';
import { decompressSnappy } from './snappy.ts';
import { decompressZstd } from './zstd.ts';

/** Compression codecs of a record batch: bits 0-2 of its attributes. */
export const CODEC = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

/** Why bytes could not be decompressed. 'too-large': the output would exceed the given limit. */
export type DecompressionDefect = 'corrupt' | 'too-large' | 'unknown-codec';

/**
 * The decompressed bytes (at most maxBytes), or why there are none. Input may be hostile: work and memory are
 * bounded by its size and maxBytes. The result may share memory with the input.
 */
export function decompress(
  codec: number,
  input: Buffer,
  maxBytes: number,
): Buffer | DecompressionDefect {
  switch (codec) {
    case CODEC.none:
      return input.length <= maxBytes ? input : 'too-large';
    case CODEC.gzip:
      return decompressGzip(input, maxBytes);
    case CODEC.snappy:
      return decompressSnappy(input, maxBytes);
    case CODEC.lz4:
      return decompressLz4(input, maxBytes);
    case CODEC.zstd:
      return decompressZstd(input, maxBytes);
    default:
      return 'unknown-codec';
  }
}

/** Compresses with gzip: the one codec every client reads that Node brings along. */
export function compressGzip(input: Buffer): Buffer {
  return gzipSync(input);
}

function decompressGzip(input: Buffer, maxBytes: number): Buffer | DecompressionDefect {
  try {
    return gunzipSync(input, { maxOutputLength: Math.max(1, maxBytes) });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      ? 'too-large'
      : 'corrupt';
  }
}
