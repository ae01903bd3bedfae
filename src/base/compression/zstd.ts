import zlib from 'node:zlib';
import type { DecompressionDefect } from './index.ts';
import { decompressZstdPortable } from './zstd-portable.ts';

type NativeDecompress = (input: Buffer, options: { maxOutputLength: number }) => Buffer;

/** Node has zstd from 22.15 on. */
const native = (zlib as unknown as { zstdDecompressSync?: NativeDecompress }).zstdDecompressSync;

export function decompressZstd(input: Buffer, maxBytes: number): Buffer | DecompressionDefect {
  if (native === undefined) return decompressZstdPortable(input, maxBytes);
  try {
    return native(input, { maxOutputLength: Math.max(1, maxBytes) });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      ? 'too-large'
      : 'corrupt';
  }
}
