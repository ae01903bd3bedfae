import { GrowableOutput } from './growable-output.ts';
import type { DecompressionDefect } from './index.ts';

/**
 * LZ4 frames, one or several (lz4_Frame_format.md of lz4/lz4). Integers are little endian.
 *
 *   magic uint32 0x184D2204 | FLG | BD | contentSize uint64 if FLG bit 3 | dictId uint32 if FLG bit 0 | HC
 *   blocks: size uint32 (high bit: stored as is), bytes, checksum uint32 if FLG bit 4; a size of 0 ends the frame
 *   checksum uint32 if FLG bit 2
 *
 * The xxHash checksums are not verified: the record batch around the frame has one of its own, checked before.
 */
const FRAME_MAGIC = 0x184d2204;
const SKIPPABLE_MAGIC = 0x184d2a50;

const FLAG_DICTIONARY = 0x01;
const FLAG_CONTENT_CHECKSUM = 0x04;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_BLOCK_CHECKSUM = 0x10;
const FLAG_INDEPENDENT = 0x20;

export function decompressLz4(input: Buffer, maxBytes: number): Buffer | DecompressionDefect {
  const output = new GrowableOutput(input.length * 4, maxBytes);
  let position = 0;
  do {
    const end = readFrame(input, position, output);
    if (typeof end === 'string') return end;
    position = end;
  } while (position < input.length);
  return output.finish();
}

/** Appends one frame to the output and returns the position behind it. */
function readFrame(
  input: Buffer,
  start: number,
  output: GrowableOutput,
): number | DecompressionDefect {
  if (start + 7 > input.length) return 'corrupt';
  const magic = input.readUInt32LE(start);
  if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) {
    const end = start + 8 + (start + 8 <= input.length ? input.readUInt32LE(start + 4) : Infinity);
    return end <= input.length ? end : 'corrupt';
  }
  if (magic !== FRAME_MAGIC) return 'corrupt';
  const flags = input[start + 4]!;
  if (flags >>> 6 !== 1 || flags & FLAG_DICTIONARY) return 'corrupt';
  const sizeCode = (input[start + 5]! >>> 4) & 7;
  if (sizeCode < 4) return 'corrupt';
  const blockBytesMax = 1 << (8 + 2 * sizeCode);
  let position = start + 7 + (flags & FLAG_CONTENT_SIZE ? 8 : 0);
  const frameStart = output.length;
  for (;;) {
    if (position + 4 > input.length) return 'corrupt';
    const field = input.readUInt32LE(position);
    position += 4;
    if (field === 0) break;
    const size = field & 0x7fffffff;
    if (size > blockBytesMax || size > input.length - position) return 'corrupt';
    const windowStart = flags & FLAG_INDEPENDENT ? output.length : frameStart;
    const defect =
      field !== size
        ? copyStored(input, position, size, output)
        : readBlock(input, position, position + size, output, { windowStart, blockBytesMax });
    if (defect !== null) return defect;
    position += size + (flags & FLAG_BLOCK_CHECKSUM ? 4 : 0);
  }
  position += flags & FLAG_CONTENT_CHECKSUM ? 4 : 0;
  return position <= input.length ? position : 'corrupt';
}

function copyStored(
  input: Buffer,
  start: number,
  size: number,
  output: GrowableOutput,
): DecompressionDefect | null {
  if (!output.reserve(size)) return 'too-large';
  input.copy(output.buffer, output.length, start, start + size);
  output.length += size;
  return null;
}

/** One raw LZ4 block without a frame, at most maxBytes of output. */
export function decompressLz4Block(input: Buffer, maxBytes: number): Buffer | DecompressionDefect {
  const output = new GrowableOutput(input.length * 4, maxBytes);
  const limits = { windowStart: 0, blockBytesMax: Number.POSITIVE_INFINITY };
  return readBlock(input, 0, input.length, output, limits) ?? output.finish();
}

/**
 * Sequences of a block: token (literal length in the high four bits, match length-4 in the low ones; 15: bytes
 * follow, each added, until one is not 255), literals, offset uint16, further match length. The last has literals only.
 */
function readBlock(
  input: Buffer,
  start: number,
  end: number,
  output: GrowableOutput,
  limits: { readonly windowStart: number; readonly blockBytesMax: number },
): DecompressionDefect | null {
  const blockStart = output.length;
  let position = start;
  while (position < end) {
    const token = input[position++]!;
    let literals = token >>> 4;
    if (literals === 15) {
      let byte: number;
      do {
        if (position >= end) return 'corrupt';
        byte = input[position++]!;
        literals += byte;
      } while (byte === 255);
    }
    if (literals > end - position) return 'corrupt';
    if (output.length - blockStart + literals > limits.blockBytesMax) return 'corrupt';
    if (!output.reserve(literals)) return 'too-large';
    input.copy(output.buffer, output.length, position, position + literals);
    output.length += literals;
    position += literals;
    if (position === end) return null;
    if (position + 2 > end) return 'corrupt';
    const offset = input[position]! | (input[position + 1]! << 8);
    position += 2;
    let length = token & 15;
    if (length === 15) {
      let byte: number;
      do {
        if (position >= end) return 'corrupt';
        byte = input[position++]!;
        length += byte;
      } while (byte === 255);
    }
    length += 4;
    if (offset === 0 || offset > output.length - limits.windowStart) return 'corrupt';
    if (output.length - blockStart + length > limits.blockBytesMax) return 'corrupt';
    if (!output.reserve(length)) return 'too-large';
    repeat(output, offset, length);
  }
  return 'corrupt';
}

/** Copies length bytes from offset bytes back; what is copied may reach into what is being written. */
function repeat(output: GrowableOutput, offset: number, length: number): void {
  const { buffer } = output;
  let to = output.length;
  output.length += length;
  if (offset >= length) {
    buffer.copyWithin(to, to - offset, to - offset + length);
    return;
  }
  for (const end = to + length; to < end; to++) buffer[to] = buffer[to - offset]!;
}
