import zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import type { DecompressionDefect } from './index.ts';

type NativeDecompress = (input: Buffer, options: { maxOutputLength: number }) => Buffer;

/** Node has zstd from 22.15 on. */
const native = (zlib as unknown as { zstdDecompressSync?: NativeDecompress }).zstdDecompressSync;

const FRAME_MAGIC = 0xfd2fb528;
/** Windows above this are refused: the decoder would allocate them before it has seen any data. */
const WINDOW_BYTES_MAX = 128 * 1024 * 1024;

export function decompressZstd(input: Buffer, maxBytes: number): Buffer | DecompressionDefect {
  return native === undefined
    ? decompressPortable(input, maxBytes)
    : decompressNative(native, input, maxBytes);
}

function decompressNative(
  decompressSync: NativeDecompress,
  input: Buffer,
  maxBytes: number,
): Buffer | DecompressionDefect {
  try {
    return decompressSync(input, { maxOutputLength: Math.max(1, maxBytes) });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      ? 'too-large'
      : 'corrupt';
  }
}

class TooLarge extends Error {}

function decompressPortable(input: Buffer, maxBytes: number): Buffer | DecompressionDefect {
  if (windowBytes(input) > WINDOW_BYTES_MAX) return 'too-large';
  const chunks: Buffer[] = [];
  let total = 0;
  try {
    const decoder = new Decompress((chunk) => {
      total += chunk.length;
      if (total > maxBytes) throw new TooLarge();
      chunks.push(Buffer.from(chunk));
    });
    decoder.push(input, true);
  } catch (error) {
    return error instanceof TooLarge ? 'too-large' : 'corrupt';
  }
  return Buffer.concat(chunks, total);
}

/** What the first frame's header asks for (RFC 8878, section 3.1.1.1.2). */
function windowBytes(input: Buffer): number {
  if (input.length < 6 || input.readUInt32LE(0) !== FRAME_MAGIC) return 0;
  const singleSegment = (input[4]! & 0x20) !== 0;
  if (singleSegment) return 0;
  const descriptor = input[5]!;
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}
